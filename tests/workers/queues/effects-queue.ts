// A queue for tests. Each job adds one row to a table of the test's own, in the transaction that completes it.
import { setTimeout as sleep } from 'node:timers/promises';
import { Registry } from 'prom-client';
import type { Database } from '../../../platform/database/database.ts';
import { createLogger } from '../../../platform/log/log.ts';
import type { OwedQueue } from '../../../platform/owed/owed-queue.ts';
import { finishOwed, type OwedJob, OwedWork } from '../../../platform/owed/owed-work.ts';
import { createRedis, type RedisLocation } from '../../../platform/work/redis.ts';
import type { Wake } from '../../../platform/work/wake.ts';
import { OwedCarrier } from '../../../workers/queues/owed-carrier.ts';
import { createQueueMetrics } from '../../../workers/queues/queue-metrics.ts';
import { QueueWorker } from '../../../workers/queues/queue-worker.ts';

export const createEffects = `CREATE TABLE test_effect (n BIGINT AUTO_INCREMENT PRIMARY KEY, owed VARCHAR(128), wanted BIGINT, worker VARCHAR(32))`;

interface EffectsQueueOptions {
  readonly db: Database;
  readonly worker: string;
  readonly jobMs: number;
  readonly deadlineMs?: number;
  readonly onStart?: (job: OwedJob) => void | Promise<void>;
}

export function effectsQueue(options: EffectsQueueOptions): OwedQueue {
  const { db, worker, jobMs, deadlineMs = 10_000, onStart } = options;
  return {
    kind: 'test',
    concurrency: 4,
    deadlineMs,
    async run(job) {
      await onStart?.(job);
      await sleep(jobMs);
      await db.transaction(async (tx) => {
        const sql = 'INSERT INTO test_effect (owed, wanted, worker) VALUES (?, ?, ?)';
        await tx.execute(sql, [job.key, job.wanted, worker]);
        await finishOwed(tx, job);
      });
    },
  };
}

export interface CarrierOptions {
  readonly db: Database;
  readonly queue: OwedQueue;
  readonly redis: RedisLocation;
  readonly wake: Wake;
  readonly registry?: Registry;
  /** Default 200. */
  readonly dispatchMs?: number;
}

export function carrier(options: CarrierOptions): { start(): void; stop(): Promise<void> } {
  const { db, queue, redis, wake, registry = new Registry(), dispatchMs = 200 } = options;
  const log = createLogger({ level: 'silent', pretty: false });
  const prefix = 'test:jobs';
  const metrics = createQueueMetrics(registry);
  const worker = new QueueWorker({ queue, db, redis, prefix, wake, log, metrics });
  const connection = createRedis(redis, { log });
  const subject = new OwedCarrier({
    workers: [worker],
    owedWork: new OwedWork({ db }),
    redis: connection,
    prefix,
    wake,
    log,
    metrics,
    dispatchMs,
    markerMs: 100,
  });
  return {
    start: () => subject.start(),
    async stop() {
      await subject.drain();
      await subject.stop();
      connection.disconnect();
    },
  };
}
