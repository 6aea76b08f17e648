// Plans of zones for tests: a name with members that are up, with optional changes.
import type { MemberPlan, NamePlan, ZonePlan } from '../../../../dns/policy/plan.ts';
import { testHistory } from '../../../support/stores/histories.ts';

export const zone = 'gslb.example.test.';

export function member(memberId: string, parts: Partial<MemberPlan> = {}): MemberPlan {
  return {
    ...{ memberId, region: null, addresses: parts.cname === undefined ? ['192.0.2.1'] : [], cname: null, weight: 1 },
    ...{ priority: 1, place: null, up: true, upIn: {}, withheld: false, latencyMs: {}, lastUpAt: null },
    ...parts,
  };
}

/** All its members are in one pool, and all are answered. */
export function namePlan(label: string, parts: Partial<NamePlan> = {}): NamePlan {
  const members = parts.members ?? [member('m1')];
  return {
    ...{ fqdn: label === '' ? zone : `${label}.${zone}`, gslbId: label, version: 1, ttlSeconds: 30 },
    ...{ degradedTtlSeconds: null, clientMapId: null, members, steps: [{ step: 'FIRST', count: 8 }] },
    ...{ pools: [{ poolId: 'p1', minUp: 1, memberIds: members.map(({ memberId }) => memberId) }] },
    noneUp: { do: 'NODATA' },
    ...parts,
  };
}

export function zonePlan(names: readonly NamePlan[], parts: Partial<ZonePlan> = {}): ZonePlan {
  return {
    ...{ zone, history: testHistory, generation: 7, ttlSeconds: 3_600, keys: [], clientMaps: [], names },
    soa: {
      ...{ mname: `ns1.${zone}`, rname: `hostmaster.${zone}` },
      ...{ refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 604_800, negativeTtlSeconds: 5 },
      serialBase: 0,
    },
    nameServers: [
      { name: `ns1.${zone}`, addresses: ['192.0.2.53', '2001:db8::53'] },
      { name: 'ns2.example.net.', addresses: [] },
    ],
    ...parts,
  };
}
