// A log line for an event that may happen thousands of times a second: the first one is logged at once, the others as one line
// with their count for each period.
import type { Logger } from './log.ts';

/** The text for an error in a log line. The stack is left out, because it would be the same each time. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const usualPeriodMs = 10_000;

export class CountedLine {
  readonly #log: Logger;
  readonly #message: string;
  readonly #periodMs: number;
  #count = 0;
  #newest: object = {};
  #timer: NodeJS.Timeout | undefined;

  constructor(log: Logger, message: string, periodMs = usualPeriodMs) {
    this.#log = log;
    this.#message = message;
    this.#periodMs = periodMs;
  }

  /** `fields` describe the newest event of a line. */
  add(fields: object): void {
    this.#count += 1;
    this.#newest = fields;
    if (this.#timer === undefined) this.#write();
  }

  /** Writes what was counted since the last line. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count > 0) this.#line();
  }

  #write(): void {
    if (this.#count === 0) {
      this.#timer = undefined;
      return;
    }
    this.#line();
    this.#timer = setTimeout(() => this.#write(), this.#periodMs).unref();
  }

  #line(): void {
    this.#log.warn({ ...this.#newest, count: this.#count }, this.#message);
    this.#count = 0;
  }
}
