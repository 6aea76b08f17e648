// A name's answers: serving members, fallbacks, TTLs and scopes. Random plans check invariants.
import { describe, expect, test } from '@jest/globals';
import { answer, explain } from '../../../dns/policy/answer.ts';
import { clientAddress, masked, noGeo, prepareClientMap } from '../../../dns/policy/client.ts';
import type { NamePlan, NoneUp } from '../../../dns/policy/plan.ts';
import { prepareName } from '../../../dns/policy/prepare.ts';
import { presetSteps } from '../../../dns/policy/presets.ts';
import { seededRandom } from '../../../trials/random.ts';
import { clientMap, member, plan, randomClient, randomPlan, worldGeo } from './plans.ts';

const maps = new Map([['map', prepareClientMap(clientMap)]]);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e6));
const failover = presetSteps('FAILOVER');

function ask(of: NamePlan, client = '203.0.113.1', type = 'A') {
  return answer(prepareName(of, maps), { type, client: clientAddress(client), draw: () => 0.5, geo: worldGeo });
}

const data = (of: NamePlan, client?: string, type?: string) =>
  ask(of, client, type).records.map((record) => record.data);

test('the first pool with enough members that are up answers with them', () => {
  const members = [
    member('m1'),
    member('m2', { up: false }),
    member('m3'),
    member('m4'),
    member('m5', { withheld: true }),
  ];
  const pools = [
    { poolId: 'p1', minUp: 2, memberIds: ['m1', 'm2'] },
    { poolId: 'p2', minUp: 2, memberIds: ['m3', 'm4', 'm5'] },
  ];
  expect(data(plan(members, failover, { pools })).sort()).toEqual(['192.0.2.3', '192.0.2.4']);
  expect(data(plan(members, failover, { pools: [{ poolId: 'p1', minUp: 1, memberIds: ['m1', 'm2'] }] }))).toEqual([
    '192.0.2.1',
  ]);
});

test('the members with the smallest priority that serves are answered', () => {
  const of = (up: boolean) => plan([member('m1', { up }), member('m2', { priority: 2 })], failover);
  expect(data(of(true))).toEqual(['192.0.2.1']);
  expect(data(of(false))).toEqual(['192.0.2.2']);
});

describe('when no pool has enough serving members', () => {
  const at = (seconds: number) => new Date(seconds * 1_000).toISOString();
  const members = [
    member('m1', { up: false, lastUpAt: at(5) }),
    member('m2', { up: false, lastUpAt: at(9), priority: 2 }),
    member('m3', { up: false, lastUpAt: at(9), withheld: true }),
  ];
  const of = (noneUp: NoneUp, more = {}) => plan(members, failover, { noneUp, ...more });

  test('ALL answers as if all were up, but without withheld members', () => {
    expect(data(of({ do: 'ALL' }))).toEqual(['192.0.2.1']);
    const withheld = members.map((each) => ({ ...each, withheld: true }));
    expect(ask(plan(withheld, failover))).toMatchObject({ outcome: 'NODATA', records: [] });
  });

  test('LAST_KNOWN answers with the members that were last up, and with all if none ever was', () => {
    expect(data(of({ do: 'LAST_KNOWN' }))).toEqual(['192.0.2.2']);
    const never = members.map((each) => ({ ...each, lastUpAt: null }));
    expect(data(plan(never, failover, { noneUp: { do: 'LAST_KNOWN' } }))).toEqual(['192.0.2.1']);
  });

  test('LAST_KNOWN keeps the members that are up, even if they are too few for the pool', () => {
    const half = [member('m1', { lastUpAt: at(5) }), member('m2', { up: false, lastUpAt: at(9) })];
    const pools = [{ poolId: 'p1', minUp: 2, memberIds: ['m1', 'm2'] }];
    expect(data(plan(half, failover, { noneUp: { do: 'LAST_KNOWN' }, pools }))).toEqual(['192.0.2.1']);
  });

  test('an extra pool answers with its members that are up, otherwise with all', () => {
    const pool = { poolId: 'sorry', minUp: 9, memberIds: ['m8', 'm9'] };
    const pools = [{ poolId: 'p1', minUp: 1, memberIds: ['m1', 'm2', 'm3'] }];
    const answered = (up: boolean) => {
      const all = [...members, member('m8', { up: false }), member('m9', { up })];
      return data(plan(all, failover, { noneUp: { do: 'POOL', pool }, pools })).sort();
    };
    expect(answered(true)).toEqual(['192.0.2.9']);
    expect(answered(false)).toEqual(['192.0.2.8', '192.0.2.9']);
  });

  test('a CNAME, no data, or a failure', () => {
    expect(ask(of({ do: 'CNAME', target: 'sorry.test.' }), '203.0.113.1', 'MX')).toMatchObject({
      ...{ outcome: 'RECORDS', ttlSeconds: 5 },
      records: [{ type: 'CNAME', data: 'sorry.test.', memberId: null }],
    });
    expect(ask(of({ do: 'NODATA' })).outcome).toBe('NODATA');
    expect(ask(of({ do: 'SERVFAIL' })).outcome).toBe('SERVFAIL');
  });
});

test('a type for which members have no address is NODATA, and does not move clients to another pool', () => {
  const members = [member('m1'), member('m2', { addresses: ['2001:db8::1'] })];
  const pools = [
    { poolId: 'p1', minUp: 1, memberIds: ['m1'] },
    { poolId: 'p2', minUp: 1, memberIds: ['m2'] },
  ];
  expect(data(plan(members, failover, { pools }))).toEqual(['192.0.2.1']);
  expect(ask(plan(members, failover, { pools }), '::1', 'AAAA').outcome).toBe('NODATA');
  expect(ask(plan(members, failover, { pools }), '::1', 'TXT').outcome).toBe('NODATA');
});

test('a member that is a CNAME answers every type, and is the only answer', () => {
  const members = ['m1', 'm2'].map((id) => member(id, { addresses: [], cname: `${id}.test.` }));
  for (const type of ['A', 'AAAA', 'CNAME', 'MX'])
    expect(ask(plan(members, presetSteps('ROUND_ROBIN')), '::1', type).records).toMatchObject([{ type: 'CNAME' }]);
});

test('the TTL is shorter while a member that should serve does not', () => {
  const ttl = (members: Parameters<typeof plan>[0], degradedTtlSeconds: number | null = 5) =>
    ask(plan(members, failover, { degradedTtlSeconds })).ttlSeconds;
  expect(ttl([member('m1'), member('m2')])).toBe(30);
  expect(ttl([member('m1'), member('m2', { up: false })])).toBe(5);
  expect(ttl([member('m1'), member('m2', { upIn: { eu: false } })])).toBe(5);
  expect(ttl([member('m1'), member('m2', { up: false, withheld: true })])).toBe(30);
  expect(ttl([member('m1'), member('m2', { up: false })], null)).toBe(30);
});

test('verdicts by region apply to the clients of that region', () => {
  const of = plan([member('m1', { upIn: { eu: false, us: true } }), member('m2', { priority: 2 })], failover);
  expect(data(of, '10.1.0.1')).toEqual(['192.0.2.2']);
  expect(data(of, '10.2.0.1')).toEqual(['192.0.2.1']);
  // Berlin is nearest to eu. The place of the last one is unknown.
  expect(data(of, '81.0.0.1')).toEqual(['192.0.2.2']);
  expect(data(of, '203.0.113.1')).toEqual(['192.0.2.1']);
});

test('the scope is 0 if the client made no difference, otherwise the number of used bits, and never more than were given', () => {
  const scope = (of: NamePlan, client: string, bits?: number) =>
    answer(prepareName(of, maps), { type: 'A', client: clientAddress(client, bits), draw: () => 0, geo: worldGeo })
      .scopeBits;
  const regions = [member('m1', { region: 'eu' }), member('m2', { region: 'us' })];
  const geo = plan(regions, presetSteps('GEO'));
  expect(scope(geo, '10.1.9.9')).toBe(16);
  expect(scope(geo, '10.2.3.9')).toBe(24);
  // Its 24th bit shows that it is not in 10.2.3.0/24.
  expect(scope(geo, '10.2.2.9')).toBe(24);
  expect(scope(geo, '10.2.4.9')).toBe(22);
  expect(scope(geo, '10.2.3.9', 20)).toBe(20);
  expect(scope(geo, '10.2.3.9', 0)).toBe(0);
  expect(scope(plan(regions.slice(0, 1), presetSteps('GEO')), '10.1.9.9')).toBe(0);
  expect(scope(plan([member('m1'), member('m2')], presetSteps('GEO')), '10.1.9.9')).toBe(0);
  expect(scope(plan(regions, presetSteps('ROUND_ROBIN')), '10.1.9.9')).toBe(0);
  expect(scope(plan(regions, presetSteps('STICKY')), '10.1.9.9')).toBe(24);
  expect(scope(plan(regions, presetSteps('STICKY')), '10.1.9.9', 20)).toBe(20);
});

test('an answer has its reasons', () => {
  const of = plan(
    [member('m1', { up: false }), member('m2', { region: 'eu' }), member('m3', { region: 'us' })],
    presetSteps('GEO'),
  );
  const told = explain(prepareName(of, maps), {
    type: 'A',
    client: clientAddress('10.1.0.1'),
    draw: () => 0,
    geo: noGeo,
  });
  expect(told).toMatchObject({ outcome: 'RECORDS', scopeBits: 16, client: { region: 'eu', place: null } });
  expect(told.trail.map(({ step, kept }) => `${step}: ${kept}`)).toEqual([
    ...['UP: m2,m3', 'POOLS: m2,m3', 'TYPE: m2,m3', 'GEO: m2', 'WEIGHTED: m2', 'FIRST: m2'],
  ]);
  expect(told.trail[0]?.left).toEqual([{ memberId: 'm1', reason: 'it is not up' }]);
  expect(told.trail[3]?.left).toEqual([{ memberId: 'm3', reason: expect.stringContaining('in region us') }]);
});

test(`an answer and its explanation agree, and satisfy the invariants (seed ${seed})`, () => {
  const random = seededRandom(seed);
  for (let round = 0; round < 1_000; round += 1) {
    const of = randomPlan(random);
    const name = prepareName(of, maps);
    const client = randomClient(random);
    const type = random.pick(['A', 'AAAA', 'CNAME', 'MX']);
    const drawSeed = random.integer(0, 1e9);
    const asked = (bytes = client.bytes) => {
      const draws = seededRandom(drawSeed);
      return { type, client: { ...client, bytes }, draw: () => draws.next(), geo: worldGeo };
    };
    const answered = answer(name, asked());
    const { trail, client: seen, ...explained } = explain(name, asked());
    expect(explained).toEqual(answered);
    expect(answer(name, asked())).toEqual(answered);
    expect(seen).toBeDefined();
    // The answer contains exactly the members that the last step kept.
    const told = new Set(answered.records.flatMap(({ memberId }) => memberId ?? []));
    const kept = trail.at(-1)?.kept ?? [];
    if (answered.records.every((record) => record.type !== 'CNAME')) expect([...told].sort()).toEqual([...kept].sort());
    // No withheld members and no members of another type. Members that are not up appear only if too few are up.
    const members = of.members.filter(({ memberId }) => told.has(memberId));
    expect(members.some(({ withheld }) => withheld)).toBe(false);
    const enough = trail.every(({ step }) => !step.startsWith('NONE_UP'));
    const region = name.regional ? seen.region : null;
    const up = ({ upIn, up }: (typeof members)[number]) => (region === null ? up : (upIn[region] ?? up));
    if (enough) expect(members.every(up)).toBe(true);
    expect(answered.records.every((record) => record.type === 'CNAME' || record.type === type)).toBe(true);
    expect(answered.records.length > 0).toBe(answered.outcome === 'RECORDS');
    // All clients within the scope get the same answer.
    expect(answered.scopeBits).toBeLessThanOrEqual(client.bits);
    const noise = client.bytes.map(() => random.integer(0, 255));
    const prefix = masked(client.bytes, answered.scopeBits);
    const other = masked(noise, client.bits).map((byte, at) => {
      const rest = masked(noise, answered.scopeBits)[at] ?? 0;
      return (prefix[at] ?? 0) | (byte ^ rest);
    });
    expect(answer(name, asked(other))).toEqual(answered);
  }
});
