// Joins reads of single rows: one query is under way at a time, and the next one reads all keys that were requested in the
// meantime. So a thousand readers a second cost only as many queries as the database answers one after the other.

interface Batch<Key, Value> {
  readonly keys: Set<Key>;
  readonly result: Promise<ReadonlyMap<Key, Value>>;
}

export class JoinedReads<Key, Value> {
  readonly #load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>;
  #next: Batch<Key, Value> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** The callers bound the number of keys. */
  constructor(load: (keys: readonly Key[]) => Promise<ReadonlyMap<Key, Value>>) {
    this.#load = load;
  }

  /** Never older than the call; undefined when there is none. */
  async read(key: Key): Promise<Value | undefined> {
    this.#next ??= this.#open();
    const { keys, result } = this.#next;
    keys.add(key);
    return (await result).get(key);
  }

  #open(): Batch<Key, Value> {
    const keys = new Set<Key>();
    const result = this.#last.then(() => {
      this.#next = undefined;
      return this.#load([...keys]);
    });
    this.#last = result.catch(() => undefined);
    return { keys, result };
  }
}
