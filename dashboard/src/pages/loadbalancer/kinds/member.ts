// The known members: all members of the open load balancer, and other members that changed since the page was opened.
import { type MemberFieldsFragment, MemberFieldsFragmentDoc } from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

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
};

/** Its name, or else its address. */
export function nameOf({ name, host, port }: Pick<Member, 'name' | 'host' | 'port'>): string {
  return name === '' ? addressOf({ host, port }) : name;
}

export function addressOf({ host, port }: Pick<Member, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isInTrouble({ operatingStatus, provisioningStatus }: Member): boolean {
  return operatingStatus === 'ERROR' || operatingStatus === 'DEGRADED' || provisioningStatus === 'ERROR';
}
