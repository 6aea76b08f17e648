// A name's plan, prepared for answering: once per plan, not once per question.
import { isIPv4 } from 'node:net';
import { hashOf, type PreparedMap } from './client.ts';
import { type Vector, vectorOf } from './globe.ts';
import type { MemberPlan, NamePlan, NoneUp, PoolPlan } from './plan.ts';
import type { Step } from './steps/step.ts';
import { prepareSteps } from './steps/steps.ts';

/** One object for each record, identical for all answers. */
export interface AnswerRecord {
  readonly type: 'A' | 'AAAA' | 'CNAME';
  /** An address, or an absolute name. */
  readonly data: string;
  /** Null for a record of the fallback. */
  readonly memberId: string | null;
}

export interface PreparedMember {
  readonly memberId: string;
  readonly region: string | null;
  readonly country: string | null;
  readonly continent: string | null;
  /** Undefined if its location is unknown. */
  readonly vector: Vector | undefined;
  readonly weight: number;
  readonly priority: number;
  /** For rendezvous hashing. */
  readonly hash: number;
  readonly latencyMs: ReadonlyMap<string, number>;
  readonly up: boolean;
  readonly upIn: ReadonlyMap<string, boolean>;
  readonly withheld: boolean;
  /** Milliseconds since 1970. 0 for never. */
  readonly lastUpAt: number;
  readonly records: Readonly<Record<AnswerRecord['type'], readonly AnswerRecord[]>>;
}

export interface PreparedPool {
  readonly poolId: string;
  readonly minUp: number;
  readonly members: readonly PreparedMember[];
}

type PreparedNoneUp =
  | Exclude<NoneUp, { do: 'POOL' | 'CNAME' }>
  | { readonly do: 'POOL'; readonly pool: PreparedPool }
  | { readonly do: 'CNAME'; readonly records: readonly AnswerRecord[] };

/** The members that the steps start with, and the answer if there are none. */
export interface Start {
  readonly outcome: 'RECORDS' | 'NODATA' | 'SERVFAIL';
  readonly candidates: readonly PreparedMember[];
  /** The fallback's. */
  readonly records: readonly AnswerRecord[];
}

export interface PreparedName {
  readonly plan: NamePlan;
  readonly map: PreparedMap | undefined;
  readonly members: readonly PreparedMember[];
  readonly pools: readonly PreparedPool[];
  readonly steps: readonly Step[];
  readonly noneUp: PreparedNoneUp;
  /**
   * Whether some verdict by region differs from the one for other clients, so that the members that serve depend on the client.
   */
  readonly regional: boolean;
  /** TTL of answers now. */
  readonly ttlSeconds: number;
  /** Cache, by requested type and the client's region. */
  readonly starts: Map<string, Start>;
}

/** Keyed by id. */
export type PreparedMaps = Pick<ReadonlyMap<string, PreparedMap>, 'get'>;

export function prepareName(plan: NamePlan, maps: PreparedMaps): PreparedName {
  const members = plan.members.map(prepareMember);
  const byId = new Map(members.map((member) => [member.memberId, member]));
  const poolOf = ({ poolId, minUp, memberIds }: PoolPlan): PreparedPool => ({
    ...{ poolId, minUp },
    members: memberIds.flatMap((memberId) => byId.get(memberId) ?? []),
  });
  const degraded = members.some(({ withheld, up, upIn }) => !withheld && (!up || [...upIn.values()].includes(false)));
  return {
    plan,
    map: plan.clientMapId === null ? undefined : maps.get(plan.clientMapId),
    members,
    pools: plan.pools.map(poolOf),
    steps: prepareSteps(plan.steps),
    noneUp: prepareNoneUp(plan.noneUp, poolOf),
    regional: members.some(({ up, upIn }) => [...upIn.values()].some((each) => each !== up)),
    ttlSeconds: degraded ? (plan.degradedTtlSeconds ?? plan.ttlSeconds) : plan.ttlSeconds,
    starts: new Map(),
  };
}

function prepareMember(plan: MemberPlan): PreparedMember {
  const { memberId, region, place, weight, priority, up, withheld, addresses, cname } = plan;
  const record = (type: AnswerRecord['type'], data: string): AnswerRecord => ({ type, data, memberId });
  return {
    ...{ memberId, region, weight, priority, up, withheld },
    country: place?.country ?? null,
    continent: place?.continent ?? null,
    vector: place === null ? undefined : vectorOf(place.latitude, place.longitude),
    hash: hashOf(Buffer.from(memberId)),
    latencyMs: new Map(Object.entries(plan.latencyMs)),
    upIn: new Map(Object.entries(plan.upIn)),
    lastUpAt: plan.lastUpAt === null ? 0 : Date.parse(plan.lastUpAt),
    records: {
      A: addresses.filter((address) => isIPv4(address)).map((address) => record('A', address)),
      AAAA: addresses.filter((address) => !isIPv4(address)).map((address) => record('AAAA', address)),
      CNAME: cname === null ? [] : [record('CNAME', cname)],
    },
  };
}

function prepareNoneUp(noneUp: NoneUp, poolOf: (pool: PoolPlan) => PreparedPool): PreparedNoneUp {
  if (noneUp.do === 'POOL') return { do: 'POOL', pool: poolOf(noneUp.pool) };
  if (noneUp.do === 'CNAME') return { do: 'CNAME', records: [{ type: 'CNAME', data: noneUp.target, memberId: null }] };
  return noneUp;
}
