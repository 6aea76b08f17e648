// Collects requests while others are being processed, so that many share one transaction. The queue is bounded by number and by bytes.
import { NotSentError } from '../../../../platform/registers/errors.ts';

interface BatchesOptions<Item, Result> {
  /** Returns the results in the order of the items. If it rejects, all items fail. */
  readonly run: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly sizeOf: (item: Item) => number;
  readonly mostItems: number;
  readonly mostBytes: number;
  /** Further requests are refused. */
  readonly mostWaiting: number;
  readonly mostWaitingBytes: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly sizeBytes: number;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class Batches<Item, Result> {
  readonly #options: BatchesOptions<Item, Result>;
  #waiting: Waiting<Item, Result>[] = [];
  #waitingBytes = 0;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: BatchesOptions<Item, Result>) {
    this.#options = options;
  }

  /** @throws NotSentError if the queue is full, or after `drain` */
  add(item: Item): Promise<Result> {
    const { mostWaiting, mostWaitingBytes, sizeOf } = this.#options;
    const sizeBytes = sizeOf(item);
    if (this.#isClosed) return Promise.reject(new NotSentError('the replica is stopping'));
    if (this.#waiting.length >= mostWaiting || this.#waitingBytes + sizeBytes > mostWaitingBytes)
      return Promise.reject(
        new NotSentError('too many requests are waiting for the database of this cluster: ask again later'),
      );
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, sizeBytes, resolve, reject });
      this.#waitingBytes += sizeBytes;
      this.#running ??= this.#run();
    });
  }

  /** Accepts no more. Resolves when the queue is empty. */
  async drain(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    // Items of the same turn of the event loop go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#take();
      try {
        const results = await this.#options.run(batch.map(({ item }) => item));
        for (const [index, { resolve }] of batch.entries()) resolve(results[index] as Result);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#running = undefined;
  }

  #take(): readonly Waiting<Item, Result>[] {
    const { mostItems, mostBytes } = this.#options;
    let bytes = 0;
    let count = 0;
    for (const { sizeBytes } of this.#waiting) {
      if (count === mostItems || (count > 0 && bytes + sizeBytes > mostBytes)) break;
      bytes += sizeBytes;
      count += 1;
    }
    const batch = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#waitingBytes -= bytes;
    return batch;
  }
}
