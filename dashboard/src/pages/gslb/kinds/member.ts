// The known members: all members of the open name, and other members that changed since the page was opened.
import {
  type GslbMemberFieldsFragment,
  GslbMemberFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Member = GslbMemberFieldsFragment;

/** A name has fewer. */
const maxMembers = 2000;

export const memberKind: EntityKind<Member> = {
  typename: 'GslbPoolMember',
  fragment: GslbMemberFieldsFragmentDoc,
  openParameter: 'member',
  // The open name's members are read again with it.
  isReadAgain: false,
  /** When there are too many, members of other names are dropped first, then the older ones. */
  merge(known, news, prefer) {
    const merged = mergeVersions(known, news, { takesSameVersion: true });
    if (merged.size <= maxMembers) return merged;
    const all = [...merged.values()];
    const kept = [...all.filter((member) => !prefer(member)), ...all.filter(prefer)].slice(-maxMembers);
    return new Map(kept.map((member) => [member.id, member]));
  },
  label: ({ name, pool }) => `${name} in ${pool.name}`,
};

export function placeOf({ addresses, cname }: Pick<Member, 'addresses' | 'cname'>): string {
  return cname ?? addresses.join(' ');
}
