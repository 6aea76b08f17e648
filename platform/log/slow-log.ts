// The slow log: one line for each piece of work that took longer than `log.slowMs`. Only so many lines are written in a second. The
// others are counted.
import { CountedLine } from './counted-line.ts';
import type { Logger } from './log.ts';

type SlowWork = 'statement' | 'transaction' | 'gateway operation' | 'subgraph fetch' | 'relay call';

interface SlowLogOptions {
  readonly log: Logger;
  /** Work that takes this long is slow. 0: no work is. */
  readonly slowMs: number;
}

const mostLinesPerSecond = 10;

export class SlowLog {
  readonly #log: Logger;
  readonly #slowMs: number;
  readonly #notLogged: CountedLine;
  #secondFromMs = 0;
  #lines = 0;

  constructor({ log, slowMs }: SlowLogOptions) {
    this.#log = log;
    this.#slowMs = slowMs === 0 ? Number.POSITIVE_INFINITY : slowMs;
    this.#notLogged = new CountedLine(log, 'slow work was not logged, because there was too much of it');
  }

  /** Asked first, so that the fields of a line are made for slow work only. */
  isSlow(tookMs: number): boolean {
    return tookMs >= this.#slowMs;
  }

  /** `fields`: which work it was, without values of users. */
  add(work: SlowWork, tookMs: number, fields: object): void {
    const nowMs = performance.now();
    if (nowMs - this.#secondFromMs >= 1_000) {
      this.#secondFromMs = nowMs;
      this.#lines = 0;
    }
    this.#lines += 1;
    if (this.#lines > mostLinesPerSecond) this.#notLogged.add({ slow: work });
    else this.#log.info({ slow: work, tookMs: Math.round(tookMs), ...fields }, `slow ${work}`);
  }

  /** Writes what was counted since the last line. */
  flush(): void {
    this.#notLogged.flush();
  }
}
