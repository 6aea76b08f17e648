// Reads a stream ahead of its consumer, which takes all buffered items at once. Items that arrive while a batch is completed form the next batch.

export class ReadAhead<Item> {
  readonly #most: number;
  readonly #onRead: (item: Item) => void;
  readonly #items: Item[] = [];
  #over = false;
  #failure: unknown;
  #changed: (() => void) | undefined;
  #roomy: (() => void) | undefined;

  /** Begins immediately. Holds at most `most` items, then the stream waits. */
  constructor(stream: AsyncIterable<Item>, most: number, onRead: (item: Item) => void = () => {}) {
    this.#most = most;
    this.#onRead = onRead;
    this.#read(stream).catch((error: unknown) => {
      this.#failure = error;
      this.#end();
    });
  }

  /** All buffered items, at least one. Undefined at the end. Throws the stream's failure after its last item. */
  async take(): Promise<readonly Item[] | undefined> {
    while (this.#items.length === 0 && !this.#over)
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    if (this.#items.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      return undefined;
    }
    const taken = this.#items.splice(0);
    this.#roomy?.();
    return taken;
  }

  /** Ends reading, and drops buffered items. */
  close(): void {
    this.#items.length = 0;
    this.#end();
  }

  async #read(stream: AsyncIterable<Item>): Promise<void> {
    for await (const item of stream) {
      this.#onRead(item);
      this.#items.push(item);
      this.#changed?.();
      while (this.#items.length >= this.#most && !this.#over)
        await new Promise<void>((resolve) => {
          this.#roomy = resolve;
        });
      if (this.#over) return;
    }
    this.#end();
  }

  #end(): void {
    this.#over = true;
    this.#changed?.();
    this.#roomy?.();
  }
}
