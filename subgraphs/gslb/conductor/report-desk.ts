// Where the batches of all checkers of a process are recorded: heartbeats of several checkers in one transaction, and batches with verdicts
// so many at once that their transactions do not keep all connections from others. A checker whose batch waits here was heard.
import type { Database } from '../../../platform/database/database.ts';
import type { Logger } from '../../../platform/log.ts';
import type { CheckerBatch } from '../wire/checker-wire.ts';
import { hearCheckers } from './checker-store.ts';
import type { JudgingParts } from './judging.ts';
import { type Reported, recordHeartbeats, recordReport } from './report.ts';

export interface ReportDeskOptions extends JudgingParts {
  readonly db: Database;
  readonly log: Logger;
}

interface Waiting {
  readonly checkerId: string;
  readonly batch: CheckerBatch;
  readonly resolve: (reported: Reported) => void;
  readonly reject: (error: unknown) => void;
}

/** Heartbeats are recorded together if they come sooner than this one after the other: a lone one delays no verdict. */
const gatherMs = 50;
const heartbeatsAtOnce = 500;
/** With verdicts. */
const batchesAtOnce = 2;

export class ReportDesk {
  readonly #options: ReportDeskOptions;
  /** The longest first. Each checker has one at a time. */
  readonly #waiting: Waiting[] = [];
  readonly #heard = new Map<string, number>();
  #recording = 0;
  #heartbeats: Waiting[] = [];
  /** When heartbeats were recorded last. */
  #flushedMs = Number.NEGATIVE_INFINITY;
  #gathering: NodeJS.Timeout | undefined;
  #hearing: NodeJS.Timeout | undefined;

  constructor(options: ReportDeskOptions) {
    this.#options = options;
  }

  /** Throws BatchRefusedError. */
  record(checkerId: string, batch: CheckerBatch): Promise<Reported> {
    return new Promise((resolve, reject) => {
      const waiting = { checkerId, batch, resolve, reject };
      if (batch.verdicts.length + batch.past.length > 0) {
        this.#waiting.push(waiting);
        this.#next();
        return;
      }
      this.#heartbeats.push(waiting);
      const inMs = Math.max(0, this.#flushedMs + gatherMs - performance.now());
      this.#gathering ??= setTimeout(() => void this.#flush(), inMs);
    });
  }

  /** A checker waits for something else than a record; returns a function that ends it. */
  hear(checkerId: string): () => void {
    this.#heard.set(checkerId, (this.#heard.get(checkerId) ?? 0) + 1);
    this.#hearSoon();
    return () => {
      const left = (this.#heard.get(checkerId) ?? 1) - 1;
      if (left === 0) this.#heard.delete(checkerId);
      else this.#heard.set(checkerId, left);
    };
  }

  #hearSoon(): void {
    if (this.#waiting.length + this.#heard.size === 0) return;
    this.#hearing ??= setTimeout(() => void this.#hear(), this.#options.heartbeatMs);
  }

  #next(): void {
    while (this.#recording < batchesAtOnce) {
      const next = this.#waiting.shift();
      if (next === undefined) break;
      this.#recording += 1;
      void this.#one(next).finally(() => {
        this.#recording -= 1;
        this.#next();
      });
    }
    this.#hearSoon();
  }

  async #one({ checkerId, batch, resolve, reject }: Waiting): Promise<void> {
    await recordReport(this.#options.db, this.#options, checkerId, batch).then(resolve, reject);
  }

  /** One transaction after the other: the longer one takes, the more the next one has. */
  async #flush(): Promise<void> {
    await this.#together(this.#heartbeats.splice(0, heartbeatsAtOnce));
    this.#flushedMs = performance.now();
    this.#gathering = this.#heartbeats.length === 0 ? undefined : setTimeout(() => void this.#flush(), gatherMs);
  }

  async #together(all: readonly Waiting[]): Promise<void> {
    const { db } = this.#options;
    try {
      const reported = await recordHeartbeats(db, this.#options, all);
      for (const [at, each] of all.entries()) {
        const outcome = reported[at];
        // A row that another transaction holds keeps nobody else waiting.
        if (outcome === undefined) void this.#one(each);
        else if (outcome instanceof Error) each.reject(outcome);
        else each.resolve(outcome);
      }
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }

  /** What waits for others is no silence. */
  async #hear(): Promise<void> {
    const { db, log } = this.#options;
    const ids = new Set([...this.#waiting.map(({ checkerId }) => checkerId), ...this.#heard.keys()]);
    await hearCheckers(db, [...ids]).catch((error: unknown) =>
      log.warn({ err: error }, 'checkers that wait were not recorded as heard'),
    );
    this.#hearing = undefined;
    this.#hearSoon();
  }
}
