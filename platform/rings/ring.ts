// A ring maps each partition of a namespace to its clusters. Rings are numbered and never change. A new placement is another ring.
// It is reached in steps, and no step moves two replicas of a partition.
import { hash } from 'node:crypto';

/** 2^12: enough that a cluster's share follows its weight, and few enough that a ring is small. */
export const partitionCount = 4_096;

export interface RingMember {
  /** The cluster's number: 0 to 65534. */
  readonly cluster: number;
  /** Its share of the replicas, relative to the weights of the others. Greater than 0. */
  readonly weight: number;
  /** A failure domain, such as a building. Replicas of a partition are kept in different zones. */
  readonly zone: string;
}

export interface Ring {
  readonly members: readonly RingMember[];
  /** Replicas of each partition. At most as many as there are members. */
  readonly replicas: number;
  /** The clusters of partition p are at `p * replicas` and after. */
  readonly clusters: Uint16Array;
}

/** The partition of a key, such as a container's id: the first 12 bits of its SHA-256. */
export function partitionOf(key: string): number {
  return Number.parseInt(hash('sha256', key).slice(0, 3), 16);
}

export function clustersOfPartition(
  { clusters, replicas }: Pick<Ring, 'clusters' | 'replicas'>,
  partition: number,
): readonly number[] {
  return [...clusters.subarray(partition * replicas, (partition + 1) * replicas)];
}

/** How many replicas each cluster holds. */
export function countsOf({ clusters }: Pick<Ring, 'clusters'>): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const cluster of clusters) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  return counts;
}

/** How many partitions each cluster holds in the second ring and not in the first. Clusters that gain none are left out. */
export function gainsIn(before: Ring, after: Ring): ReadonlyMap<number, number> {
  const gains = new Map<number, number>();
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(before, partition);
    for (const cluster of clustersOfPartition(after, partition))
      if (!held.includes(cluster)) gains.set(cluster, (gains.get(cluster) ?? 0) + 1);
  }
  return gains;
}

/**
 * How many other holders of a partition a holder must have copied to have every acknowledged write of it: each majority without this
 * holder must include one of them.
 */
export function leastOthers(replicas: number): number {
  return replicas - (Math.floor(replicas / 2) + 1);
}

/**
 * Clusters that must have copied everything before the second ring replaces the first, in order: those that gain partitions. With fewer
 * replicas also those that stay, because a write may be only at the others and at the cluster that leaves.
 */
export function copyingIn(before: Ring, after: Ring): readonly number[] {
  const isReduced = after.replicas < before.replicas && leastOthers(before.replicas) > 0;
  const staying = isReduced ? after.clusters : [];
  return [...new Set([...gainsIn(before, after).keys(), ...staying])].sort((one, other) => one - other);
}
