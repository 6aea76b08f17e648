// How fast a standby applies, and so how long it needs for the transactions that it has received.

import type { ServerView } from '../view.ts';

/** The pace is that of the last seconds. */
const windowMs = 3_000;
/** In less time than this a busy machine may let nothing run. */
const leastMs = 1_000;
/** Assumed until something was measured: transactions in a millisecond. */
const usualPace = 1;
/** The estimate of an applier that stands still. */
export const longestMs = 3_600_000;

interface Sample {
  readonly position: number;
  readonly atMs: number;
}

export class ApplyPace {
  readonly #nowMs: () => number;
  /** Since there was last nothing to apply; oldest first. */
  #samples: Sample[] = [];
  #advancedAtMs = 0;
  #backlog = 0;
  #pace = usualPace;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  saw(server: ServerView): void {
    const isStandby = server.state === 'up' && server.duty === 'standby' && server.replica !== undefined;
    this.#backlog = isStandby ? Math.max(0, server.received - server.position) : 0;
    if (!isStandby || this.#backlog === 0) {
      this.#samples = [];
      this.#pace = usualPace;
      return;
    }
    const atMs = this.#nowMs();
    if (server.position !== this.#samples.at(-1)?.position) this.#advancedAtMs = atMs;
    this.#samples = this.#samples.filter((each, at, all) => atMs - (all[at + 1] ?? each).atMs <= windowMs);
    this.#samples.push({ position: server.position, atMs });
    const [first] = this.#samples;
    if (first !== undefined && atMs - first.atMs >= leastMs)
      this.#pace = Math.max(0, server.position - first.position) / (atMs - first.atMs);
  }

  /** The received transactions that are not applied. */
  get backlog(): number {
    return this.#backlog;
  }

  get drainsInMs(): number {
    if (this.#backlog === 0) return 0;
    return this.#pace === 0 ? longestMs : Math.min(longestMs, Math.ceil(this.#backlog / this.#pace));
  }

  /** 0 while it applies, or has nothing to apply. */
  get stalledMs(): number {
    return this.#backlog === 0 ? 0 : this.#nowMs() - this.#advancedAtMs;
  }
}
