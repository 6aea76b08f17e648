// The members that a policy starts with: the serving members of the first pool that has enough of them, with records of the
// requested type. Without such a pool, the name's fallback applies.
import type { PreparedMember, PreparedName, PreparedPool, Start } from './prepare.ts';
import type { Trail } from './trail.ts';

/** All other types have the same answer: a CNAME or nothing. */
export type Kind = 'A' | 'AAAA' | 'OTHER';

export function kindOf(type: string): Kind {
  return type === 'A' || type === 'AAAA' ? type : 'OTHER';
}

const nothing = (outcome: Start['outcome']): Start => ({ outcome, candidates: [], records: [] });
const noData = nothing('NODATA');
const serverFailure = nothing('SERVFAIL');

/** `region`: the client's, if verdicts depend on it. */
export function startOf(name: PreparedName, kind: Kind, region: string | null, trail?: Trail): Start {
  const serves = (member: PreparedMember) => !member.withheld && isUp(member, region);
  const ordered = name.pools.flatMap(({ members }) => members);
  const serving = ordered.filter(serves);
  trail?.add('UP', ordered, serving, ({ withheld }) => (withheld ? withheldWords : 'it is not up'));
  const pool = name.pools.find(({ members, minUp }) => members.filter(serves).length >= minUp);
  if (pool === undefined) return noneUp(name, kind, region, serving, trail);
  return ofPool(pool, serving, kind, trail);
}

/** The same, from the cache. */
export function knownStart(name: PreparedName, kind: Kind, region: string | null): Start {
  const key = region === null ? kind : `${kind} ${region}`;
  const known = name.starts.get(key);
  if (known !== undefined) return known;
  const start = startOf(name, kind, region);
  name.starts.set(key, start);
  return start;
}

const withheldWords = 'an administrator drains it, or forced it down';

function isUp({ up, upIn }: PreparedMember, region: string | null): boolean {
  return (region === null ? undefined : upIn.get(region)) ?? up;
}

function noneUp(
  name: PreparedName,
  kind: Kind,
  region: string | null,
  serving: readonly PreparedMember[],
  trail: Trail | undefined,
): Start {
  const { noneUp: fallback, pools } = name;
  trail?.add(`NONE_UP ${fallback.do}`, serving, [], () => 'its pool has too few serving members');
  switch (fallback.do) {
    case 'NODATA':
      return noData;
    case 'SERVFAIL':
      return serverFailure;
    case 'CNAME':
      return { outcome: 'RECORDS', candidates: [], records: fallback.records };
    case 'POOL': {
      const there = fallback.pool.members.filter(({ withheld }) => !withheld);
      const up = there.filter((member) => isUp(member, region));
      return ofPool(fallback.pool, up.length > 0 ? up : there, kind, trail);
    }
    case 'ALL':
    case 'LAST_KNOWN': {
      const all = pools.flatMap(({ members }) => members).filter(({ withheld }) => !withheld);
      const lastUp = (member: PreparedMember) => (isUp(member, region) ? Number.POSITIVE_INFINITY : member.lastUpAt);
      const last = fallback.do === 'ALL' ? 0 : Math.max(...all.map(lastUp), 0);
      const taken = last === 0 ? all : all.filter((member) => lastUp(member) === last);
      const countIn = ({ members }: PreparedPool) => members.filter((member) => taken.includes(member)).length;
      const pool = pools.find((each) => countIn(each) >= each.minUp) ?? pools.find((each) => countIn(each) > 0);
      return pool === undefined ? noData : ofPool(pool, taken, kind, trail);
    }
  }
}

/** `taken`: decides which members of a pool count as serving. */
function ofPool(
  { poolId, members }: PreparedPool,
  taken: readonly PreparedMember[],
  kind: Kind,
  trail: Trail | undefined,
): Start {
  const chosen = members.filter((member) => taken.includes(member));
  trail?.add('POOLS', taken, chosen, () => `the pool ${poolId} is answered, and it is in another`);
  const candidates = chosen.filter(
    ({ records }) => records.CNAME.length > 0 || (kind !== 'OTHER' && records[kind].length > 0),
  );
  trail?.add('TYPE', chosen, candidates, () => 'it has no record of the requested type');
  return candidates.length === 0 ? noData : { outcome: 'RECORDS', candidates, records: [] };
}
