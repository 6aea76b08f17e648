// Checks a ring from outside, by its partitions alone.
import { nextRing, type RingWish } from '../../../platform/rings/next-ring.ts';
import { clustersOfPartition, countsOf, partitionCount, type Ring } from '../../../platform/rings/ring.ts';
import { sharesOf } from '../../../platform/rings/shares.ts';

/** Faults of a single ring. */
export function faultsOf(ring: Ring, wish: RingWish): readonly string[] {
  const { mostInZone } = sharesOf(wish.members, ring.replicas);
  const zones = new Map(wish.members.map(({ cluster, zone }) => [cluster, zone]));
  const faults: string[] = [];
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(ring, partition);
    if (new Set(held).size !== held.length) faults.push(`${partition}: twice on a cluster`);
    const byZone = Map.groupBy(held, (cluster) => zones.get(cluster));
    if (byZone.has(undefined)) faults.push(`${partition}: on no member`);
    for (const each of byZone.values()) if (each.length > mostInZone) faults.push(`${partition}: zone ${each.join()}`);
  }
  return faults;
}

/** The difference between a cluster's share and its weight, beyond one replica. */
export function deviationOf(ring: Ring, wish: RingWish): number {
  const counts = countsOf(ring);
  const deviations = [...sharesOf(wish.members, ring.replicas).ideal].map(
    ([cluster, share]) => Math.max(0, Math.abs((counts.get(cluster) ?? 0) - share) - 1) / share,
  );
  return Math.max(...deviations);
}

/** The share that moves to clusters that did not hold it. */
export function movedIn(before: Ring, after: Ring): { readonly share: number; readonly mostOfPartition: number } {
  let moved = 0;
  let mostOfPartition = 0;
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = new Set(clustersOfPartition(before, partition));
    const come = clustersOfPartition(after, partition).filter((cluster) => !held.has(cluster)).length;
    moved += come;
    mostOfPartition = Math.max(mostOfPartition, come);
  }
  return { share: moved / after.clusters.length, mostOfPartition };
}

/** The steps from a ring to the wanted one, starting with the ring itself. */
export function settled(ring: Ring, wish: RingWish): readonly Ring[] {
  const rings = [ring];
  for (let step = 0; step < 20; step += 1) {
    const next = nextRing(rings.at(-1) as Ring, wish);
    if (next === undefined) return rings;
    rings.push(next);
  }
  throw new Error('the ring never settles');
}
