// Counts of a load, and its final result.

/** A write that was acknowledged: a call of the firewall, or a write of the database alone. */
export type Acknowledged =
  | { readonly kind: 'call'; readonly operationId: string; readonly address: string; readonly act: 'add' | 'delete' }
  | { readonly kind: 'plain'; readonly mappingId: string; readonly version: number };

export interface Verdict {
  /** Number of acknowledged writes that are missing. */
  readonly lost: number;
  /** Calls that the firewall got more than once. Null if its log can't be read. */
  readonly repeated: number | null;
  /** Calls that were reported as failed although the firewall carried them out. Null if its log can't be read. */
  readonly falselyFailed: number | null;
  readonly eventsMissed: number;
}

/** Successes without a longer gap between them, followed by the next gap. */
export interface Stretch {
  readonly count: number;
  /** 0 if the load ended soon after it. */
  readonly thenGapMs: number;
}

/** Pauses of a second or more are listed individually. */
const leastGapMs = 1_000;
const mostStretches = 50;

/** Gaps between two successes. The time of the first success does not count. */
class Gaps {
  readonly #begunAtMs = performance.now();
  readonly #stretches: Stretch[] = [];
  #count = 0;
  #lastAtMs: number | undefined;
  #longestMs = 0;

  note(): void {
    const now = performance.now();
    const gapMs = now - (this.#lastAtMs ?? now);
    this.#longestMs = Math.max(this.#longestMs, gapMs);
    if (gapMs >= leastGapMs && this.#stretches.length < mostStretches) {
      this.#stretches.push({ count: this.#count, thenGapMs: Math.round(gapMs) });
      this.#count = 0;
    }
    this.#count += 1;
    this.#lastAtMs = now;
  }

  /** The last gap has not ended. */
  get stretches(): readonly Stretch[] {
    const gapMs = Math.round(performance.now() - (this.#lastAtMs ?? this.#begunAtMs));
    return [...this.#stretches, { count: this.#count, thenGapMs: gapMs >= leastGapMs ? gapMs : 0 }];
  }

  /** The longest pause, including one that still lasts. */
  get longestMs(): number {
    return Math.round(Math.max(this.#longestMs, performance.now() - (this.#lastAtMs ?? this.#begunAtMs)));
  }
}

export class Tally {
  readonly acknowledged: Acknowledged[] = [];
  /** Failed calls of the firewall, by act and address. */
  readonly failedCalls: string[] = [];
  failed = 0;
  unknown = 0;
  /** Requests without an answer that were repeated with the same key. */
  again = 0;
  reads = 0;
  readsFailed = 0;
  staleReads = 0;
  /** The first failures, in words. */
  readonly words: string[] = [];
  readonly writing = new Gaps();
  readonly reading = new Gaps();

  acknowledge(write: Acknowledged): void {
    this.acknowledged.push(write);
    this.writing.note();
  }

  fail(what: string): void {
    this.failed += 1;
    this.#say(what);
  }

  failCall(act: 'add' | 'delete', address: string, why: string): void {
    this.failedCalls.push(callName(act, address));
    this.fail(`${act} ${address}: ${why}`);
  }

  unsettled(what: string): void {
    this.unknown += 1;
    this.#say(what);
  }

  read(): void {
    this.reads += 1;
    this.reading.note();
  }

  readFailed(what: string): void {
    this.readsFailed += 1;
    this.#say(what);
  }

  stale(what: string): void {
    this.staleReads += 1;
    this.#say(what);
  }

  #say(what: string): void {
    if (this.words.length < mostWords) this.words.push(what);
  }
}

const mostWords = 20;

export function callName(act: 'add' | 'delete', address: string): string {
  return `${act} ${address}`;
}
