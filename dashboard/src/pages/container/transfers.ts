// The uploads and downloads of a page: a few run at once, the others wait for their turn. A failed or cancelled one can be repeated.

/** `taken`: an object of the name exists, and nobody said that it may be replaced. */
type TransferState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled' | 'taken';

export interface Wish {
  /** Of the object. */
  readonly name: string;
  readonly sizeBytes: number;
  /** To upload. Without a file the object is downloaded. */
  readonly file?: File;
  /** Why it can't be transferred, known beforehand. */
  readonly fault?: string;
  /** Whether an object of the name may be replaced. */
  readonly replaces?: boolean;
}

export interface Transfer extends Wish {
  readonly id: number;
  readonly state: TransferState;
  readonly doneBytes: number;
  /** Of a failure. */
  readonly message: string | null;
}

export interface SendOptions {
  readonly onProgress: (doneBytes: number) => void;
  readonly signal: AbortSignal;
}

/** Rejects with the reason of a failure. */
export type Send = (wish: Wish, options: SendOptions) => Promise<void>;

/** An object of this name exists. */
export class NameTaken extends Error {}

const mostRunning = 3;

export class Transfers {
  readonly #send: Send;
  readonly #listeners = new Set<() => void>();
  readonly #stops = new Map<number, AbortController>();
  #all: readonly Transfer[] = [];
  #lastId = 0;

  constructor(send: Send) {
    this.#send = send;
  }

  /** Newest last. Another array after each change. */
  get all(): readonly Transfer[] {
    return this.#all;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  snapshot = (): readonly Transfer[] => this.#all;

  add(wishes: readonly Wish[]): void {
    const added = wishes.map((wish): Transfer => {
      this.#lastId += 1;
      const state = wish.fault === undefined ? 'waiting' : 'failed';
      return { ...wish, id: this.#lastId, state, doneBytes: 0, message: wish.fault ?? null };
    });
    this.#set([...this.#all, ...added]);
    this.#start();
  }

  cancel(id: number): void {
    this.#stops.get(id)?.abort();
    this.#change(id, { state: 'cancelled', doneBytes: 0 });
    this.#start();
  }

  /** Once more, from the beginning. */
  repeat(id: number, replaces = false): void {
    this.#change(id, { state: 'waiting', doneBytes: 0, message: null, ...(replaces ? { replaces } : {}) });
    this.#start();
  }

  replaceTaken(): void {
    for (const { id, state } of this.#all) if (state === 'taken') this.repeat(id, true);
  }

  /** Forgets those that are over. */
  clear(): void {
    this.#set(this.#all.filter(({ state }) => state === 'waiting' || state === 'running'));
  }

  /** Ends all. */
  stop(): void {
    for (const { id, state } of this.#all) if (state === 'waiting' || state === 'running') this.cancel(id);
  }

  #start(): void {
    for (const transfer of this.#all) {
      if (this.#stops.size >= mostRunning) return;
      // One that was cancelled may not have ended yet.
      if (transfer.state === 'waiting' && !this.#stops.has(transfer.id)) void this.#run(transfer);
    }
  }

  async #run(transfer: Transfer): Promise<void> {
    const { id } = transfer;
    const stop = new AbortController();
    this.#stops.set(id, stop);
    this.#change(id, { state: 'running' });
    const change = (patch: Partial<Transfer>): void => {
      if (!stop.signal.aborted) this.#change(id, patch);
    };
    try {
      await this.#send(transfer, { signal: stop.signal, onProgress: (doneBytes) => change({ doneBytes }) });
      change({ state: 'done', doneBytes: transfer.sizeBytes });
    } catch (error) {
      if (error instanceof NameTaken) change({ state: 'taken' });
      else change({ state: 'failed', message: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#stops.delete(id);
      this.#start();
    }
  }

  #change(id: number, patch: Partial<Transfer>): void {
    this.#set(this.#all.map((each) => (each.id === id ? { ...each, ...patch } : each)));
  }

  #set(all: readonly Transfer[]): void {
    this.#all = all;
    for (const listener of this.#listeners) listener();
  }
}
