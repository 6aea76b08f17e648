// Reads blobs from any source that has them. If a block is damaged or a source ends early, it continues from the same byte at another
// source, and rewrites the damaged copy afterwards. No copy has to be whole, as long as each block is whole in one of them.
import type { Logger } from '../../../../platform/log/log.ts';
import { Turns } from '../../../../platform/work/turns.ts';
import { BlobDamagedError, BlobRangeError, NoBlobError } from './blob-errors.ts';
import { before, partitionOfBlob } from './blob-id.ts';
import { type BlobPlace, type BlobRead, type BlobStore, type ByteRange, blockBytes } from './blob-store.ts';

/** In the order in which they are tried. */
export type BlobSources = readonly { readonly cluster: number; readonly store: BlobStore }[];

interface RepairingReaderOptions {
  readonly log: Logger;
  /** Default 2. */
  readonly repairsAtOnce?: number;
}

/** Further damage is repaired when the blob is read again. */
const mostRepairs = 1_000;

export class RepairingReader {
  readonly #log: Logger;
  readonly #turns: Turns;
  readonly #stop = new AbortController();
  /** By cluster and blob id. */
  readonly #repairs = new Map<string, Promise<boolean>>();

  constructor({ log, repairsAtOnce = 2 }: RepairingReaderOptions) {
    this.#log = log;
    this.#turns = new Turns(repairsAtOnce);
  }

  /** @throws NoBlobError if no source has it; otherwise the error of the last source that was tried */
  read(sources: BlobSources, id: string, range?: ByteRange): Promise<BlobRead> {
    return this.#read({ id, left: [...sources], damaged: [], repairs: sources }, range);
  }

  /** Resolves when all repairs known at the call have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#repairs.values());
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error('the process is stopping'));
    await this.settled();
  }

  async #read(reading: Reading, range?: ByteRange): Promise<BlobRead> {
    const opened = await this.#open(reading, range);
    const { sizeBytes } = opened.read;
    const { firstByte, lastByte } = range ?? { firstByte: 0, lastByte: sizeBytes - 1 };
    return { sizeBytes, body: this.#body(reading, opened, { firstByte, lastByte }) };
  }

  /** Opens the first remaining source that has the blob. Sources that were tried are removed from `left`. */
  async #open(reading: Reading, range: ByteRange | undefined): Promise<Opened> {
    const { id, left } = reading;
    let failure: unknown;
    for (let source = left.shift(); source !== undefined; source = left.shift()) {
      try {
        return { source, read: await source.store.read(id, range) };
      } catch (error) {
        if (error instanceof BlobRangeError) throw error;
        this.#failed(reading, source, error);
        // A missing copy explains less than another failure does.
        if (failure === undefined || !(error instanceof NoBlobError)) failure = error;
      }
    }
    throw failure ?? new NoBlobError(id);
  }

  async *#body(reading: Reading, opened: Opened, { firstByte, lastByte }: ByteRange): AsyncGenerator<Buffer> {
    const { id, left, damaged } = reading;
    let { source, read } = opened;
    let next = firstByte;
    for (;;) {
      try {
        for await (const chunk of read.body) {
          next += chunk.length;
          yield chunk;
        }
        if (next > lastByte) return;
        throw new Error(`cluster ${source.cluster} returned less of the blob ${id} than it has`);
      } catch (error) {
        this.#failed(reading, source, error);
        if (next > lastByte) return;
        // A source with a damaged block may be used again after another source has supplied that block.
        const block = Math.floor(next / blockBytes);
        const passed = damaged.filter((each) => each.block < block);
        left.push(...passed.map((each) => each.source));
        damaged.splice(0, damaged.length, ...damaged.filter((each) => each.block >= block));
        if (left.length === 0) throw error;
        ({ source, read } = await this.#open(reading, { firstByte: next, lastByte }));
      }
    }
  }

  #failed({ id, damaged, repairs }: Reading, source: BlobSources[number], error: unknown): void {
    const { cluster } = source;
    if (!(error instanceof BlobDamagedError)) {
      this.#log.debug({ err: error, cluster, blob: id }, 'reading a blob from another cluster');
      return;
    }
    if (error.block !== undefined) damaged.push({ source, block: error.block });
    if (repairs === undefined) return;
    if (!this.#repairs.has(`${cluster}/${id}`))
      this.#log.error({ cluster, blob: id, block: error.block }, 'a blob is damaged: reading it from another cluster');
    void this.repair(repairs, cluster, id);
  }

  /** Rewrites the copy of one source from the others. Resolves with false if that is not possible now. */
  repair(sources: BlobSources, cluster: number, id: string): Promise<boolean> {
    const key = `${cluster}/${id}`;
    const known = this.#repairs.get(key);
    if (known !== undefined) return known;
    const damaged = sources.find((each) => each.cluster === cluster);
    if (damaged === undefined || this.#stop.signal.aborted || this.#repairs.size >= mostRepairs)
      return Promise.resolve(false);
    const others = sources.filter((each) => each.cluster !== cluster);
    const repair = this.#turns
      .run(() => this.#repair(damaged, others, id), this.#stop.signal)
      .then(
        () => true,
        (failure: unknown) => {
          this.#log.warn({ err: failure, cluster, blob: id }, 'a blob could not be repaired');
          return false;
        },
      )
      .finally(() => this.#repairs.delete(key));
    this.#repairs.set(key, repair);
    return repair;
  }

  /** The other sources come first: the damaged copy supplies only what none of them can. */
  async #repair(damaged: BlobSources[number], others: BlobSources, id: string): Promise<void> {
    const { signal } = this.#stop;
    const place = await this.#placeOf([...others, damaged], id);
    signal.throwIfAborted();
    // Without nested repairs: two copies that can't be repaired would start each other's repair forever.
    const { body } = await this.#read({ id, left: [...others, damaged], damaged: [] });
    await damaged.store.write(id, place, body, signal);
    this.#log.info({ cluster: damaged.cluster, blob: id }, 'repaired a blob from other clusters');
  }

  /** From the first source that can tell. */
  async #placeOf(sources: BlobSources, id: string): Promise<BlobPlace> {
    const { ring, partition } = partitionOfBlob(id);
    let failure: unknown = new NoBlobError(id);
    for (const { store } of sources) {
      try {
        const [known] = await store.list(ring, partition, before(id), 1);
        if (known?.id === id) return known.place;
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }
}

interface Opened {
  readonly source: BlobSources[number];
  readonly read: BlobRead;
}

interface Reading {
  readonly id: string;
  /** Sources that have not been tried. */
  readonly left: BlobSources[number][];
  /** Sources that had a damaged block. */
  readonly damaged: { readonly source: BlobSources[number]; readonly block: number }[];
  /** Sources for repairing damaged copies. Undefined if they should not be repaired. */
  readonly repairs?: BlobSources;
}
