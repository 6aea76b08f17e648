// Records the batches of all checkers of a process. Batches that arrive during a transaction are recorded together in the next
// one. So the failure of a site costs few transactions, and a member is evaluated with all its votes. Heartbeats have separate
// transactions. A checker whose batch has arrived counts as reporting.
import type { Database } from '../../../../platform/database/database.ts';
import type { Logger } from '../../../../platform/log/log.ts';
import { type CheckerBatch, mostVerdicts } from '../../wire/checker-wire.ts';
import { hearCheckers } from '../stores/checker-store.ts';
import type { EvaluationDependencies } from '../verdicts/evaluate-members.ts';
import { type RecordedBatch, recordBatch, recordBatches } from './record-batch.ts';

interface BatchInboxOptions extends EvaluationDependencies {
  readonly db: Database;
  readonly log: Logger;
}

interface Waiting {
  readonly checkerId: string;
  readonly batch: CheckerBatch;
  /** It was left out of a joint transaction. */
  readonly alone?: boolean;
  readonly resolve: (recorded: RecordedBatch) => void;
  readonly reject: (error: unknown) => void;
}

/** Combines heartbeats that follow each other within this time. A single heartbeat delays no verdict. */
const gatherMs = 50;
const heartbeatsAtOnce = 500;
/** Limit of concurrent transactions with verdicts, so that other work gets connections. */
const recordingsAtOnce = 2;
const batchesTogether = 100;

export class BatchInbox {
  readonly #options: BatchInboxOptions;
  /** The longest first. Each checker has one at a time. */
  readonly #waiting: Waiting[] = [];
  /** Checkers that wait for this process, with the start of the wait and the number of pending messages. */
  readonly #heard = new Map<string, { readonly sinceMs: number; readonly waits: number }>();
  #recording = 0;
  #heartbeats: Waiting[] = [];
  /** When heartbeats were last recorded. */
  #flushedMs = Number.NEGATIVE_INFINITY;
  #gathering: NodeJS.Timeout | undefined;
  #hearing: NodeJS.Timeout | undefined;

  constructor(options: BatchInboxOptions) {
    this.#options = options;
  }

  /** Throws BatchRefusedError. */
  record(checkerId: string, batch: CheckerBatch): Promise<RecordedBatch> {
    const heard = this.hear(checkerId);
    return new Promise<RecordedBatch>((resolve, reject) => {
      const waiting = { checkerId, batch, resolve, reject };
      if (sizeOf(batch) > 0) {
        this.#waiting.push(waiting);
        this.#next();
        return;
      }
      this.#heartbeats.push(waiting);
      const inMs = Math.max(0, this.#flushedMs + gatherMs - performance.now());
      this.#gathering ??= setTimeout(() => void this.#flush(), inMs);
    }).finally(heard);
  }

  /** Marks a checker as waiting for this process. Returns a function that ends it. */
  hear(checkerId: string): () => void {
    this.#count(checkerId, 1);
    this.#hearSoon();
    return () => this.#count(checkerId, -1);
  }

  #count(checkerId: string, more: number): void {
    const { sinceMs, waits } = this.#heard.get(checkerId) ?? { sinceMs: performance.now(), waits: 0 };
    if (waits + more === 0) this.#heard.delete(checkerId);
    else this.#heard.set(checkerId, { sinceMs, waits: waits + more });
  }

  #hearSoon(): void {
    if (this.#heard.size === 0) return;
    this.#hearing ??= setTimeout(() => void this.#hear(), this.#options.heartbeatMs).unref();
  }

  #next(): void {
    while (this.#recording < recordingsAtOnce && this.#waiting.length > 0) {
      this.#recording += 1;
      void this.#record(this.#waiting.splice(0, this.#roomFor())).finally(() => {
        this.#recording -= 1;
        this.#next();
      });
    }
  }

  /** Number of batches that are recorded together next. They have no more verdicts than one batch may have. */
  #roomFor(): number {
    let verdicts = 0;
    const beyond = this.#waiting.findIndex(({ batch, alone }) => {
      verdicts += sizeOf(batch);
      return verdicts > mostVerdicts || alone === true;
    });
    return Math.min(beyond === -1 ? this.#waiting.length : Math.max(1, beyond), batchesTogether);
  }

  async #record(together: readonly Waiting[]): Promise<void> {
    const [first] = together;
    if (together.length === 1 && first !== undefined) return this.#one(first);
    const { db } = this.#options;
    // A row locked by another transaction delays no other batch, and a batch that can't be recorded fails alone.
    const recorded = await recordBatches(db, this.#options, together).catch(() => []);
    const left = settled(together, recorded);
    this.#waiting.unshift(...left.map((each) => ({ ...each, alone: true })));
  }

  async #one({ checkerId, batch, resolve, reject }: Waiting): Promise<void> {
    await recordBatch(this.#options.db, this.#options, checkerId, batch).then(resolve, reject);
  }

  /** Runs one transaction at a time. The longer one takes, the larger the next one is. */
  async #flush(): Promise<void> {
    await this.#together(this.#heartbeats.splice(0, heartbeatsAtOnce));
    this.#flushedMs = performance.now();
    this.#gathering = this.#heartbeats.length === 0 ? undefined : setTimeout(() => void this.#flush(), gatherMs);
  }

  async #together(all: readonly Waiting[]): Promise<void> {
    try {
      const recorded = await recordBatches(this.#options.db, this.#options, all);
      for (const each of settled(all, recorded)) void this.#one(each);
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }

  /** Records checkers as present while they wait for a transaction. A batch that has just arrived records its own time. */
  async #hear(): Promise<void> {
    const { db, log, heartbeatMs } = this.#options;
    const latestMs = performance.now() - heartbeatMs / 2;
    const waiting = [...this.#heard].flatMap(([id, { sinceMs }]) => (sinceMs <= latestMs ? [id] : []));
    await hearCheckers(db, waiting).catch((error: unknown) =>
      log.warn({ err: error }, 'the presence of waiting checkers could not be recorded'),
    );
    this.#hearing = undefined;
    this.#hearSoon();
  }
}

/** Batches of which nothing was recorded. */
function settled(all: readonly Waiting[], recorded: Awaited<ReturnType<typeof recordBatches>>): readonly Waiting[] {
  return all.filter(({ resolve, reject }, at) => {
    const outcome = recorded[at];
    if (outcome instanceof Error) reject(outcome);
    else if (outcome !== undefined) resolve(outcome);
    return outcome === undefined;
  });
}

function sizeOf({ verdicts, past }: CheckerBatch): number {
  return verdicts.length + past.length;
}
