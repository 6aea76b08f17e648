// The clusters. All of them are listed: there are at most 256.
import {
  type ObjectClusterFieldsFragment,
  ObjectClusterFieldsFragmentDoc,
} from '../../../../../generated/dashboard/graphql.ts';
import type { EntityKind } from '../../../live/entity-kind.ts';
import { mergeVersions } from '../../../live/merge.ts';

export type Cluster = ObjectClusterFieldsFragment;
export type Controller = Cluster['controllers'][number];

export const clusterKind: EntityKind<Cluster> = {
  typename: 'ObjectCluster',
  fragment: ObjectClusterFieldsFragmentDoc,
  openParameter: 'cluster',
  isReadAgain: true,
  // What its controllers tell has no version of its own.
  merge: (known, news) => mergeVersions(known, news, { takesSameVersion: true }),
  label: ({ name }) => name,
};

/** Of several, the one that is heard: each tells the same of its cluster. */
export function teller({ controllers }: Cluster): Controller | undefined {
  return controllers.find(({ isPresent }) => isPresent) ?? controllers[0];
}

/** What is wrong with it, in words; empty: nothing. */
export function troubles(cluster: Cluster): readonly string[] {
  const told = teller(cluster);
  if (told === undefined) return ['no controller has connected yet'];
  if (!cluster.isPresent) return ['no controller is heard'];
  return [
    ...(told.services.some(({ role, isReady }) => role === 'objectserver' && isReady)
      ? []
      : ['no server serves users']),
    ...told.links.flatMap(({ number, isConnected }) => (isConnected ? [] : [`cut off from cluster ${number}`])),
    ...(told.behindDocuments > 0 ? [`${told.behindDocuments} documents behind the centre`] : []),
  ];
}
