// How old what one replica has can be at most. Whatever was acknowledged is at a majority of each group. So it is at one of some clusters, if those
// that are left are no majority.
import type { Placement } from './placement.ts';

/**
 * `asOf` says of a cluster up to which moment all that it had is here; undefined: of none. The result is the latest moment before which all that
 * was acknowledged is here; undefined: there is none.
 */
export function asOfAll({ groups }: Placement, asOf: (cluster: number) => number | undefined): number | undefined {
  let least: number | undefined = Number.POSITIVE_INFINITY;
  for (const group of groups) {
    const known = group.flatMap((cluster) => asOf(cluster) ?? []).sort((one, other) => other - one);
    const majority = Math.floor(group.length / 2) + 1;
    // With so many of them those that are left are one less than a majority.
    const last = known[group.length - majority];
    if (last === undefined) return undefined;
    least = Math.min(least, last);
  }
  return Number.isFinite(least) ? least : undefined;
}
