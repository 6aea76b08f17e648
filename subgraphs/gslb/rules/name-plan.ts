// The plan that name servers should use for a GSLB, from its rows and the standing of its members. Pure.
import type { MemberPlan, Name, NamePlan, NoneUp, PolicyStep, PoolPlan } from '../../../dns/policy/plan.ts';
import type { MemberStanding } from './member.ts';

interface GslbRow {
  readonly id: string;
  readonly version: number;
  /** Without a final dot, as in the graph. */
  readonly fqdn: string;
  readonly ttlSeconds: number;
  readonly degradedTtlSeconds: number | null;
  readonly clientMapId: string | null;
  readonly clientMapHash?: string;
  readonly steps: readonly PolicyStep[];
  readonly noneUp: NoneUpRow;
}

export type NoneUpRow =
  | { readonly do: 'ALL' | 'LAST_KNOWN' | 'NODATA' | 'SERVFAIL' }
  | { readonly do: 'POOL'; readonly poolId: string }
  /** Without a final dot. */
  | { readonly do: 'CNAME'; readonly target: string };

interface PoolRow {
  readonly id: string;
  readonly minUp: number;
}

export interface MemberRow {
  readonly id: string;
  readonly poolId: string;
  readonly region: string | null;
  readonly addresses: readonly string[];
  /** Without a final dot. */
  readonly cname: string | null;
  readonly weight: number;
  readonly priority: number;
  readonly place: MemberPlan['place'];
  readonly latencyMs: Readonly<Record<string, number>>;
  readonly lastUpAt: Date | null;
}

export interface NamePlanInput {
  readonly gslb: GslbRow;
  /** In the GSLB's order. Contains the fallback's pool too, at any position. */
  readonly pools: readonly PoolRow[];
  readonly members: readonly MemberRow[];
  /** Keyed by the member's id. */
  readonly standings: ReadonlyMap<string, Pick<MemberStanding, 'up' | 'upIn' | 'withheld'>>;
}

export function namePlan({ gslb, pools, members: all, standings }: NamePlanInput): NamePlan {
  // A followed load balancer may have no address yet, or none any more, so there is nothing to answer.
  const members = all.filter(({ addresses, cname }) => addresses.length > 0 || cname !== null);
  const fallbackId = gslb.noneUp.do === 'POOL' ? gslb.noneUp.poolId : undefined;
  const poolOf = ({ id, minUp }: PoolRow): PoolPlan => ({
    ...{ poolId: id, minUp },
    memberIds: members.filter(({ poolId }) => poolId === id).map((member) => member.id),
  });
  const known = new Set(pools.map(({ id }) => id));
  return {
    fqdn: absolute(gslb.fqdn),
    gslbId: gslb.id,
    version: gslb.version,
    ttlSeconds: gslb.ttlSeconds,
    degradedTtlSeconds: gslb.degradedTtlSeconds,
    clientMapId: gslb.clientMapId,
    ...(gslb.clientMapHash === undefined ? {} : { clientMapHash: gslb.clientMapHash }),
    pools: pools.filter(({ id }) => id !== fallbackId).map(poolOf),
    members: members.filter(({ poolId }) => known.has(poolId)).map((member) => memberPlan(member, standings)),
    steps: gslb.steps,
    noneUp: noneUpPlan(gslb.noneUp, pools, poolOf),
  };
}

function noneUpPlan(row: NoneUpRow, pools: readonly PoolRow[], poolOf: (pool: PoolRow) => PoolPlan): NoneUp {
  if (row.do === 'CNAME') return { do: 'CNAME', target: absolute(row.target) };
  if (row.do !== 'POOL') return { do: row.do };
  const pool = pools.find(({ id }) => id === row.poolId);
  if (pool === undefined) throw new Error(`the fallback pool ${row.poolId} is not among the pools`);
  return { do: 'POOL', pool: poolOf(pool) };
}

function memberPlan(member: MemberRow, standings: NamePlanInput['standings']): MemberPlan {
  const { id, region, addresses, cname, weight, priority, place, latencyMs, lastUpAt } = member;
  const { up, upIn, withheld } = standings.get(id) ?? { up: false, upIn: {}, withheld: false };
  return {
    ...{ memberId: id, region, addresses, weight, priority, place, latencyMs, up, upIn, withheld },
    cname: cname === null ? null : absolute(cname),
    lastUpAt: lastUpAt?.toISOString() ?? null,
  };
}

function absolute(name: string): Name {
  return `${name.toLowerCase()}.`;
}
