// The zones of the benchmark: 5,000 names with two addresses, plain, by weight or by the client's network, signed or not.
import { makeKey } from '../../dns/answerer/dnssec/keys.ts';
import type { NamePlan, PolicyStep, ZonePlan } from '../../dns/policy/plan.ts';

export const zone = 'gslb.bench.test.';
export const addresses = ['192.0.2.1', '192.0.2.2'] as const;
/** The plans before and after a change. */
export const changedAddresses = ['192.0.2.3', '192.0.2.4'] as const;
export const allAddresses: readonly string[] = [...addresses, ...changedAddresses];
export const blocks = { eu: '127.0.0.0/8', us: '10.0.0.0/8' } as const;

export type Kind = 'PLAIN' | 'POLICY';

export function nameAt(index: number): string {
  return `n${index}.${zone}`;
}

export function namePlanAt(index: number, kind: Kind, version: number): NamePlan {
  const geo: PolicyStep = { step: 'GEO', by: ['CIDR'] };
  const chosen: PolicyStep = index % 2 === 0 ? { step: 'WEIGHTED' } : geo;
  const changed = changedAddresses[version % 2] as string;
  const members = (version === 0 ? addresses : [changed]).map((address, at) => ({
    ...{ memberId: `m${at}`, region: at === 0 ? 'eu' : 'us', addresses: [address], cname: null, weight: at + 1 },
    ...{ priority: 1, place: null, up: true, upIn: {}, withheld: false, latencyMs: {}, lastUpAt: null },
  }));
  return {
    ...{ fqdn: nameAt(index), gslbId: `g${index}`, version, ttlSeconds: 60, degradedTtlSeconds: null },
    ...{ clientMapId: 'map', members, noneUp: { do: 'ALL' } },
    pools: [{ poolId: 'pool', minUp: 1, memberIds: members.map(({ memberId }) => memberId) }],
    steps: kind === 'PLAIN' ? [{ step: 'FIRST', count: 2 }] : [chosen, { step: 'FIRST', count: 1 }],
  };
}

export const benchHistory = '0192d5a0-0000-7000-8000-000000000001';

export function benchPlan(names: number, kind: Kind, signed: boolean): ZonePlan {
  return {
    ...{
      zone,
      history: benchHistory,
      generation: 1,
      ttlSeconds: 300,
      nameServers: [{ name: `ns.${zone}`, addresses: ['127.0.0.1'] }],
    },
    soa: {
      ...{ mname: `ns.${zone}`, rname: `hostmaster.${zone}` },
      ...{ refreshSeconds: 3_600, retrySeconds: 600, expireSeconds: 604_800, negativeTtlSeconds: 5 },
      serialBase: 0,
    },
    keys: signed ? [makeKey(257, true)] : [],
    clientMaps: [
      { mapId: 'map', blocks: Object.entries(blocks).map(([region, cidr]) => ({ cidr, region })), regions: [] },
    ],
    names: Array.from({ length: names }, (_, index) => namePlanAt(index, kind, 0)),
  };
}
