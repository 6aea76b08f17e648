// Name servers accept every plan that is made from a name's rows.
import { expect, test } from '@jest/globals';
import { nameFault } from '../../../../dns/policy/plan-schema.ts';
import { presetSteps } from '../../../../dns/policy/presets.ts';
import { type MemberRow, type NamePlanInput, namePlan } from '../../../../subgraphs/gslb/rules/name-plan.ts';

const memberRow = (id: string, poolId: string, change: Partial<MemberRow> = {}): MemberRow => ({
  ...{ id, poolId, region: 'eu', addresses: ['192.0.2.1'], cname: null, weight: 1, priority: 1, place: null },
  ...{ latencyMs: {}, lastUpAt: null },
  ...change,
});

const input: NamePlanInput = {
  gslb: {
    ...{ id: 'g1', version: 4, fqdn: 'Shop.gslb.lab.test', ttlSeconds: 30, degradedTtlSeconds: 5, clientMapId: null },
    ...{ steps: presetSteps('FAILOVER'), noneUp: { do: 'POOL', poolId: 'sorry' } },
  },
  pools: [
    { id: 'p1', minUp: 1 },
    { id: 'sorry', minUp: 1 },
  ],
  members: [
    memberRow('m1', 'p1', { lastUpAt: new Date(0) }),
    memberRow('m2', 'p1'),
    memberRow('m3', 'sorry', { addresses: [], cname: 'sorry.example.test' }),
    memberRow('m9', 'elsewhere'),
  ],
  standings: new Map([['m1', { up: true, upIn: { eu: false }, withheld: false }]]),
};

test('rows become a plan with a separate fallback, and members without a standing are not up', () => {
  const plan = namePlan(input);
  expect(plan).toMatchObject({
    ...{ fqdn: 'shop.gslb.lab.test.', gslbId: 'g1', version: 4 },
    pools: [{ poolId: 'p1', minUp: 1, memberIds: ['m1', 'm2'] }],
    noneUp: { do: 'POOL', pool: { poolId: 'sorry', minUp: 1, memberIds: ['m3'] } },
  });
  expect(
    plan.members.map(({ memberId, up, upIn, cname, lastUpAt }) => ({ memberId, up, upIn, cname, lastUpAt })),
  ).toEqual([
    { memberId: 'm1', up: true, upIn: { eu: false }, cname: null, lastUpAt: '1970-01-01T00:00:00.000Z' },
    { memberId: 'm2', up: false, upIn: {}, cname: null, lastUpAt: null },
    { memberId: 'm3', up: false, upIn: {}, cname: 'sorry.example.test.', lastUpAt: null },
  ]);
  expect(nameFault('gslb.lab.test.', plan)).toBeUndefined();
});

test('a CNAME when no member is up, and a fallback that does not exist', () => {
  const gslb = { ...input.gslb, noneUp: { do: 'CNAME', target: 'Sorry.example.test' } } as const;
  expect(namePlan({ ...input, gslb }).noneUp).toEqual({ do: 'CNAME', target: 'sorry.example.test.' });
  expect(() => namePlan({ ...input, pools: input.pools.slice(0, 1) })).toThrow('not among the pools');
});

test('a load balancer without an address stays out of the answer, and no other name of the zone is affected', () => {
  const members = [memberRow('m1', 'p1'), memberRow('m2', 'p1', { addresses: [] }), memberRow('m3', 'sorry')];
  const plan = namePlan({ ...input, members });
  expect(plan.members.map(({ memberId }) => memberId)).toEqual(['m1', 'm3']);
  expect(plan.pools).toEqual([{ poolId: 'p1', minUp: 1, memberIds: ['m1'] }]);
  expect(nameFault('gslb.lab.test.', plan)).toBeUndefined();
  const none = namePlan({ ...input, members: [memberRow('m2', 'p1', { addresses: [] })] });
  expect(none.members).toEqual([]);
  expect(nameFault('gslb.lab.test.', none)).toBeUndefined();
});
