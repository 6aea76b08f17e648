// Announces the primary to its clients through a virtual address, a name, or the health check of a load balancer.

export interface Announcer {
  /** Writes are open until `fenceAtMs` (`monotonicMs`) at most. Called again at each renewal. `epoch`: this primary's. */
  held(fenceAtMs: number, epoch: number): void;
  /** Called with each poll in which this host is not the primary. */
  lost(): void;
}

export function together(all: readonly Announcer[]): Announcer {
  return {
    held: (fenceAtMs, epoch) => all.forEach((each) => void each.held(fenceAtMs, epoch)),
    lost: () => all.forEach((each) => void each.lost()),
  };
}

/** A task that begins each time this host becomes the primary, and ends with the host's lead. */
export class WhilePrimary implements Announcer {
  readonly #begin: (epoch: number, signal: AbortSignal, earlier: Promise<unknown>) => Promise<unknown>;
  #epoch: number | undefined;
  #ending = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  /**
   * `earlier`: settles after earlier tasks, which were aborted, have ended. The promise that `begin` returns settles after it,
   * and never rejects.
   */
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
