// Ends the quiet times of calls. No wall clock does, because a step ahead would end them early. One process counts by its monotonic
// clock from when it first sees that a call was sent. It writes the end into the call's row, where every process reads it. A
// process that takes over the count, or starts again, counts from the beginning. So a quiet time may last longer, never shorter.
import type { Database } from '../../../../platform/database/database.ts';
import { endQuietTime, readQuiet } from './operation-store.ts';

interface QuietTimesOptions {
  readonly db: Database;
  /** Default: a monotonic clock. */
  readonly nowMs?: () => number;
}

export class QuietTimes {
  readonly #db: Database;
  readonly #nowMs: () => number;
  /** When each call that was sent was first seen, by id. */
  #seen = new Map<string, number>();

  constructor({ db, nowMs = () => performance.now() }: QuietTimesOptions) {
    this.#db = db;
    this.#nowMs = nowMs;
  }

  /** Returns how many quiet times have ended. */
  async runOnce(): Promise<number> {
    const calls = await readQuiet(this.#db);
    // Taken after the read, because every call in its result was sent before.
    const nowMs = this.#nowMs();
    this.#seen = new Map(calls.map(({ id }) => [id, this.#seen.get(id) ?? nowMs]));
    let ended = 0;
    for (const { id, spanMs } of calls) {
      const countedMs = nowMs - (this.#seen.get(id) ?? nowMs);
      if (spanMs !== null && countedMs >= spanMs && (await endQuietTime(this.#db, id, countedMs))) ended += 1;
    }
    return ended;
  }

  /** Another process counts now. */
  forget(): void {
    this.#seen.clear();
  }
}
