// The changes that a name server accepts from its feed. The CNAMEs of one tenant never stop the names of another.
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { Answerer } from '../../../../../dns/answerer/answerer.ts';
import { mapIdOf } from '../../../../../dns/policy/client-blocks.ts';
import type { NamePlan, ZoneChange } from '../../../../../dns/policy/plan.ts';
import type { JsonValue } from '../../../../../platform/values/json.ts';
import { Feed } from '../../../../../subgraphs/gslb/agents/nameserver/feed.ts';
import { mapKey, mapPosition, zoneKey } from '../../../../../subgraphs/gslb/wire/dns-wire.ts';
import { member, namePlan, zone, zonePlan } from '../../../../dns/answerer/support/plans.ts';
import { testHistory } from '../../../../support/stores/histories.ts';

let answerer: Answerer;
let feed: Feed;
const asked: string[] = [];
beforeEach(async () => {
  asked.length = 0;
  answerer = await Answerer.start({ listen: [], name: 'ns1', failed: () => undefined });
  feed = new Feed({
    answerer,
    log: pino({ level: 'silent' }),
    resend: (key) => asked.push(key),
    changed: () => undefined,
  });
});
afterEach(() => answerer.close());

const alias = (label: string, target: string): NamePlan =>
  namePlan(label, { members: [member('m1', { addresses: [], cname: `${target}.${zone}` })] });

const changed = (from: number, fields: Partial<ZoneChange>) =>
  feed.change(zoneKey(zone), {
    ...{ zone, history: testHistory, from, to: from + 1, names: [], removedNames: [], ...fields },
  } as unknown as Record<string, JsonValue>);

async function put(names: readonly NamePlan[], generation: number): Promise<void> {
  const position = { history: testHistory, number: generation };
  await feed.put(zoneKey(zone), position, { ...zonePlan(names), generation } as unknown as JsonValue);
}

const fqdns = () => (answerer.plan(zone)?.names ?? []).map(({ fqdn }) => fqdn.split('.')[0]).sort();

test('names that form a CNAME loop are accepted, and so are later changes', async () => {
  await put([namePlan('shop')], 7);
  expect(await changed(7, { names: [alias('a', 'b')] })).toBe(true);
  expect(await changed(8, { names: [alias('b', 'a')] })).toBe(true);
  expect(await changed(9, { names: [namePlan('new')] })).toBe(true);
  expect(fqdns()).toEqual(['a', 'b', 'new', 'shop']);
  expect(feed.refused()).toEqual({});
});

test('a name whose deletion closes a loop leaves the zone intact for the next start', async () => {
  await put([alias('*', 'a'), alias('a', 'b'), namePlan('b')], 7);
  expect(await changed(7, { removedNames: [`b.${zone}`] })).toBe(true);
  const kept = answerer.plan(zone)?.names ?? [];
  await put(kept, 9);
  expect(feed.refused()).toEqual({});
  expect(answerer.stats().zones[0]?.position.number).toBe(9);
});

describe('client maps that are separate objects', () => {
  const blocks = [{ cidr: '198.51.100.0/24', region: 'eu' }];
  const mapId = mapIdOf(blocks);
  const geo = namePlan('geo', { clientMapId: mapId });
  const maps = () => [...answerer.maps.keys()];

  test('a name whose map is missing is refused, and both are requested once', async () => {
    await put([geo], 7);
    expect(answerer.plan(zone)).toBeUndefined();
    expect(feed.refused()[zone]?.why).toContain(mapId);
    await put([geo], 7);
    expect(asked).toEqual([mapKey(mapId), zoneKey(zone), mapKey(mapId)]);
    await feed.put(mapKey(mapId), mapPosition, blocks);
    await put([geo], 7);
    expect(feed.refused()).toEqual({});
    const other = namePlan('other', { clientMapId: mapIdOf([]) });
    expect(await changed(7, { names: [other] })).toBe(false);
    expect(asked.slice(3)).toEqual([mapKey(mapIdOf([]))]);
    expect(fqdns()).toEqual(['geo']);
  });

  test('a map that does not match its ID or has too many blocks is refused', async () => {
    const many = Array.from({ length: 1_001 }, (_, at) => ({ cidr: `20.0.${at >> 8}.${at & 255}`, region: 'eu' }));
    await feed.put(mapKey(mapId), mapPosition, [{ cidr: '198.51.100.0/24', region: 'us' }]);
    await feed.put(mapKey(mapIdOf(many)), mapPosition, many);
    await feed.put(mapKey(mapId), mapPosition, [{ cidr: '198.51.100.1/24', region: 'eu' }]);
    expect(maps()).toEqual([]);
  });

  test('a map is dropped when no zone refers to it, and an older conductor sends its maps in the head', async () => {
    await feed.put(mapKey(mapId), mapPosition, blocks);
    await put([geo], 7);
    feed.whole();
    expect(maps()).toEqual([mapId]);
    const older = namePlan('geo', { clientMapId: 'uuid' });
    expect(await changed(7, { names: [older] })).toBe(false);
    const plan = { ...zonePlan([older], { clientMaps: [{ mapId: 'uuid', blocks, regions: [] }] }), generation: 8 };
    await feed.put(zoneKey(zone), { history: testHistory, number: 8 }, plan as unknown as JsonValue);
    asked.length = 0;
    feed.whole();
    expect([maps(), asked]).toEqual([[], [mapKey(mapId)]]);
    expect(feed.refused()).toEqual({});
  });

  test('queries are answered between two maps', async () => {
    let turns = 0;
    const count = () => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    for (let at = 0; at < 20; at += 1) await feed.put(mapKey(mapId), mapPosition, blocks);
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(19);
  });
});
