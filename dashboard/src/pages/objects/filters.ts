// The filters of the page of object storage.
import { containsWords, type FilterControl, type Filters, plainFormat } from '../../filters/filters.ts';
import { type Cluster, troubles } from './kinds/cluster.ts';
import { kinds } from './kinds.ts';

export type ObjectControl = FilterControl;

export const filterFormat = plainFormat(kinds);

export function matchesCluster({ text }: Filters, cluster: Cluster): boolean {
  return containsWords(text, [
    cluster.name,
    cluster.zone,
    cluster.site ?? '',
    cluster.clusterState,
    ...troubles(cluster),
  ]);
}
