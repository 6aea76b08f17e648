// Copies the partitions that this cluster gains in a ring change, or that it lost, and deletes those that it no longer holds.
//
// It copies from the previous holders of a partition once they are in the epoch of this step: from then on nothing can be written there
// with an older epoch. It needs a majority of the holders, because one of a majority has each acknowledged write:
// - their forgotten deletions (the floor), so that this replica can vote;
// - their changes up to the epoch (the followers fetch them);
// - their blobs. A blob that is written in the meantime with an older epoch is not listed, but its writer learns of the new epoch and
// copies it.
//
// If a partition loses a replica, the clusters that stay copy the same from enough of the others, although they already vote: an
// acknowledged write may be only at a majority to which the leaving cluster belongs, and no majority of the smaller group need have it.
//
// A replica that lost its data votes only after it has all of that from more holders: from so many that they meet every majority to which
// this replica itself once belonged.
import type { Logger } from '../../../../platform/log/log.ts';
import { later, noVersion, type Version } from '../../../../platform/registers/version.ts';
import { clustersOfPartition, leastOthers, partitionCount } from '../../../../platform/rings/ring.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { NoBlobError } from '../../engine/blobs/blob-errors.ts';
import type { BlobStore } from '../../engine/blobs/blob-store.ts';
import type { RepairingReader } from '../../engine/blobs/repairing-reader.ts';
import type { FederationMap, KnownRing } from '../../engine/federation/federation-map.ts';
import { messageOf } from '../../engine/message-of.ts';
import { coreRing } from '../../engine/namespace/topology.ts';
import type { ResyncPeer } from '../../engine/peers/resync-calls.ts';
import type { Follower } from '../../engine/store/follower.ts';
import type { Partitions } from '../../engine/store/partitions.ts';
import type { TakeOver } from '../../wire/controller-wire.ts';
import type { OwnBlobs } from './own-blobs.ts';

interface ResyncOptions {
  readonly map: Pick<FederationMap, 'self' | 'rings' | 'held'>;
  readonly partitions: Pick<Partitions, 'of' | 'epochOf' | 'makeReady' | 'clearLeft'>;
  readonly blobs: OwnBlobs;
  readonly reader: Pick<RepairingReader, 'read'>;
  /** The other clusters. */
  readonly others: () => ReadonlyMap<number, OtherCluster>;
  readonly log: Logger;
  /** Default 250. */
  readonly pauseMs?: number;
  /** A reader with an older ring still finds blobs that were left behind for this long; default 1 minute. */
  readonly leavingMs?: number | undefined;
}

interface OtherCluster {
  readonly peer: ResyncPeer;
  readonly blobs: BlobStore;
  readonly follower: Pick<Follower, 'hasAll'>;
}

/** The clusters from which a partition is copied, and how many of them must be complete. */
interface Sources {
  readonly from: readonly number[];
  readonly least: number;
}

const usualPauseMs = 250;
/** The document of a ring ends the pause. */
const idlePauseMs = 5_000;
const usualLeavingMs = 60_000;
/** Late arrivals in a partition that was left are deleted then. */
const leftAgainMs = 600_000;
const blobsAtOnce = 8;
const pageSize = 1_000;

export class Resync {
  readonly #options: ResyncOptions;
  readonly #loop: Loop;
  readonly #steps = new Map<number, RingStep>();
  readonly #leaving = new Map<number, Leaving>();
  #isBusy = true;

  constructor(options: ResyncOptions) {
    this.#options = options;
    const { log, pauseMs = usualPauseMs } = options;
    this.#loop = new Loop({
      ...{ log, name: 'change of rings', pauseMs: () => (this.#isBusy ? pauseMs : idlePauseMs) },
      run: (signal) => this.#run(signal),
    });
  }

  start(): void {
    this.#loop.start();
  }

  /** A ring has a new epoch. */
  trigger(): void {
    this.#loop.trigger();
  }

  stop(): Promise<void> {
    return this.#loop.stop();
  }

  /** Progress for each ring of which it copies partitions in the current epoch. */
  progress(): readonly TakeOver[] {
    return [...this.#steps.values()].map((step) => step.progress());
  }

  async #run(signal: AbortSignal): Promise<boolean> {
    const { map, partitions } = this.#options;
    this.#isBusy = false;
    for (const [ring, known] of map.rings()) {
      if (signal.aborted) return false;
      const step = this.#step(ring, known);
      const isTaking = step !== undefined && !step.isDone;
      const leaving = known.groups.length === 1 ? this.#leavingOf(ring, known.epoch) : undefined;
      if (!isTaking && !leaving?.isDue) continue;
      this.#isBusy = true;
      // Not before this cluster is in the epoch: only then do the followers fetch the changes, and replicas refuse older epochs.
      if ((await partitions.epochOf(ring)) !== known.epoch) continue;
      if (isTaking) await step.advance(signal);
      if (leaving?.isDue) await this.#leave(ring, leaving, signal);
    }
    for (const ring of this.#steps.keys()) if (!map.rings().has(ring)) this.#steps.delete(ring);
    return false;
  }

  #step(ring: number, known: KnownRing): RingStep | undefined {
    const before = this.#steps.get(ring);
    if (before?.epoch === known.epoch) return before;
    const taken = takenOver(known, this.#options.map.self);
    const wanted = taken.size === 0 ? completed(known, this.#options.map.self) : taken;
    if (wanted.size === 0) {
      this.#steps.delete(ring);
      return undefined;
    }
    const step = new RingStep(this.#options, {
      ring,
      epoch: known.epoch,
      wanted,
      isRecovery: known.groups.length === 1,
      isStaying: taken.size === 0,
    });
    this.#steps.set(ring, step);
    return step;
  }

  #leavingOf(ring: number, epoch: number): Leaving {
    const { leavingMs = usualLeavingMs } = this.#options;
    const known = this.#leaving.get(ring);
    if (known?.epoch === epoch) return known;
    const leaving = new Leaving(epoch, leavingMs);
    this.#leaving.set(ring, leaving);
    return leaving;
  }

  async #leave(ring: number, leaving: Leaving, signal: AbortSignal): Promise<void> {
    const { partitions } = this.#options;
    while (!leaving.rowsAreGone && !signal.aborted) leaving.rowsAreGone = (await partitions.clearLeft(ring)) === 0;
    if (!leaving.blobsAreDue) return;
    if (ring !== coreRing) await this.#deleteBlobs(ring, leaving.epoch, signal);
    leaving.blobsFromMs = performance.now() + leftAgainMs;
  }

  async #deleteBlobs(ring: number, epoch: number, signal: AbortSignal): Promise<void> {
    const { map, partitions, blobs, log } = this.#options;
    const held = map.held(ring);
    let deleted = 0;
    for (const partition of await blobs.partitions(ring)) {
      if (held.has(partition)) continue;
      // Another process of this cluster may be ahead, and may be copying the partition again.
      if ((await partitions.epochOf(ring)) !== epoch) break;
      for (const { id } of await allBlobs(blobs, ring, partition)) {
        if (signal.aborted) return;
        await blobs.delete(id);
        deleted += 1;
      }
    }
    if (deleted > 0) log.info({ ring, deleted }, 'deleted blobs of partitions that this cluster has left');
  }
}

/** Remains of a ring, since the epoch in which they were left. */
class Leaving {
  readonly epoch: number;
  blobsFromMs: number;
  rowsAreGone = false;

  constructor(epoch: number, afterMs: number) {
    this.epoch = epoch;
    this.blobsFromMs = performance.now() + afterMs;
  }

  get isDue(): boolean {
    return !this.rowsAreGone || this.blobsAreDue;
  }

  get blobsAreDue(): boolean {
    return performance.now() >= this.blobsFromMs;
  }
}

/** By partition, what a cluster copies in this epoch. */
export function takenOver(
  { groups, recovering }: Pick<KnownRing, 'groups' | 'recovering'>,
  self: number,
): ReadonlyMap<number, Sources> {
  const wanted = new Map<number, Sources>();
  const [before, after] = groups;
  if (before === undefined) return wanted;
  if (after === undefined && !recovering.includes(self)) return wanted;
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(before, partition);
    const majority = Math.floor(held.length / 2) + 1;
    if (after !== undefined) {
      if (held.includes(self) || !clustersOfPartition(after, partition).includes(self)) continue;
      wanted.set(partition, { from: held, least: majority });
    } else if (held.includes(self))
      wanted.set(partition, { from: held.filter((cluster) => cluster !== self), least: held.length + 1 - majority });
  }
  return wanted;
}

/** By partition that loses a replica in this epoch, what a cluster that stays copies from the others. */
function completed({ groups }: Pick<KnownRing, 'groups'>, self: number): ReadonlyMap<number, Sources> {
  const wanted = new Map<number, Sources>();
  const [before, after] = groups;
  if (before === undefined || after === undefined || after.replicas >= before.replicas) return wanted;
  const least = leastOthers(before.replicas);
  if (least === 0) return wanted;
  for (let partition = 0; partition < partitionCount; partition += 1) {
    const held = clustersOfPartition(before, partition);
    if (held.includes(self) && clustersOfPartition(after, partition).includes(self))
      wanted.set(partition, { from: held.filter((cluster) => cluster !== self), least });
  }
  return wanted;
}

interface StepWish {
  readonly ring: number;
  readonly epoch: number;
  readonly wanted: ReadonlyMap<number, Sources>;
  /** This replica lost its data. */
  readonly isRecovery: boolean;
  /** This replica has the partitions already, and votes. */
  readonly isStaying: boolean;
}

/** The copying of one ring in one epoch. */
class RingStep {
  readonly epoch: number;
  readonly #options: ResyncOptions;
  readonly #wish: StepWish;
  /** By cluster that is in the epoch: its floors, by partition. */
  readonly #floors = new Map<number, ReadonlyMap<number, Version>>();
  /** By cluster that is in the epoch: partitions where it has blobs. */
  readonly #withBlobs = new Map<number, ReadonlySet<number>>();
  readonly #ready = new Set<number>();
  readonly #withRegisters = new Set<number>();
  /** By partition: clusters of which all blobs are here. */
  readonly #copied = new Map<number, Set<number>>();
  #movedBytes = 0;
  #message: string | null = null;

  constructor(options: ResyncOptions, wish: StepWish) {
    this.#options = options;
    this.#wish = wish;
    this.epoch = wish.epoch;
  }

  progress(): TakeOver {
    const { ring, epoch, wanted } = this.#wish;
    const left = [...wanted].filter(([partition]) => !this.#isPartitionDone(partition)).length;
    return {
      ...{ ring, epoch, partitions: wanted.size, left, movedBytes: this.#movedBytes },
      message: left === 0 ? null : this.#message,
    };
  }

  get isDone(): boolean {
    return [...this.#wish.wanted.keys()].every((partition) => this.#isPartitionDone(partition));
  }

  async advance(signal: AbortSignal): Promise<void> {
    this.#message = null;
    await this.#hear();
    this.#lookAtRegisters();
    if (this.#wish.isStaying) await this.#seeReady();
    else await this.#makeReady();
    if (this.#wish.ring !== coreRing) await this.#copyBlobs(signal);
  }

  #isPartitionDone(partition: number): boolean {
    return (
      this.#ready.has(partition) &&
      this.#withRegisters.has(partition) &&
      (this.#wish.ring === coreRing || this.#hasBlobs(partition))
    );
  }

  #hasBlobs(partition: number): boolean {
    return (this.#copied.get(partition)?.size ?? 0) >= this.#sources(partition).least;
  }

  #sources(partition: number): Sources {
    return this.#wish.wanted.get(partition) ?? { from: [], least: Number.POSITIVE_INFINITY };
  }

  /** Sources that are known to be in the epoch. */
  #entered(partition: number): readonly number[] {
    return this.#sources(partition).from.filter((cluster) => this.#floors.get(cluster)?.has(partition));
  }

  /** Asks sources that are not known to be in the epoch yet. */
  async #hear(): Promise<void> {
    const { ring, epoch, wanted } = this.#wish;
    const others = this.#options.others();
    const lacking = new Set(
      [...wanted].flatMap(([partition, { from }]) =>
        from.filter((cluster) => this.#floors.get(cluster)?.has(partition) !== true),
      ),
    );
    await Promise.all(
      [...lacking].map(async (cluster) => {
        try {
          const peer = others.get(cluster)?.peer;
          if (peer === undefined) throw new Error('it has no address');
          const floors = await peer.floors(ring, epoch);
          if (floors.length === 0) throw new Error(`it is not in epoch ${epoch} of ring ${ring} yet`);
          // In this order: blobs are listed only after the source is in the epoch.
          if (ring !== coreRing) this.#withBlobs.set(cluster, new Set(await peer.blobPartitions(ring)));
          this.#floors.set(cluster, new Map(floors.map(({ partition, floor }) => [partition, floor])));
        } catch (error) {
          this.#failed(cluster, error);
        }
      }),
    );
  }

  #lookAtRegisters(): void {
    const { ring, epoch, wanted } = this.#wish;
    const others = this.#options.others();
    for (const [partition, { least }] of wanted) {
      if (this.#withRegisters.has(partition)) continue;
      const whole = this.#entered(partition).filter((cluster) =>
        others.get(cluster)?.follower.hasAll({ ring, partition }, epoch),
      );
      if (whole.length >= least) this.#withRegisters.add(partition);
    }
  }

  async #makeReady(): Promise<void> {
    const { ring, epoch, wanted, isRecovery } = this.#wish;
    const { partitions } = this.#options;
    const may = [...wanted].flatMap(([partition, { least }]) => {
      const entered = this.#entered(partition);
      if (this.#ready.has(partition) || entered.length < least) return [];
      if (isRecovery && !this.#withRegisters.has(partition)) return [];
      const floor = entered.map((cluster) => this.#floors.get(cluster)?.get(partition) ?? noVersion).reduce(later);
      return [{ ring, epoch, partition, floor }];
    });
    await partitions.makeReady(may);
    for (const { partition } of may) this.#ready.add(partition);
  }

  /** A replica that does not vote, because it is new or lost its data, holds the step up. */
  async #seeReady(): Promise<void> {
    const { ring, epoch, wanted } = this.#wish;
    if (this.#ready.size === wanted.size) return;
    for (const state of await this.#options.partitions.of(ring))
      if (state.isReady && state.epoch === epoch && wanted.has(state.partition)) this.#ready.add(state.partition);
  }

  async #copyBlobs(signal: AbortSignal): Promise<void> {
    for (const [partition, { least }] of this.#wish.wanted) {
      const copied = this.#copied.get(partition) ?? new Set<number>();
      this.#copied.set(partition, copied);
      for (const cluster of this.#entered(partition)) {
        // A pause arrives with the document of the ring, so it is noticed soon.
        if (signal.aborted || this.#isPaused()) return;
        if (copied.size >= least || copied.has(cluster)) continue;
        try {
          if (this.#withBlobs.get(cluster)?.has(partition)) await this.#copy(cluster, partition, signal);
          copied.add(cluster);
        } catch (error) {
          signal.throwIfAborted();
          this.#failed(cluster, error);
        }
      }
    }
  }

  #isPaused(): boolean {
    const known = this.#options.map.rings().get(this.#wish.ring);
    return known === undefined || known.isPaused || known.epoch !== this.epoch;
  }

  /** Copies all blobs of a partition that a cluster has and this one lacks. */
  async #copy(cluster: number, partition: number, signal: AbortSignal): Promise<void> {
    const { blobs, others } = this.#options;
    const { ring } = this.#wish;
    const from = others().get(cluster)?.blobs;
    if (from === undefined) throw new Error('it has no address');
    const own = new Set((await allBlobs(blobs, ring, partition)).map(({ id }) => id));
    const missing = (await allBlobs(from, ring, partition)).filter(({ id }) => !own.has(id));
    for (let at = 0; at < missing.length; at += blobsAtOnce) {
      if (this.#isPaused()) throw new Error('it is paused');
      await Promise.all(missing.slice(at, at + blobsAtOnce).map((blob) => this.#copyOne(cluster, blob, signal)));
    }
  }

  async #copyOne(cluster: number, { id, place }: CopiedBlob, signal: AbortSignal): Promise<void> {
    const { blobs, reader, others } = this.#options;
    const sources = [cluster, ...this.#sources(place.partition).from.filter((each) => each !== cluster)].flatMap(
      (each) => {
        const store = others().get(each)?.blobs;
        return store === undefined ? [] : [{ cluster: each, store }];
      },
    );
    try {
      const { body } = await reader.read(sources, id);
      const { sizeBytes } = await blobs.write(id, place, body, signal);
      this.#movedBytes += sizeBytes;
    } catch (error) {
      // It was deleted in the meantime: nothing refers to it any more.
      if (!(error instanceof NoBlobError)) throw error;
    }
  }

  #failed(cluster: number, error: unknown): void {
    const { ring, epoch } = this.#wish;
    this.#message = `cluster ${cluster}: ${messageOf(error)}`;
    this.#options.log.debug({ err: error, cluster, ring, epoch }, 'cannot copy a ring from a cluster yet');
  }
}

type CopiedBlob = Awaited<ReturnType<BlobStore['list']>>[number];

async function allBlobs(
  store: Pick<BlobStore, 'list'>,
  ring: number,
  partition: number,
): Promise<readonly CopiedBlob[]> {
  const all: CopiedBlob[] = [];
  for (;;) {
    const page = await store.list(ring, partition, all.at(-1)?.id ?? '', pageSize);
    all.push(...page);
    if (page.length < pageSize) return all;
  }
}
