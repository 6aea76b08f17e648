// Bytes on their way to one store: a queue from which the store takes them at its own pace.

/** A queued chunk takes at least this much memory, however few bytes it has. */
const leastChunkBytes = 512;

export class ChunkQueue implements AsyncIterableIterator<Buffer> {
  readonly #chunks: Buffer[] = [];
  readonly #mostBytes: number;
  /** Called when the queue has room again. */
  readonly #taken: () => void;
  #bytes = 0;
  #ending: { readonly error?: unknown } | undefined;
  #waiting: PromiseWithResolvers<IteratorResult<Buffer>> | undefined;

  constructor(mostBytes: number, taken: () => void) {
    this.#mostBytes = mostBytes;
    this.#taken = taken;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#mostBytes;
  }

  put(chunk: Buffer): void {
    if (this.#ending !== undefined) return;
    if (this.#waiting !== undefined) {
      this.#waiting.resolve({ done: false, value: chunk });
      this.#waiting = undefined;
      this.#taken();
      return;
    }
    this.#chunks.push(chunk);
    this.#bytes += costOf(chunk);
  }

  end(): void {
    if (this.#ending !== undefined) return;
    this.#ending = {};
    this.#waiting?.resolve({ done: true, value: undefined });
  }

  /** Drops the queued bytes. */
  fail(error: unknown): void {
    this.#ending = { error };
    this.#chunks.length = 0;
    this.#bytes = 0;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#bytes -= costOf(chunk);
      this.#taken();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#ending === undefined) {
      this.#waiting = Promise.withResolvers();
      return this.#waiting.promise;
    }
    if ('error' in this.#ending) return Promise.reject(this.#ending.error);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The store stops reading. */
  return(): Promise<IteratorResult<Buffer>> {
    this.fail(new Error('the store stopped reading'));
    return Promise.resolve({ done: true, value: undefined });
  }
}

function costOf({ length }: Buffer): number {
  return Math.max(length, leastChunkBytes);
}
