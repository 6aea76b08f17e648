// Computes the wanted rings, and makes them directly while nothing is stored yet.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import { firstRing, type RingWish } from '../../../../platform/rings/next-ring.ts';
import type { Ring } from '../../../../platform/rings/ring.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { objectEvents } from '../events.ts';
import { type ClusterRow, liveClusters } from '../stores/cluster-store.ts';
import type { Federation } from '../stores/federation-store.ts';
import { liveOptions, type OptionWish } from '../stores/option-store.ts';
import { coreRing, insertRing, presentRings } from '../stores/ring-store.ts';
import { tellClusters, tellOptions, tellRing } from '../stores/wanted-documents.ts';

/** Each option has a ring, and all rings may have to be made in one transaction. */
export const mostOptions = 64;

/** The ring of accounts and containers: all clusters hold it. */
const coreWish: Pick<OptionWish, 'replicas' | 'clusterIds'> = { replicas: 3, clusterIds: [] };

/** The wanted core ring and the wanted rings of options, by number. */
export async function wantedRings(
  sql: Sql,
): Promise<readonly (Pick<OptionWish, 'replicas' | 'clusterIds'> & { readonly number: number })[]> {
  return [{ number: coreRing, ...coreWish }, ...(await liveOptions(sql))];
}

/** The list of members may be empty. */
export function ringWish(
  clusters: readonly ClusterRow[],
  { replicas, clusterIds }: Pick<OptionWish, 'replicas' | 'clusterIds'>,
): RingWish {
  const members = clusters
    .filter(({ id, state }) => state === 'ACTIVE' && (clusterIds.length === 0 || clusterIds.includes(id)))
    .map(({ number, weight, zone }) => ({ cluster: number, weight, zone }));
  return { members, replicas };
}

/**
 * Applies a change of clusters or options, in the transaction that has locked the federation. Makes missing rings and publishes the change
 * to the clusters. As long as no cluster can hold data, also rebuilds rings that no longer match.
 */
export async function followWish(tx: Transaction, wake: Wake, federation: Federation): Promise<void> {
  // First, because a ring names clusters and an option has a ring.
  await tellClusters(tx, wake);
  await makeRings(tx, wake, federation);
  await tellOptions(tx, wake);
}

async function makeRings(tx: Transaction, wake: Wake, { inUse }: Federation): Promise<void> {
  const clusters = await liveClusters(tx);
  const wishes = await wantedRings(tx);
  const rings = await presentRings(
    tx,
    wishes.map(({ number }) => number),
  );
  for (const wanted of wishes) {
    const ring = rings.get(wanted.number);
    const wish = ringWish(clusters, wanted);
    if (wish.members.length === 0 || (ring !== undefined && (inUse || isAsWished(ring, wish)))) continue;
    const made = { number: wanted.number, epoch: (ring?.epoch ?? 0) + 1, ring: firstRing(wish) };
    const id = await insertRing(tx, made.number, made.epoch, made.ring);
    await tellRing(tx, wake, { ...made, isEmpty: true });
    await tellMade(tx, wake, id);
  }
}

/** Publishes a new ring, by its UUID. */
export async function tellMade(tx: Transaction, wake: Wake, id: string): Promise<void> {
  const event = { projectId: null, subjectId: id, subjectVersion: 1, from: null, to: 'MADE' } as const;
  await appendStatus(tx, objectEvents, [{ ...event, kind: 'objectRing.epoch' }], wake);
}

/** True if a wish made this ring as its first one. */
function isAsWished(ring: Ring, { members, replicas }: RingWish): boolean {
  return (
    ring.replicas === Math.min(replicas, members.length) && JSON.stringify(ring.members) === JSON.stringify(members)
  );
}
