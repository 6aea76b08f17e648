// The backends. The page lists all backends, up to a bound.
import { type BackendFieldsFragment, BackendFieldsFragmentDoc } from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Backend = BackendFieldsFragment;

export const backendKind: EntityKind<Backend> = {
  typename: 'Backend',
  fragment: BackendFieldsFragmentDoc,
  openParameter: 'show',
  isReadAgain: true,
  // Health and queue are observed values and do not increment the version.
  merge: (known, news) =>
    mergeVersions(known, news, {
      takesSameVersion: true,
      isGone: ({ provisioningStatus }) => provisioningStatus === 'DELETED',
    }),
  label: ({ name }) => name,
};
