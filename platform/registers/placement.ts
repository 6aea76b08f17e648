// Where the replicas of a name are. While a ring changes there are two groups, and everything needs a majority of each.

export interface Placement {
  /** Rises with each step of a change of rings. A replica refuses what comes with an older one. */
  readonly epoch: number;
  /** Numbers of clusters: one group, or while a change is under way those of both rings. */
  readonly groups: readonly (readonly number[])[];
}

export function clustersOf({ groups }: Placement): readonly number[] {
  return [...new Set(groups.flat())];
}

/** Whether these clusters are a majority of each group. */
export function isQuorum({ groups }: Placement, clusters: { has(cluster: number): boolean }): boolean {
  return groups.every((group) => group.filter((cluster) => clusters.has(cluster)).length * 2 > group.length);
}

/** Whether the clusters left are no majority of some group: then no more answers help. */
export function isBeyondQuorum(placement: Placement, without: { has(cluster: number): boolean }): boolean {
  return !isQuorum(placement, { has: (cluster) => !without.has(cluster) });
}
