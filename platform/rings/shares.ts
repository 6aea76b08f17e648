// How many replicas each cluster should hold: in proportion to its weight, but no two of a partition, and no more of a partition in
// one zone than the number of zones makes necessary. Replicas that one cluster can't hold go to the others by their weights.
import { partitionCount, type RingMember } from './ring.ts';

interface Shares {
  /** By cluster; a fraction. */
  readonly ideal: ReadonlyMap<number, number>;
  /** Replicas of a partition in one zone. */
  readonly mostInZone: number;
}

/** Clusters of equal zones share what the zone can hold. */
export function sharesOf(members: readonly RingMember[], replicas: number): Shares {
  const zones = Map.groupBy(members, ({ zone }) => zone);
  const mostInZone = leastSpread([...zones.values()], replicas);
  const byZone = filled(
    [...zones].map(([zone, each]) => ({
      key: zone,
      weight: each.reduce((sum, { weight }) => sum + weight, 0),
      most: partitionCount * Math.min(mostInZone, each.length),
    })),
    partitionCount * replicas,
  );
  const ideal = new Map<number, number>();
  for (const [zone, each] of zones) {
    const inZone = each.map(({ cluster, weight }) => ({ key: cluster, weight, most: partitionCount }));
    for (const [cluster, share] of filled(inZone, byZone.get(zone) ?? 0)) ideal.set(cluster, share);
  }
  return { ideal, mostInZone };
}

/** The least number a zone for which all zones together hold the replicas of a partition. */
function leastSpread(zones: readonly (readonly RingMember[])[], replicas: number): number {
  for (let most = 1; ; most += 1)
    if (zones.reduce((sum, { length }) => sum + Math.min(most, length), 0) >= replicas) return most;
}

interface Vessel<Key> {
  readonly key: Key;
  readonly weight: number;
  readonly most: number;
}

/** Shares an amount by weight. The part that is too much for one vessel goes to the others. The vessels must be able to hold it all. */
function filled<Key>(vessels: readonly Vessel<Key>[], amount: number): ReadonlyMap<Key, number> {
  const shares = new Map<Key, number>();
  let left = amount;
  let open = [...vessels];
  for (;;) {
    const weight = open.reduce((sum, each) => sum + each.weight, 0);
    const full = open.filter((each) => (left * each.weight) / weight >= each.most);
    if (full.length === 0) {
      for (const each of open) shares.set(each.key, (left * each.weight) / weight);
      return shares;
    }
    for (const each of full) {
      shares.set(each.key, each.most);
      left -= each.most;
    }
    open = open.filter((each) => !full.includes(each));
  }
}
