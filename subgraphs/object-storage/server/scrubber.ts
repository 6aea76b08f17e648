// Keeps the cluster's blobs whole. Names that changed are looked at soon: a blob that one of them refers to and that is not here, because this
// cluster was away when it was written, is taken from another cluster. And slowly all blobs are read, and all names looked at anew, so that what
// a disk lost or changed is found and taken from another cluster while one has it.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../../../platform/log.ts';
import { Loop } from '../../../platform/loop.ts';
import { clustersOf } from '../../../platform/registers/placement.ts';
import { timeOf } from '../../../platform/registers/version.ts';
import { partitionCount } from '../../../platform/rings/ring.ts';
import { BlobDamagedError, NoBlobError } from '../blobs/blob-errors.ts';
import type { BlobFolder } from '../blobs/blob-folder.ts';
import { before, partitionOfBlob } from '../blobs/blob-id.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { giveBack } from '../blobs/block-buffers.ts';
import type { BlobSources, RepairingReader } from '../blobs/repairing-reader.ts';
import { blobsOf } from '../namespace/values.ts';
import type { Counters } from '../store/counters.ts';
import type { NamedBlobs } from '../store/named-blobs.ts';
import type { Place } from '../store/partition-state.ts';
import type { FederationMap } from './federation-map.ts';

export interface ScrubberOptions {
  /** This cluster's number. */
  readonly self: number;
  readonly map: Pick<FederationMap, 'known' | 'rings'>;
  readonly named: Pick<NamedBlobs, 'partitions' | 'after'>;
  readonly counters: Pick<Counters, 'read' | 'raise'>;
  /** This cluster's disk. */
  readonly blobs: Pick<BlobFolder, 'ids' | 'read' | 'check'> & BlobStore;
  /** Another cluster's; undefined: it is not known. */
  readonly peer: (cluster: number) => BlobStore | undefined;
  readonly reader: Pick<RepairingReader, 'repair'>;
  readonly log: Logger;
  /** Whether this process is to do it now; another server of the cluster may. */
  readonly isMine?: (work: 'look for missing blobs' | 'read all blobs') => Promise<boolean>;
  readonly nowMs?: () => number;
  /** Read from the disk at most; 0: blobs are not read. Default 4 MiB. */
  readonly bytesPerSecond?: number;
  /** Of one pass over all partitions, at least; default 14 days. */
  readonly passMs?: number;
  /** Between two looks at the names that changed; default 30 s. */
  readonly lookMs?: number;
  /** What is younger may still be on its way here; default a minute. */
  readonly youngMs?: number;
}

/** Since the start of the process. */
export interface ScrubFigures {
  readonly readBlobs: number;
  readonly readBytes: number;
  readonly damaged: number;
  /** A name refers to it, and a cluster that is to have it has not. */
  readonly missing: number;
  readonly repaired: number;
  /** Damaged or missing, and no other cluster could give it yet. */
  readonly unrepaired: number;
  /** Of the pass under way, 0 to 1. */
  readonly passed: number;
}

export const usualScrubBytesPerSecond = 4 * 1024 * 1024;
export const usualScrubPassMs = 14 * 86_400_000;
const usualLookMs = 30_000;
const usualYoungMs = 60_000;
/** Another server of the cluster does it, which may die. */
const askedAgainMs = 5_000;
const namesAtOnce = 100;
/** After each full page of names: looking at all of them must not take the machine from users. */
const namesPauseMs = 50;
/** More than so many are looked at again in the next pass. */
const mostUnrepaired = 10_000;
/** Of the number of the next partition of all passes. */
const positionName = 'scrub';

/** Names that are looked at again, because whether one who is to have a blob of theirs has it could not be asked. */
interface Unasked extends Place {
  /** The number of the last change before them. */
  readonly from: number;
}

/** A blob that could not be repaired, and the change that names it: once the name changes, nobody misses it. */
interface Unrepaired extends Place {
  readonly change: number;
}

export class Scrubber {
  readonly #options: ScrubberOptions;
  readonly #look: Loop;
  readonly #scrub: Loop;
  /** By partition, the number of the last change that was looked at. */
  readonly #seen = new Map<string, number>();
  /** By id; undefined: it was found by reading the disk, and not by a name. */
  readonly #unrepaired = new Map<string, Unrepaired | undefined>();
  /** By what is waited for, then by partition: a cluster that does not answer, a ring that changes. */
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

  /** At the names that changed since the last look. */
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

  /** Names of whose blobs this could not be asked; up to the first of which it still can not. */
  async #askAgain(waitsFor: string, signal: AbortSignal): Promise<void> {
    const places = this.#unasked.get(waitsFor) ?? new Map<string, Unasked>();
    for (const [id, unasked] of [...places]) {
      if (signal.aborted) return;
      places.delete(id);
      await this.#lookAt(unasked, unasked.from, 0, signal, waitsFor);
      if (places.has(id)) return;
    }
  }

  /** Reads the blobs of one partition, and looks at all of its names. */
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
        // One of them at a time: each is read to its end.
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

  /** Returns the number of the last change that need not be looked at again. `until`: ends where this still is waited for. */
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
        if (signal.aborted || timeOf(version) > nowMs() - youngMs) return after;
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
   * Whether the clusters have it that are to have it: each looks at its own disk, and who has none looks at the others'.
   * @returns for what it has to be asked again
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
      // It was deleted meanwhile.
    }
    if (this.#unrepaired.get(id) === undefined) this.#unrepaired.delete(id);
  }

  /** `named`: by which name it is missed. */
  async #mend(id: string, cluster: number, fault: unknown, named: Unrepaired | undefined): Promise<void> {
    const { reader, log } = this.#options;
    if (fault instanceof NoBlobError) this.#figures.missing += 1;
    else if (fault instanceof BlobDamagedError) this.#figures.damaged += 1;
    // The others are looked at all the same.
    else log.warn({ err: fault, blob: id }, 'a blob can not be read here');
    const sources = this.#sources(id);
    const isRepaired = sources !== 'CHANGING' && (await reader.repair(sources, cluster, id));
    const missed = named ?? this.#unrepaired.get(id);
    this.#unrepaired.delete(id);
    if (isRepaired) this.#figures.repaired += 1;
    else if (this.#unrepaired.size < mostUnrepaired) this.#unrepaired.set(id, missed);
  }

  /** Who is to have it. While its ring changes, the change itself brings it to those that it concerns. */
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
