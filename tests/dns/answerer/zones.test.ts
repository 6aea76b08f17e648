// Zones take newer plans and changes, whole or not at all.
import { describe, expect, test } from '@jest/globals';
import { mapIdOf } from '../../../dns/policy/client-blocks.ts';
import { testHistory } from '../../support/stores/histories.ts';
import { question, read } from './support/packets.ts';
import { member, namePlan, zone, zonePlan } from './support/plans.ts';
import { responderOf } from './support/responder.ts';

const at = (label: string, address: string) => namePlan(label, { members: [member('m1', { addresses: [address] })] });

test('an older plan is refused, a newer one replaces all names', () => {
  const { zones, answer } = responderOf(zonePlan([at('a', '192.0.2.1'), at('b', '192.0.2.1')]));
  expect(zones.put(zonePlan([], { generation: 7 }))).toBe('KNOWN');
  expect(zones.put(zonePlan([], { generation: 6 }))).toBe('OLD');
  expect(answer(question(`a.${zone}`)).answers).toHaveLength(1);
  expect(zones.put(zonePlan([at('a', '192.0.2.2')], { generation: 8 }))).toBe('TAKEN');
  expect(answer(question(`a.${zone}`)).answers).toEqual(['1 c0000202']);
  expect(answer(question(`b.${zone}`)).rcode).toBe(3);
});

test('a change must follow the current generation; otherwise the whole plan is needed', () => {
  const { zones, answer } = responderOf(zonePlan([at('a', '192.0.2.1'), at('x.y', '192.0.2.1')]));
  const names = [at('a', '192.0.2.3'), at('new.ent', '192.0.2.4')];
  const change = { zone, history: testHistory, from: 7, to: 9, names, removedNames: [`x.y.${zone}`] };
  expect(zones.change({ ...change, from: 8 })).toBe('GAP');
  expect(zones.change({ ...change, zone: 'other.test.' })).toBe('GAP');
  expect(zones.change({ ...change, to: 7 })).toBe('KNOWN');
  expect(answer(question(`a.${zone}`)).answers).toEqual(['1 c0000201']);
  expect(zones.change(change)).toBe('TAKEN');
  expect(answer(question(`a.${zone}`)).answers).toEqual(['1 c0000203']);
  // The parent of a deleted name is gone too, and the parent of a new name exists.
  expect([`x.y.${zone}`, `y.${zone}`].map((name) => answer(question(name)).rcode)).toEqual([3, 3]);
  expect(answer(question(`ent.${zone}`)).rcode).toBe(0);
  expect(zones.get(zone)?.names()).toHaveLength(2);
  expect(zones.change(change)).toBe('KNOWN');
});

test('other name servers and client maps arrive with a change of the head', () => {
  const kept = { mapId: 'kept', blocks: [{ cidr: '198.51.100.0/24', region: 'eu' }], regions: [] };
  const clientMaps = [{ ...kept, mapId: 'm' }, kept];
  const members = [member('eu', { region: 'eu' }), member('us', { region: 'us', addresses: ['192.0.2.2'] })];
  const steps = [
    { step: 'GEO', by: ['CIDR'] },
    { step: 'FIRST', count: 2 },
  ] as const;
  const geo = namePlan('geo', { members, steps, clientMapId: 'm' });
  const other = namePlan('same', { members, steps, clientMapId: 'kept' });
  const { zones, answer } = responderOf(zonePlan([geo, other], { clientMaps }));
  expect(answer(question(`geo.${zone}`)).answers).toEqual(['1 c0000201']);
  const { names: _names, history, generation: _generation, ...head } = zonePlan([]);
  const moved = [
    { mapId: 'm', blocks: [{ cidr: '198.51.100.0/24', region: 'us' }], regions: [] },
    structuredClone(kept),
  ];
  const nameServers = [{ name: `other.${zone}`, addresses: ['192.0.2.99'] }];
  const change = {
    ...{ zone, history },
    from: 7,
    to: 8,
    head: { ...head, clientMaps: moved, nameServers },
    names: [],
    removedNames: [],
  };
  expect(zones.change(change)).toBe('TAKEN');
  expect(answer(question(`geo.${zone}`)).answers).toEqual(['1 c0000202']);
  expect(answer(question(`same.${zone}`)).answers).toEqual(['1 c0000201']);
  expect(answer(question(`other.${zone}`)).answers).toEqual(['1 c0000263']);
  expect(answer(question(`ns1.${zone}`)).rcode).toBe(3);
  expect(answer(question(zone, { type: 2 })).counts).toEqual([1, 1, 0, 0]);
});

test('a name without its map fails, and is answered by the map and the regions of the head once the zone is sent again', () => {
  const blocks = [{ cidr: '198.51.100.0/24', region: 'eu' }];
  const members = [
    member('eu', { latencyMs: { eu: 1, us: 100 } }),
    member('us', { latencyMs: { eu: 100, us: 1 }, addresses: ['192.0.2.2'] }),
  ];
  const steps = [
    { step: 'LATENCY', toleranceShare: 0 },
    { step: 'FIRST', count: 2 },
  ] as const;
  const clientMaps = [{ mapId: 'regions', blocks: [], regions: [{ region: 'us', latitude: 0, longitude: 0 }] }];
  const plan = zonePlan([namePlan('geo', { members, steps, clientMapId: mapIdOf(blocks) })], { clientMaps });
  const place = { continent: null, country: null, latitude: 1, longitude: 1 };
  const { zones, answer, ask } = responderOf(plan, { geo: { find: () => ({ place, bits: 0 }) } });
  const asked = question(`geo.${zone}`);
  expect(answer(asked)).toMatchObject({ rcode: 2, answers: [] });
  zones.putMap(mapIdOf(blocks), blocks);
  expect(zones.put(plan)).toBe('TAKEN');
  expect(zones.put(plan)).toBe('KNOWN');
  expect(answer(asked).answers).toEqual(['1 c0000201']);
  expect(read(ask(asked, { address: '203.0.113.9' })).answers).toEqual(['1 c0000202']);
  expect(zones.takeUnusedMaps()).toEqual([]);
  zones.remove(zone);
  expect(zones.takeUnusedMaps()).toEqual([mapIdOf(blocks)]);
});

describe("a name server's own addresses", () => {
  const plans = [
    at('ns1', '203.0.113.66'),
    namePlan('ns3', { members: [member('m1', { cname: 'evil.example.net.' })] }),
  ];
  const nameServers = [
    { name: `ns1.${zone}`, addresses: ['192.0.2.53'] },
    { name: `ns3.${zone}`, addresses: [] },
  ];

  test('are answered, whatever the plan of the name', () => {
    const { zones, answer } = responderOf(zonePlan(plans, { nameServers }));
    expect(answer(question(`ns1.${zone}`))).toMatchObject({ answers: ['1 c0000235'], ttl: 3_600 });
    expect(answer(question(`ns1.${zone}`, { type: 28 }))).toMatchObject({ rcode: 0, answers: [] });
    // A server without a known address has no address records and no alias.
    expect(answer(question(`ns3.${zone}`))).toMatchObject({ rcode: 0, answers: [] });
    // The plans are kept in case the servers leave.
    expect(zones.get(zone)?.names()).toHaveLength(2);
  });

  test('take precedence over a name that existed before the server, and release it once the server has gone', () => {
    const { zones, answer } = responderOf(zonePlan(plans, { nameServers: [] }));
    expect(answer(question(`ns1.${zone}`)).answers).toEqual(['1 cb007142']);
    const { names: _names, generation: _generation, history: _history, ...head } = zonePlan([]);
    const change = { zone, history: testHistory, names: [], removedNames: [] };
    zones.change({ ...change, from: 7, to: 8, head: { ...head, nameServers } });
    expect(answer(question(`ns1.${zone}`)).answers).toEqual(['1 c0000235']);
    zones.change({ ...change, from: 8, to: 9, names: [at('ns1', '203.0.113.67')] });
    expect(answer(question(`ns1.${zone}`)).answers).toEqual(['1 c0000235']);
    zones.change({ ...change, from: 9, to: 10, head: { ...head, nameServers: [] } });
    expect(answer(question(`ns1.${zone}`)).answers).toEqual(['1 cb007143']);
  });

  test('are not replaced by a wildcard', () => {
    const { answer } = responderOf(zonePlan([at('*', '203.0.113.66')], { nameServers }));
    expect(answer(question(`ns1.${zone}`)).answers).toEqual(['1 c0000235']);
    expect(answer(question(`ns3.${zone}`)).answers).toEqual([]);
    expect(answer(question(`x.ns1.${zone}`)).rcode).toBe(3);
    expect(answer(question(`x.${zone}`)).answers).toEqual(['1 cb007142']);
  });
});

test('the zone with the longest name answers', () => {
  const inner = `inner.${zone}`;
  const { zones, answer } = responderOf(zonePlan([at('www.inner', '192.0.2.1')]));
  expect(answer(question(`www.${inner}`)).answers).toEqual(['1 c0000201']);
  const plan = zonePlan([{ ...at('', '192.0.2.5'), fqdn: `www.${inner}` }]);
  zones.put({ ...plan, zone: inner, nameServers: [] });
  expect(answer(question(`www.${inner}`)).answers).toEqual(['1 c0000205']);
  zones.remove(inner);
  expect(answer(question(`www.${inner}`)).answers).toEqual(['1 c0000201']);
});
