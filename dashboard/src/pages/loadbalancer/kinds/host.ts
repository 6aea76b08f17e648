// The hosts of the nodes. Only administrators see them.
import {
  type LoadBalancerHostFieldsFragment,
  LoadBalancerHostFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Host = LoadBalancerHostFieldsFragment;

export const hostKind: EntityKind<Host> = {
  typename: 'LoadBalancerHost',
  fragment: LoadBalancerHostFieldsFragmentDoc,
  openParameter: 'host',
  isReadAgain: true,
  // The number of nodes and the last message are observed and do not increment the version.
  merge: (known, news) => mergeVersions(known, news, { takesSameVersion: true }),
  label: ({ name }) => name,
};
