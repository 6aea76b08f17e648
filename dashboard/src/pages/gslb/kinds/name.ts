// The names. The page lists all names, up to a bound.
import { type GslbFieldsFragment, GslbFieldsFragmentDoc } from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Name = GslbFieldsFragment;

export const nameKind: EntityKind<Name> = {
  typename: 'Gslb',
  fragment: GslbFieldsFragmentDoc,
  openParameter: 'gslb',
  isReadAgain: true,
  merge: (known, news) =>
    mergeVersions(known, news, {
      takesSameVersion: true,
      isGone: ({ provisioningStatus }) => provisioningStatus === 'DELETED',
    }),
  label: ({ fqdn }) => fqdn,
};

/** The answer of the name as text. Empty if it has no answer yet. */
export function answerOf({ answer, answerIpv6 }: Pick<Name, 'answer' | 'answerIpv6'>): string {
  const data = [answer, answerIpv6].flatMap((each) => each?.records ?? []).map((record) => record.data);
  if (data.length > 0) return [...new Set(data)].join(' ');
  if (answer === null) return '';
  return answer.outcome === 'SERVFAIL' ? 'a failure (SERVFAIL)' : 'no records';
}
