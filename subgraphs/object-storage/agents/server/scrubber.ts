// Keeps the cluster's blobs whole. Changed names are checked soon: if the blob of a name is missing, because this cluster was away when it
// was written, it is copied from another cluster. In addition, all blobs are slowly read and all names checked again, so that blobs that
// the disk has lost or corrupted are found and copied while another cluster has them.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../../platform/log/log.ts';
import { clustersOf } from '../../../../platform/registers/placement.ts';
import { timeOf } from '../../../../platform/registers/version.ts';
import { partitionCount } from '../../../../platform/rings/ring.ts';
import { Loop } from '../../../../platform/work/loop.ts';
import { BlobDamagedError, NoBlobError } from '../../engine/blobs/blob-errors.ts';
import type { BlobFolder } from '../../engine/blobs/blob-folder.ts';
import { before, partitionOfBlob } from '../../engine/blobs/blob-id.ts';
import type { BlobStore } from '../../engine/blobs/blob-store.ts';
import { giveBack } from '../../engine/blobs/block-buffers.ts';
import type { BlobSources, RepairingReader } from '../../engine/blobs/repairing-reader.ts';
import type { FederationMap } from '../../engine/federation/federation-map.ts';
import { blobsOf } from '../../engine/namespace/values.ts';
import type { Counters } from '../../engine/store/counters.ts';
import type { NamedBlobs } from '../../engine/store/named-blobs.ts';
import type { Place } from '../../engine/store/partition-state.ts';

export interface ScrubberOptions {
  /** This cluster's number. */
  readonly self: number;
  readonly map: Pick<FederationMap, 'known' | 'rings'>;
  readonly named: Pick<NamedBlobs, 'partitions' | 'after'>;
  readonly counters: Pick<Counters, 'read' | 'raise'>;
  /** This cluster's disk. */
  readonly blobs: Pick<BlobFolder, 'ids' | 'read' | 'check'> & BlobStore;
  /** Blobs of another cluster. Undefined if that cluster is unknown. */
  readonly peer: (cluster: number) => BlobStore | undefined;
  readonly reader: Pick<RepairingReader, 'repair'>;
  readonly log: Logger;
  /** Whether this process should do it now, rather than another server of the cluster. */
  readonly isMine?: (work: 'look for missing blobs' | 'read all blobs') => Promise<boolean>;
  readonly nowMs?: () => number;
  /** Highest read rate from the disk. 0: blobs are not read. Default 4 MiB. */
  readonly bytesPerSecond?: number;
  /** Shortest time for one pass over all partitions; default 14 days. */
  readonly passMs?: number;
  /** Pause between two checks of changed names; default 30 s. */
  readonly lookMs?: number;
  /** Younger blobs may still be on their way here; default 1 minute. */
  readonly youngMs?: number;
}

/** Counts since the start of the process. */
export interface ScrubFigures {
  readonly readBlobs: number;
  readonly readBytes: number;
  readonly damaged: number;
  /** Blobs of a name that a cluster should have and lacks. */
  readonly missing: number;
  readonly repaired: number;
  /** Damaged or missing blobs that no other cluster could supply yet. */
  readonly unrepaired: number;
  /** Progress of the current pass, 0 to 1. */
  readonly passed: number;
}

const usualScrubBytesPerSecond = 4 * 1024 * 1024;
const usualScrubPassMs = 14 * 86_400_000;
const usualLookMs = 30_000;
const usualYoungMs = 60_000;
/** While another server of the cluster does the work: how often to check whether that one has died. */
const askedAgainMs = 5_000;
const namesAtOnce = 100;
/** Pause after each full page of names, to leave the machine to users. */
const namesPauseMs = 50;
/** Blobs beyond this number are checked again in the next pass. */
const mostUnrepaired = 10_000;
/** Counter with the number of the next partition, over all passes. */
const positionName = 'scrub';

/** Names to check again, because a cluster that should have one of their blobs could not be asked. */
interface Unasked extends Place {
  /** Number of the last change before them. */
  readonly from: number;
}

/** A blob that could not be repaired, and the change that names it. Once the name changes, the blob is no longer needed. */
interface Unrepaired extends Place {
  readonly change: number;
}

export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #look: Loop;
  readonly #scrub: Loop;
  /** By partition, the number of the last checked change. */
  readonly #seen = new Map<string, number>();
  /** By id. Undefined if it was found by reading the disk and not through a name. */
  readonly #unrepaired = new Map<string, Unrepaired | undefined>();
  /** By obstacle, then by partition: a cluster that does not answer, or a ring that is changing. */
  readonly #unasked = new Map<string, Map<string, Unasked>>();
  #nextAtMs = 0;
  #figures = { readBlobs: 0, readBytes: 0, damaged: 0, missing: 0, repaired: 0, passed: 0 };

  constructor(options: ScrubberOptions) {
    this.#options = options;
    const { log, isMine = async () => true, lookMs = usualLookMs } = options;
    this.#look = new Loop({
      ...{ log, name: 'look for missing blobs', pauseMs: () => lookMs },
      run: async (signal) => (await isMine('look for missing blobs')) && this.look(signal),
    });
    this.#scrub = new Loop({
      ...{ log, name: 'read all blobs', pauseMs: () => Math.max(1, this.#nextAtMs - performance.now()) },
      run: async (signal) => {
        if (await isMine('read all blobs')) return this.#step(signal);
        this.#nextAtMs = performance.now() + askedAgainMs;
        return false;
      },
    });
  }

  get figures(): ScrubFigures {
    return { ...this.#figures, unrepaired: this.#unrepaired.size };
  }

  start(): void {
    this.#look.start();
    this.#scrub.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#look.stop(), this.#scrub.stop()]);
  }

  /** Checks the names that changed since the last time. */
  async look(signal: AbortSignal): Promise<false> {
    for (const [id, unrepaired] of [...this.#unrepaired]) {
      if (signal.aborted) return false;
      if (unrepaired !== undefined) await this.#again(id, unrepaired);
    }
    for (const { ring, partition, changes } of await this.#options.named.partitions()) {
      if (signal.aborted) return false;
      const id = `${ring}/${partition}`;
      const seen = this.#seen.get(id) ?? 0;
      if (seen < changes) this.#seen.set(id, await this.#lookAt({ ring, partition }, seen, changes, signal));
    }
    for (const waitsFor of [...this.#unasked.keys()]) await this.#askAgain(waitsFor, signal);
    return false;
  }

  /** Checks names again whose blobs were blocked by this obstacle, up to the first that still is. */
  async #askAgain(waitsFor: string, signal: AbortSignal): Promise<void> {
    const places = this.#unasked.get(waitsFor) ?? new Map<string, Unasked>();
    for (const [id, unasked] of [...places]) {
      if (signal.aborted) return;
      places.delete(id);
      await this.#lookAt(unasked, unasked.from, 0, signal, waitsFor);
      if (places.has(id)) return;
    }
  }

  /** Reads the blobs of one partition, and checks all of its names. */
  async scrub({ ring, partition }: Place, signal: AbortSignal): Promise<void> {
    await this.#lookAt({ ring, partition }, 0, 0, signal);
    for (const id of await this.#options.blobs.ids(ring, partition)) {
      if (signal.aborted) return;
      await this.#read(id, signal);
    }
  }

  async #step(signal: AbortSignal): Promise<boolean> {
    const { map, counters, bytesPerSecond = usualScrubBytesPerSecond, passMs = usualScrubPassMs } = this.#options;
    const rings = [...map.rings().keys()].filter((ring) => ring !== 0);
    const count = rings.length * partitionCount;
    const beganMs = performance.now();
    this.#nextAtMs = beganMs + passMs / Math.max(partitionCount, count);
    if (count === 0 || bytesPerSecond === 0) return false;
    for (const [id, unrepaired] of this.#unrepaired)
      if (unrepaired === undefined) {
        // One at a time: each is read to its end.
        await this.#read(id, signal);
        break;
      }
    const position = await counters.read(positionName);
    const at = position % count;
    const ring = rings.toSorted((one, other) => one - other)[Math.floor(at / partitionCount)] ?? 0;
    await this.scrub({ ring, partition: at % partitionCount }, signal);
    if (signal.aborted) return false;
    await counters.raise(positionName, position + 1);
    this.#figures.passed = (at + 1) / count;
    return performance.now() >= this.#nextAtMs;
  }

  /** Returns the number of the last change that need not be checked again. `until`: stops when this obstacle blocks a name. */
  async #lookAt(
    { ring, partition }: Place,
    from: number,
    changes: number,
    signal: AbortSignal,
    until?: string,
  ): Promise<number> {
    const { named, nowMs = Date.now, youngMs = usualYoungMs } = this.#options;
    const place = { ring, partition };
    for (let after = from; ; ) {
      const page = await named.after(place, after, namesAtOnce);
      for (const { change, version, value } of page) {
        // A version further ahead comes from a clock that was wrong, and may be old.
        if (signal.aborted || Math.abs(nowMs() - timeOf(version)) < youngMs) return after;
        for (const { id } of blobsOf(value)) {
          const waitsFor = await this.#check(id, { ...place, change });
          for (const each of waitsFor) this.#leave(each, { ...place, from: change - 1 });
          if (until !== undefined && waitsFor.includes(until)) return after;
        }
        after = change;
      }
      if (page.length < namesAtOnce) return Math.max(after, changes);
      await sleep(namesPauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  #leave(waitsFor: string, unasked: Unasked): void {
    const places = this.#unasked.get(waitsFor) ?? new Map<string, Unasked>();
    this.#unasked.set(waitsFor, places);
    const id = `${unasked.ring}/${unasked.partition}`;
    if (unasked.from < (places.get(id)?.from ?? Number.POSITIVE_INFINITY)) places.set(id, unasked);
  }

  /**
   * Checks whether the blob is at all clusters that should have it. Each cluster checks its own disk; one without a disk checks those of
   * the others.
   * @returns the obstacles after which to check again
   */
  async #check(id: string, named: Unrepaired): Promise<readonly string[]> {
    const { self, blobs } = this.#options;
    const { ring, partition } = partitionOfBlob(id);
    const sources = this.#sources(id);
    if (sources === 'CHANGING') return [`ring ${ring}`];
    if (sources.some(({ cluster }) => cluster === self)) {
      const fault = await blobs.check(id).then(
        () => undefined,
        (error: unknown) => error,
      );
      if (fault !== undefined) await this.#mend(id, self, fault, named);
      return [];
    }
    const unasked: string[] = [];
    for (const { cluster, store } of sources) {
      const listed = await store.list(ring, partition, before(id), 1).catch(() => undefined);
      if (listed === undefined) unasked.push(`cluster ${cluster}`);
      else if (listed[0]?.id !== id) await this.#mend(id, cluster, new NoBlobError(id), named);
    }
    return unasked;
  }

  async #again(id: string, unrepaired: Unrepaired): Promise<void> {
    const { ring, partition, change } = unrepaired;
    const [naming] = await this.#options.named.after({ ring, partition }, change - 1, 1);
    this.#unrepaired.delete(id);
    const isNamed = naming?.change === change && blobsOf(naming.value).some((blob) => blob.id === id);
    if (!isNamed) return;
    for (const each of await this.#check(id, unrepaired)) this.#leave(each, { ring, partition, from: change - 1 });
  }

  async #read(id: string, signal: AbortSignal): Promise<void> {
    const { self, blobs } = this.#options;
    try {
      const { body } = await blobs.read(id);
      for await (const chunk of body) {
        this.#figures.readBytes += chunk.length;
        giveBack(chunk);
        await this.#pace(chunk.length, signal);
        if (signal.aborted) return;
      }
      this.#figures.readBlobs += 1;
    } catch (error) {
      if (!(error instanceof NoBlobError)) return this.#mend(id, self, error, undefined);
      // It was deleted in between.
    }
    if (this.#unrepaired.get(id) === undefined) this.#unrepaired.delete(id);
  }

  /** `named`: the name that needs it. */
  async #mend(id: string, cluster: number, fault: unknown, named: Unrepaired | undefined): Promise<void> {
    const { reader, log } = this.#options;
    if (fault instanceof NoBlobError) this.#figures.missing += 1;
    else if (fault instanceof BlobDamagedError) this.#figures.damaged += 1;
    // The other clusters are still checked.
    else log.warn({ err: fault, blob: id }, 'cannot read a blob here');
    const sources = this.#sources(id);
    const isRepaired = sources !== 'CHANGING' && (await reader.repair(sources, cluster, id));
    const missed = named ?? this.#unrepaired.get(id);
    this.#unrepaired.delete(id);
    if (isRepaired) this.#figures.repaired += 1;
    else if (this.#unrepaired.size < mostUnrepaired) this.#unrepaired.set(id, missed);
  }

  /** The clusters that should have it. While its ring changes, the change itself copies it to the clusters concerned. */
  #sources(id: string): BlobSources | 'CHANGING' {
    const { self, map, blobs, peer } = this.#options;
    const { ring, partition } = partitionOfBlob(id);
    const placement = map.known(ring, partition);
    if (placement === undefined || placement.groups.length > 1) return 'CHANGING';
    return clustersOf(placement).flatMap((cluster) => {
      const store = cluster === self ? blobs : peer(cluster);
      return store === undefined ? [] : [{ cluster, store }];
    });
  }

  async #pace(bytes: number, signal: AbortSignal): Promise<void> {
    const { bytesPerSecond = usualScrubBytesPerSecond } = this.#options;
    await sleep((bytes / bytesPerSecond) * 1_000, undefined, { signal }).catch(() => undefined);
  }
}
