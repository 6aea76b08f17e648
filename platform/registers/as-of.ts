// How old the data of one replica can be at most. An acknowledged write is at a majority of each group. So if a set of clusters
// leaves less than a majority outside it, at least one cluster of the set has the write.
import type { Placement } from './placement.ts';

/**
 * `asOf` returns the time up to which all data of a cluster is here, or undefined if none is. The result is the latest time before
 * which all acknowledged data is here, or undefined if there is none.
 */
export function asOfAll({ groups }: Placement, asOf: (cluster: number) => number | undefined): number | undefined {
  let least: number | undefined = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const known = group.flatMap((cluster) => asOf(cluster) ?? []).sort((one, other) => other - one);
    const majority = Math.floor(group.length / 2) + 1;
    // With this many clusters, the others are one less than a majority.
    const last = known[group.length - majority];
    if (last === undefined) return undefined;
    least = Math.min(least, last);
  }
  return Number.isFinite(least) ? least : undefined;
}
