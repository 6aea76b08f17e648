// One kind's BullMQ queue with the worker that takes its jobs. A job in Redis is only a hint: the claim in the database decides
// what is done, so that duplicate, late or lost jobs do no harm.
import { createHash } from 'node:crypto';
import { Queue, Worker } from 'bullmq';
import type { Database } from '../../platform/database/database.ts';
import type { Logger } from '../../platform/log/log.ts';
import type { OwedQueue } from '../../platform/owed/owed-queue.ts';
import {
  type ClaimedJob,
  type DueRow,
  deadAfterAttempts,
  OwedWork,
  OwedWorkLostError,
  type RetryPolicy,
  usualRetry,
} from '../../platform/owed/owed-work.ts';
import { createQueueConnection, type QueueConnection, type RedisLocation } from '../../platform/work/redis.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { atMost, within } from '../../platform/work/within.ts';
import { KeptClaim } from './kept-claim.ts';
import type { QueueMetrics } from './queue-metrics.ts';

interface QueueWorkerOptions {
  readonly queue: OwedQueue;
  readonly db: Database;
  readonly redis: RedisLocation;
  readonly prefix: string;
  readonly wake: Wake;
  readonly log: Logger;
  readonly metrics: QueueMetrics;
}

export interface Dispatched {
  readonly jobs: number;
  /** Why Redis took no jobs; undefined if it did. */
  readonly refused: unknown;
}

interface JobData {
  readonly key: string;
}

/** A process that was killed or stopped holds its jobs for so long. */
const claimMs = 1_500;
const renewMs = 400;
const maxRowsAtOnce = 1_000;
/** How long a job's claim outlives its signal: time to end, and to roll back. */
const claimGraceMs = 5_000;
/** A row that nobody has claimed for so long is handed over again: a process may have died or stopped with the job, or its wake-up, in hand. */
const unclaimedMs = 500;
/** A row that was handed over more often than this is claimed from the database, if this process has room for it. */
const mostHandOvers = 2;
/**
 * How long a worker without jobs waits in Redis, in seconds. A job ends the wait at once. A connection that is dead without notice is
 * found at its end, and until then rows are run here.
 */
const idleWaitSeconds = 60;
/** How often a worker looks for jobs of ended processes. They are handed over again long before: this only empties Redis. */
const stalledInterval = 600_000;
/** BullMQ waits for Redis without end: its first connection, and in a pause the connection that it has just broken off. */
const redisMs = 2_000;

export class QueueWorker {
  readonly #options: QueueWorkerOptions;
  readonly #owedWork: OwedWork;
  readonly #connections: readonly QueueConnection[];
  readonly #queue: Queue<JobData>;
  readonly #worker: Worker<JobData>;
  readonly #jobs = new Set<Promise<void>>();
  /** Rows that this process has handed over and that were still due at the last poll, by job ID. */
  #handed = new Map<string, { readonly times: number; readonly againAtMs: number }>();
  readonly #stopping = new AbortController();
  readonly #retry: RetryPolicy;
  #onAwaited: (dueInMs: number) => void = () => undefined;
  /** Hand-overs in a row that Redis refused. */
  #refusals = 0;
  /** Keys that are run without Redis. */
  readonly #here = new Set<string>();

  /** Connects to Redis; takes jobs after `start`. */
  constructor(options: QueueWorkerOptions) {
    this.#options = options;
    const { queue, redis, prefix, db } = options;
    this.#retry = queue.retry ?? usualRetry;
    this.#owedWork = new OwedWork({
      db,
      claimMs,
      longestClaimMs: queue.deadlineMs + claimGraceMs,
      retry: this.#retry,
    });
    // If done or failed jobs were kept, adding them again would silently do nothing.
    const removed = { removeOnComplete: true, removeOnFail: true };
    const adding = createQueueConnection(redis, { keepCommands: false });
    const taking = createQueueConnection(redis, { keepCommands: true });
    this.#connections = [adding, taking];
    this.#queue = new Queue(queue.kind, {
      connection: adding.redis,
      prefix,
      // It asks for the version once, and without an answer then it would never work.
      skipVersionCheck: true,
      defaultJobOptions: { attempts: 1, ...removed },
    });
    this.#worker = new Worker(queue.kind, (job) => this.#keep(this.#take(job.data.key)), {
      connection: taking.redis,
      prefix,
      autorun: false,
      concurrency: queue.concurrency,
      drainDelay: idleWaitSeconds,
      stalledInterval,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    // Its connections log when Redis is not available; without a listener the event would end the process.
    this.#queue.on('error', (error) => options.log.debug({ err: error, queue: queue.kind }, 'queue'));
    this.#worker.on('error', (error) => options.log.debug({ err: error, queue: queue.kind }, 'queue worker'));
  }

  get kind(): string {
    return this.#options.queue.kind;
  }

  /** `onAwaited`: a job that ended is due again after so long. */
  start(onAwaited: (dueInMs: number) => void): void {
    this.#onAwaited = onAwaited;
    void this.#worker.run();
  }

  /**
   * Adds a job for each due row. A row that nobody claims although it was handed over several times is run here: Redis may refuse
   * writes, or keep its jobs to itself. Throws when the database is not available.
   */
  async dispatch(): Promise<Dispatched> {
    const { kind } = this.#options.queue;
    const rows = await this.#owedWork.dueRows({ kinds: [kind], limit: maxRowsAtOnce });
    const now = performance.now();
    const handed = rows.map((row) => {
      const id = jobIdOf(row);
      const before = this.#handed.get(id);
      if (before !== undefined && now < before.againAtMs) return { row, id, mark: before, job: undefined };
      const times = before === undefined ? 0 : before.times + 1;
      // The delay doubles each time: jobs that wait for their turn are not lost.
      const mark = { times, againAtMs: now + unclaimedMs * 2 ** Math.min(times, 20) };
      return { row, id, mark, job: { row, jobId: times === 0 ? id : `${id}-${times}` } };
    });
    const jobs = handed.flatMap(({ job }) => job ?? []);
    this.#handed = new Map(handed.map(({ id, mark }) => [id, mark]));
    const isRefusing = this.#refusals > mostHandOvers;
    this.#runHere(handed.filter(({ mark }) => isRefusing || mark.times > mostHandOvers).map(({ row }) => row.key));
    try {
      await this.#add(jobs);
      if (jobs.length > 0) this.#refusals = 0;
      return { jobs: jobs.length, refused: undefined };
    } catch (error) {
      this.#refusals += 1;
      return { jobs: 0, refused: error };
    }
  }

  /** The claim decides, as for a job from Redis. */
  #runHere(keys: readonly string[]): void {
    const { queue, log } = this.#options;
    for (const key of keys) {
      if (this.#jobs.size >= queue.concurrency || this.#stopping.signal.aborted) return;
      if (this.#here.has(key)) continue;
      this.#here.add(key);
      void this.#keep(
        this.#take(key)
          .catch((error: unknown) => log.debug({ err: error, queue: queue.kind, key }, 'a row could not be claimed'))
          .finally(() => {
            this.#here.delete(key);
            this.#onAwaited(0);
          }),
      );
    }
  }

  /** Nothing is due, or Redis has lost its jobs: everything is handed over again. */
  forget(): void {
    this.#handed.clear();
  }

  /** Takes no more jobs and waits for running ones, whatever has become of Redis. */
  async drain(): Promise<void> {
    const paused = this.#worker.pause().catch(() => undefined);
    await this.#jobsEnded();
    await atMost(redisMs, paused);
    // Taken in the last moment.
    await this.#jobsEnded();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    // Forced: it waits for nothing. Running jobs have claims, which expire.
    await this.#worker.close(true);
    await this.#queue.close();
    for (const connection of this.#connections) connection.close();
  }

  async #add(rows: readonly { readonly row: DueRow; readonly jobId: string }[]): Promise<void> {
    if (rows.length === 0) return;
    const jobs = rows.map(({ row, jobId }) => ({ name: row.kind, data: { key: row.key }, opts: { jobId } }));
    await within(redisMs, 'Redis did not take the jobs', () => this.#queue.addBulk(jobs));
  }

  #keep(job: Promise<void>): Promise<void> {
    const kept = job.finally(() => this.#jobs.delete(kept));
    this.#jobs.add(kept);
    return kept;
  }

  async #jobsEnded(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.allSettled(this.#jobs);
  }

  async #take(key: string): Promise<void> {
    const { queue, log } = this.#options;
    await this.#run(key);
    // A wake-up in the meantime found the row claimed.
    try {
      const row = await this.#owedWork.awaited(queue.kind, key);
      if (row === undefined) return;
      if (row.dueInMs <= 0) await this.#add([{ row, jobId: jobIdOf(row) }]);
      else this.#onAwaited(row.dueInMs);
    } catch (error) {
      log.debug({ err: error, queue: queue.kind, key }, 'the next dispatch finds what is owed');
    }
  }

  async #run(key: string): Promise<void> {
    const { queue, log, metrics } = this.#options;
    const job = await this.#owedWork.claim(queue.kind, key);
    if (job === undefined) return;
    const startedAt = performance.now();
    const forMs = queue.deadlineMs + claimGraceMs;
    const { signal: stopping } = this.#stopping;
    const claim = new KeptClaim({ owedWork: this.#owedWork, job, everyMs: renewMs, forMs, stopping, log });
    const signal = AbortSignal.any([AbortSignal.timeout(queue.deadlineMs), stopping, claim.signal]);
    try {
      await queue.run(job, { signal });
      metrics.ended(queue.kind, 'done', performance.now() - startedAt);
    } catch (error) {
      if (error instanceof OwedWorkLostError) {
        metrics.ended(queue.kind, 'lost', performance.now() - startedAt);
        log.warn({ err: error, queue: queue.kind, key }, 'a job was rolled back: its claim is gone');
        return;
      }
      metrics.ended(queue.kind, 'failed', performance.now() - startedAt);
      await this.#giveBack(job, error);
    } finally {
      claim.end();
    }
  }

  async #giveBack(job: ClaimedJob, error: unknown): Promise<void> {
    const { log, wake, queue } = this.#options;
    const { key, attempts } = job;
    if (this.#retry.forever || attempts < deadAfterAttempts) {
      log.warn({ err: error, queue: queue.kind, key, attempts }, 'a job failed: it will be tried again');
      await this.#owedWork.fail(job, error);
    } else {
      log.error({ err: error, queue: queue.kind, key, attempts }, 'a job keeps failing: it will be tried once an hour');
      await this.#owedWork.bury(job, error, wake);
    }
  }
}

/** The same for the same attempt at the same work, so that dispatchers in many processes add it once; never an integer. */
export function jobIdOf(row: DueRow): string {
  const hash = createHash('sha256').update(`${row.kind}\n${row.key}`).digest('hex').slice(0, 32);
  return `${hash}-${row.wanted}-${row.attempts}`;
}
