// The known members: all members of the open load balancer, and other members that changed since the page was opened.
import { type MemberFieldsFragment, MemberFieldsFragmentDoc } from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';
import { formatWord } from '../../../view/format.ts';

export type Member = MemberFieldsFragment;

/** A load balancer may have more in several pools; those in trouble are shown all the same. */
const maxMembers = 3000;

export const memberKind: EntityKind<Member> = {
  typename: 'PoolMember',
  fragment: MemberFieldsFragmentDoc,
  openParameter: 'member',
  // The open load balancer's members are read again with it.
  isReadAgain: false,
  /** When there are too many, members of other load balancers are dropped first, then those without trouble. */
  merge(known, news, prefer) {
    const merged = mergeVersions(known, news, { takesSameVersion: true });
    if (merged.size <= maxMembers) return merged;
    const rank = (member: Member): number => (prefer(member) ? (isInTrouble(member) ? 0 : 1) : 2);
    const kept = [...merged.values()].sort((a, b) => rank(a) - rank(b)).slice(0, maxMembers);
    return new Map(kept.map((member) => [member.id, member]));
  },
  label: (member) => nameOf(member),
  ownerId: ({ loadBalancer }) => loadBalancer.id,
};

/** Its name, or else its address. */
export function nameOf({ name, host, port }: Pick<Member, 'name' | 'host' | 'port'>): string {
  return name === '' ? addressOf({ host, port }) : name;
}

export function addressOf({ host, port }: Pick<Member, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** `draining` until it has no session left, or its time is over; then `drained`. Null: it takes part. */
export function drainOf({ drainUntil, sessions }: Drain, nowMs: number): 'draining' | 'drained' | null {
  if (drainUntil === null) return null;
  return sessions !== 0 && Date.parse(drainUntil) > nowMs ? 'draining' : 'drained';
}

type Drain = Pick<Member, 'drainUntil' | 'sessions'>;

/** What is left of its sessions. They are unknown if no node reports. `isDated`: its time follows. */
export function drainWords({ drainUntil, sessions }: Drain, nowMs: number): { words: string; isDated: boolean } {
  if (drainUntil === null || Date.parse(drainUntil) <= nowMs) return { words: 'its sessions ended at', isDated: true };
  if (sessions === null) return { words: 'its sessions end by', isDated: true };
  if (sessions === 0) return { words: 'no sessions left', isDated: false };
  return { words: `${sessions} ${sessions === 1 ? 'session' : 'sessions'} left, until`, isDated: true };
}

/** Why some do not serve: `1 drained, 2 error`. Empty if all serve. */
export function reasonsNotToServe(members: readonly Member[], nowMs: number): string {
  const counts = new Map<string, number>();
  for (const member of members) {
    if (serves(member)) continue;
    const word = member.enabled ? (drainOf(member, nowMs) ?? formatWord(member.operatingStatus)) : 'disabled';
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

export function serves({ operatingStatus: is }: Pick<Member, 'operatingStatus'>): boolean {
  return is === 'ONLINE' || is === 'NO_MONITOR';
}

export function isInTrouble({ operatingStatus, provisioningStatus }: Member): boolean {
  return operatingStatus === 'ERROR' || operatingStatus === 'DEGRADED' || provisioningStatus === 'ERROR';
}
