// A client of the stream that behaves like a browser: it logs its items, is dropped at random, and resumes at another feed with its last cursor.
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedItem, StatusFeed } from '../../platform/events/feed.ts';
import type { Random } from '../random.ts';
import { judgeLog, type LogEntry, type Verdict } from './verdict.ts';
import { eventKey, type WrittenEvent } from './writers.ts';

interface ReaderOptions {
  /** Undefined for everything. */
  readonly kind: string | undefined;
  readonly random: Random;
  /** A feed that is currently running. */
  readonly feed: () => StatusFeed;
  /** The longest time until it is dropped. */
  readonly longestMs: number;
}

export class Reader {
  readonly #options: ReaderOptions;
  readonly #log: LogEntry[] = [];
  readonly #stopping = new AbortController();
  #cursor: string | null;
  #done: Promise<void> | undefined;
  resumptions = 0;

  constructor(options: ReaderOptions, cursor: string) {
    this.#options = options;
    this.#cursor = cursor;
  }

  start(): void {
    this.#done = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#done;
  }

  get received(): number {
    return this.#log.length;
  }

  wants(event: { readonly kind: string }): boolean {
    return this.#options.kind === undefined || event.kind === this.#options.kind;
  }

  /** Arrival time of each event, by its key. */
  arrivals(): ReadonlyMap<string, number> {
    return new Map(this.#log.map((entry) => [eventKey(entry), entry.atMs]));
  }

  judge(written: readonly WrittenEvent[]): Verdict {
    const wanted = written.filter((event) => this.wants(event));
    return judgeLog(this.#log, wanted, { all: this.#options.kind === undefined });
  }

  async #run(): Promise<void> {
    const { random, longestMs } = this.#options;
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      const signal = AbortSignal.any([stopping, AbortSignal.timeout(random.integer(5, longestMs))]);
      try {
        await this.#read(signal, random.next() < 0.2 ? random.integer(1, 5) : 0);
      } catch (error) {
        // A feed that is being replaced refuses clients. A refused cursor would be a failure of the trial.
        if (!(error instanceof Error && error.message.includes('not started'))) throw error;
        await sleep(5);
      }
      this.resumptions += 1;
    }
  }

  async #read(signal: AbortSignal, slowMs: number): Promise<void> {
    const { feed } = this.#options;
    const items = feed().subscribe({ after: this.#cursor, filter: (event) => this.wants(event), signal });
    for await (const item of items) {
      this.#take(item);
      if (slowMs > 0) await sleep(slowMs);
    }
  }

  #take({ cursor, event }: FeedItem): void {
    this.#cursor = cursor;
    if (event === null) return;
    const { seq, subjectId, subjectVersion } = event;
    this.#log.push({ seq, subjectId, version: subjectVersion, atMs: performance.now() });
  }
}
