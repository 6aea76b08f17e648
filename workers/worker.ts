// The worker role of a process: health checks of backends, and the queues of owed work. Any number of workers share both.
import type { Registry } from 'prom-client';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database/database.ts';
import type { Logger } from '../platform/log.ts';
import { createRedis, type RedisLocation } from '../platform/redis.ts';
import { Retention } from '../platform/retention.ts';
import type { Sealer } from '../platform/secrets/seal.ts';
import type { Wake } from '../platform/wake.ts';
import { OwedCarrier } from './queues/owed-carrier.ts';
import type { OwedQueue } from './queues/owed-queue.ts';
import { createQueueMetrics } from './queues/queue-metrics.ts';
import { QueueWorker } from './queues/queue-worker.ts';
import { createRetentionQueue } from './queues/retention-queue.ts';

export interface WorkerOptions {
  readonly db: Database;
  readonly redis: RedisLocation;
  /** Before every key in Redis: keeps two systems on one Redis apart. */
  readonly redisPrefix: string;
  readonly wake: Wake;
  /** Opens the credentials of backends for their checks. */
  readonly sealer: Sealer;
  readonly log: Logger;
  readonly registry: Registry;
  /** Uuid of the process incarnation. */
  readonly owner: string;
  readonly config: Pick<
    Config,
    'retention.eventDays' | 'retention.auditDays' | 'relay.checkIntervalMs' | 'relay.checkTimeoutMs'
  >;
}

export interface Worker {
  start(): Promise<void>;
  /** Takes no more jobs, ends those that run, gives its shards to others. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** Opens its connections to Redis in the background; works after `start`. */
export function createWorker(options: WorkerOptions): Worker {
  const { db, redis, redisPrefix, wake, log, registry, config } = options;
  const retention = new Retention({
    db,
    log,
    eventMs: config['retention.eventDays'] * dayMs,
    auditMs: config['retention.auditDays'] * dayMs,
  });
  const queues: readonly OwedQueue[] = [createRetentionQueue({ db, runOnce: (signal) => retention.runOnce(signal) })];
  const metrics = createQueueMetrics(registry);
  const prefix = `${redisPrefix}:jobs`;
  const workers = queues.map((queue) => new QueueWorker({ queue, db, redis, prefix, wake, log, metrics }));
  const connection = createRedis(redis, { log, connectionName: 'owed-work' });
  const carrier = new OwedCarrier({ workers, redis: connection, prefix, wake, log, metrics });
  return {
    async start() {
      for (const queue of queues) await queue.begin?.();
      carrier.start();
    },
    async drain() {
      await carrier.drain();
    },
    async stop() {
      await carrier.stop();
      connection.disconnect();
    },
  };
}
