// Where the replicas of a name are. While a ring changes there are two groups, and everything needs a majority of each.

export interface Placement {
  /** Rises with each step of a change of rings. A replica refuses requests with an older epoch. */
  readonly epoch: number;
  /** Numbers of clusters: one group, or the groups of both rings during a ring change. */
  readonly groups: readonly (readonly number[])[];
}

export function clustersOf({ groups }: Placement): readonly number[] {
  return [...new Set(groups.flat())];
}

/** Whether these clusters are a majority of each group. */
export function isQuorum({ groups }: Placement, clusters: { has(cluster: number): boolean }): boolean {
  return groups.every((group) => group.filter((cluster) => clusters.has(cluster)).length * 2 > group.length);
}

/** Whether the remaining clusters are less than a majority of some group. Further answers then don't help. */
export function isBeyondQuorum(placement: Placement, without: { has(cluster: number): boolean }): boolean {
  return !isQuorum(placement, { has: (cluster) => !without.has(cluster) });
}
