// The filters of the page of object storage.
import {
  containsWords,
  type FilterControl,
  type FilterFormat,
  type Filters,
  formatFilters,
  parseFilters,
  toSearch,
} from '../../filters/filters.ts';
import { type Cluster, troubles } from './kinds/cluster.ts';
import { kinds } from './kinds.ts';

export type ObjectControl = FilterControl;

export const filterFormat: FilterFormat<Filters> = {
  parse: (search) => parseFilters(new URLSearchParams(search), kinds),
  format(filters) {
    const params = new URLSearchParams();
    formatFilters(filters, kinds, params);
    return toSearch(params);
  },
};

export function matchesCluster({ text }: Filters, cluster: Cluster): boolean {
  return containsWords(text, [cluster.name, cluster.zone, cluster.site, cluster.state, ...troubles(cluster)]);
}
