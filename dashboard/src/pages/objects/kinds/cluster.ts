// The clusters. The page lists all clusters: there are at most 256.
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
  // Reports of its controllers have no version of their own.
  merge: (known, news) => mergeVersions(known, news, { takesSameVersion: true }),
  label: ({ name }) => name,
};

/** The connected controller if there are several: all report the same about their cluster. */
export function teller({ controllers }: Cluster): Controller | undefined {
  return controllers.find(({ presence }) => presence === 'PRESENT') ?? controllers[0];
}

/** Problems of the cluster as text. Empty if there are none. */
export function troubles(cluster: Cluster): readonly string[] {
  const told = teller(cluster);
  if (told === undefined) return ['no controller has connected yet'];
  if (cluster.presence !== 'PRESENT') return ['no controller is connected'];
  return [
    ...(told.services.some(({ role, ready }) => role === 'objectserver' && ready)
      ? []
      : ['no server is ready for users']),
    ...told.links.flatMap(({ number, connected }) => (connected ? [] : [`cut off from cluster ${number}`])),
    ...(told.behindDocuments > 0 ? [`${told.behindDocuments} documents behind the control plane`] : []),
  ];
}
