// Writes one body to several stores at once, and resolves when a majority of each group has it on disk. The source is read at the pace of
// the slowest store. A store that takes nothing while the others form a majority without it is dropped, so that a dead cluster delays a
// write only briefly.
import { NoQuorumError, NotSentError } from '../../../../platform/registers/errors.ts';
import { isQuorum, type Placement } from '../../../../platform/registers/placement.ts';
import { atMost } from '../../../../platform/work/within.ts';
import { messageOf } from '../message-of.ts';
import { DiskFullError } from './blob-errors.ts';
import type { BlobPlace, BlobStore } from './blob-store.ts';
import { ChunkQueue } from './chunk-queue.ts';

interface WriteToAllOptions {
  readonly signal?: AbortSignal;
  /** A store that takes nothing for this long is dropped if the others can continue; default 2 s. */
  readonly silentMs?: number;
  /** A store that has delayed the others for this long in total is dropped too; default 10 s. */
  readonly heldUpMs?: number;
  /** A store that is not done this long after the majority is given up; default 30 s. */
  readonly stragglerMs?: number;
}

interface WrittenToAll {
  readonly sizeBytes: number;
  /** The stores that have it now: a majority of each group. */
  readonly holders: ReadonlySet<number>;
  /** The latest epoch that the holders reported. 0 if none reported one. */
  readonly epoch: number;
  /** Resolves with all stores that have it in the end. Never rejects. */
  readonly settled: Promise<ReadonlySet<number>>;
}

type Groups = readonly (readonly number[])[];

/** Size of each store's queue. */
const queueBytes = 1024 * 1024;
const cleaningMs = 2_000;
const lookMs = 100;

/** @throws NoQuorumError, and any error of the body. The blob is then deleted from all stores that can be reached. */
export async function writeToAll(
  stores: ReadonlyMap<number, BlobStore>,
  groups: Groups,
  id: string,
  place: BlobPlace,
  body: AsyncIterable<Buffer>,
  options: WriteToAllOptions = {},
): Promise<WrittenToAll> {
  const write = new WriteToAll(stores, groups, id, place, options);
  try {
    const sizeBytes = await write.pass(body);
    return await write.finish(sizeBytes);
  } catch (error) {
    await write.undo(error);
    throw error;
  }
}

interface LaneWish {
  readonly id: string;
  readonly place: BlobPlace;
  /** Called when the queue has room again or the state of the lane changes. */
  readonly changed: (isSettled: boolean) => void;
}

/** The write to one store. */
class Lane {
  readonly cluster: number;
  readonly store: BlobStore;
  readonly queue: ChunkQueue;
  readonly settled: Promise<void>;
  readonly #stop = new AbortController();
  readonly #changed: LaneWish['changed'];
  state: 'WRITING' | 'DONE' | 'FAILED' = 'WRITING';
  error: unknown;
  sizeBytes = 0;
  epoch = 0;
  takenAtMs = performance.now();
  heldUpMs = 0;

  constructor(cluster: number, store: BlobStore, { id, place, changed }: LaneWish) {
    this.cluster = cluster;
    this.store = store;
    this.#changed = changed;
    this.queue = new ChunkQueue(queueBytes, () => {
      this.takenAtMs = performance.now();
      changed(false);
    });
    this.settled = this.#write(id, place);
  }

  async #write(id: string, place: BlobPlace): Promise<void> {
    try {
      const { sizeBytes, epoch = 0 } = await this.store.write(id, place, this.queue, this.#stop.signal);
      if (this.state !== 'WRITING') return;
      this.sizeBytes = sizeBytes;
      this.epoch = epoch;
      this.state = 'DONE';
      this.#changed(true);
    } catch (error) {
      this.drop(error);
    }
  }

  /** The store no longer counts, whatever happens to its write. */
  drop(error: unknown): void {
    if (this.state === 'FAILED') return;
    this.state = 'FAILED';
    this.error = error;
    this.queue.fail(error);
    this.#stop.abort(error);
    this.#changed(true);
  }
}

class WriteToAll {
  readonly #lanes: readonly Lane[];
  readonly #placement: Placement;
  readonly #id: string;
  readonly #options: WriteToAllOptions;
  /** Ends the wait for a lane to change. */
  #wake: (() => void) | undefined;
  /** Ends the wait for the source. */
  #giveUp: ((reason: unknown) => void) | undefined;

  constructor(
    stores: ReadonlyMap<number, BlobStore>,
    groups: Groups,
    id: string,
    place: BlobPlace,
    options: WriteToAllOptions,
  ) {
    const clusters = [...new Set(groups.flat())].filter((cluster) => stores.has(cluster));
    this.#placement = { epoch: 0, groups };
    this.#id = id;
    this.#options = options;
    if (!isQuorum(this.#placement, new Set(clusters))) {
      this.#lanes = [];
      return;
    }
    this.#lanes = clusters.flatMap((cluster) => {
      const store = stores.get(cluster);
      const changed = (isSettled: boolean) => this.#changed(isSettled);
      return store === undefined ? [] : [new Lane(cluster, store, { id, place, changed })];
    });
  }

  /** Reads the body to its end. Resolves with its size. */
  async pass(body: AsyncIterable<Buffer>): Promise<number> {
    const { signal } = this.#options;
    const source = body[Symbol.asyncIterator]();
    const onAbort = () => this.#giveUp?.(signal?.reason);
    signal?.addEventListener('abort', onAbort);
    let sizeBytes = 0;
    let isOver = false;
    try {
      for (;;) {
        signal?.throwIfAborted();
        this.#requireQuorum();
        const next = await this.#next(source);
        isOver = next.done === true;
        if (next.done === true) break;
        sizeBytes += next.value.length;
        for (const lane of this.#lanes) if (lane.state === 'WRITING') lane.queue.put(next.value);
        await this.#room();
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
      // Not awaited: the source may be what hangs.
      if (!isOver) void Promise.resolve(source.return?.()).catch(() => undefined);
    }
    for (const lane of this.#lanes) lane.queue.end();
    return sizeBytes;
  }

  async finish(sizeBytes: number): Promise<WrittenToAll> {
    const { signal, stragglerMs = 30_000 } = this.#options;
    const onAbort = () => this.#wake?.();
    signal?.addEventListener('abort', onAbort);
    try {
      for (;;) {
        signal?.throwIfAborted();
        for (const lane of this.#lanes)
          if (lane.state === 'DONE' && lane.sizeBytes !== sizeBytes)
            lane.drop(new Error(`cluster ${lane.cluster} has ${lane.sizeBytes} of ${sizeBytes} bytes`));
        if (this.#isQuorum((lane) => lane.state === 'DONE')) break;
        this.#requireQuorum();
        await this.#change();
      }
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    const giveUp = setTimeout(() => {
      for (const lane of this.#lanes) if (lane.state === 'WRITING') lane.drop(new Error('too slow'));
    }, stragglerMs);
    const settled = Promise.all(this.#lanes.map((lane) => lane.settled)).then(() => {
      clearTimeout(giveUp);
      return this.#holders();
    });
    const holders = this.#lanes.filter(({ state }) => state === 'DONE');
    const epoch = Math.max(...holders.map((lane) => lane.epoch));
    return { sizeBytes, holders: this.#holders(), epoch, settled };
  }

  /** Stops running writes, and deletes finished ones. */
  async undo(error: unknown): Promise<void> {
    await Promise.all(
      this.#lanes.map((lane) => {
        const { state } = lane;
        lane.drop(error);
        if (lane.error instanceof NotSentError) return undefined;
        const deleted = atMost(
          cleaningMs,
          lane.settled.then(() => lane.store.delete(this.#id)),
        ).catch(() => undefined);
        // A store that failed on its own may be unreachable: don't wait for it.
        return state === 'FAILED' ? undefined : deleted;
      }),
    );
  }

  #next(source: AsyncIterator<Buffer>): Promise<IteratorResult<Buffer>> {
    return new Promise((resolve, reject) => {
      this.#giveUp = reject;
      source.next().then(resolve, reject);
    });
  }

  /** Resolves when each store that still counts has room for more. */
  async #room(): Promise<void> {
    const { signal, silentMs = 2_000, heldUpMs = 10_000 } = this.#options;
    for (;;) {
      const full = this.#lanes.filter((lane) => lane.state === 'WRITING' && lane.queue.isFull);
      if (full.length === 0) return;
      signal?.throwIfAborted();
      this.#requireQuorum();
      const othersGoOn = this.#isQuorum((lane) => lane.state !== 'FAILED' && !full.includes(lane));
      const waitedFromMs = performance.now();
      await this.#change(lookMs);
      if (!othersGoOn) continue;
      const nowMs = performance.now();
      for (const lane of full) {
        lane.heldUpMs += nowMs - waitedFromMs;
        if (nowMs - lane.takenAtMs > silentMs || lane.heldUpMs > heldUpMs)
          lane.drop(new Error(`cluster ${lane.cluster} is too slow`));
      }
    }
  }

  /** Resolves when a lane changes, or after this long. */
  #change(mostMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = mostMs === undefined ? undefined : setTimeout(resolve, mostMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #changed(isSettled: boolean): void {
    this.#wake?.();
    if (isSettled && this.#giveUp !== undefined && !this.#canGoOn()) this.#giveUp(this.#tooFew());
  }

  #requireQuorum(): void {
    if (!this.#canGoOn()) throw this.#tooFew();
  }

  #canGoOn(): boolean {
    return this.#isQuorum((lane) => lane.state !== 'FAILED');
  }

  #isQuorum(counts: (lane: Lane) => boolean): boolean {
    return isQuorum(this.#placement, new Set(this.#lanes.filter(counts).map(({ cluster }) => cluster)));
  }

  #holders(): ReadonlySet<number> {
    return new Set(this.#lanes.filter(({ state }) => state === 'DONE').map(({ cluster }) => cluster));
  }

  #tooFew(): Error {
    const failed = this.#lanes.filter(({ state }) => state === 'FAILED');
    const [first] = failed;
    if (first?.error instanceof DiskFullError && failed.every(({ error }) => error instanceof DiskFullError))
      return first.error;
    const reasons = failed.map(({ cluster, error }) => `${cluster}: ${messageOf(error)}`);
    return new NoQuorumError(
      `too few clusters accept the blob ${this.#id}${reasons.length > 0 ? ` (${reasons.join('; ')})` : ''}`,
      {
        cause: first?.error,
      },
    );
  }
}
