// What an agent tells those outside who go to the primary: a virtual address, a name, a balancer's check.

export interface Announcer {
  /** Writes are open, until then (`monotonicMs`) at most. Told again with each renewal. `epoch`: of this primary. */
  held(fenceAtMs: number, epoch: number): void;
  /** Told with each look that finds it so. */
  lost(): void;
}

export function together(all: readonly Announcer[]): Announcer {
  return {
    held: (fenceAtMs, epoch) => all.forEach((each) => void each.held(fenceAtMs, epoch)),
    lost: () => all.forEach((each) => void each.lost()),
  };
}

/** Begun once for each time that this host becomes the primary, and ended with its lead. */
export class WhilePrimary implements Announcer {
  readonly #begin: (epoch: number, signal: AbortSignal, earlier: Promise<unknown>) => Promise<unknown>;
  #epoch: number | undefined;
  #ending = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  /** `earlier`: ends once what was begun before has ended, which has been told to. What `begin` returns ends after it, and never rejects. */
  constructor(begin: (epoch: number, signal: AbortSignal, earlier: Promise<unknown>) => Promise<unknown>) {
    this.#begin = begin;
  }

  held(_fenceAtMs: number, epoch: number): void {
    if (epoch === this.#epoch) return;
    this.lost();
    this.#epoch = epoch;
    this.#ending = new AbortController();
    this.#running = this.#begin(epoch, this.#ending.signal, this.#running);
  }

  lost(): void {
    this.#epoch = undefined;
    this.#ending.abort();
  }

  async close(): Promise<void> {
    this.lost();
    await this.#running;
  }
}
