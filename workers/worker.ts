// The worker role of a process: health checks of backends, and the queues of owed work. Any number of workers share both.
import type { Registry } from 'prom-client';
import type { Config } from '../platform/config.ts';
import type { Database } from '../platform/database/database.ts';
import { Leases } from '../platform/leases.ts';
import type { Logger } from '../platform/log.ts';
import { createRedis, type RedisLocation } from '../platform/redis.ts';
import { Retention } from '../platform/retention.ts';
import type { Sealer } from '../platform/secrets/seal.ts';
import type { Wake } from '../platform/wake.ts';
import { deleteOldOperations, endedCalls } from '../subgraphs/relay/journal/retention.ts';
import { createBackendChecks } from './checks/backend-checks.ts';
import { CheckEngine } from './checks/check-engine.ts';
import { createCheckMetrics } from './checks/check-metrics.ts';
import { SelfCheck } from './checks/self-check.ts';
import { StarvationGuard } from './checks/starvation-guard.ts';
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
    | 'retention.eventDays'
    | 'retention.operationDays'
    | 'retention.auditDays'
    | 'relay.checkIntervalMs'
    | 'relay.checkTimeoutMs'
  >;
}

export interface Worker {
  start(): Promise<void>;
  /** Takes no more jobs, ends those that run, gives its shards to others. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** A dead worker's shards are free after this; with the time to look for them a takeover stays below five seconds. */
const shardLeaseMs = 3_000;
const selfCheckMs = 1_000;

interface Part {
  start(): Promise<void> | void;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens its connections to Redis in the background; works after `start`. */
export function createWorker(options: WorkerOptions): Worker {
  const parts = [createChecks(options), createQueues(options)];
  return {
    async start() {
      for (const part of parts) await part.start();
    },
    async drain() {
      await Promise.all(parts.map((part) => part.drain()));
    },
    async stop() {
      await Promise.all(parts.map((part) => part.stop()));
    },
  };
}

function createChecks(options: WorkerOptions): Part {
  const { db, wake, sealer, log, registry, owner, config } = options;
  const leases = new Leases({ db, owner, log, ttlMs: shardLeaseMs, renewMs: shardLeaseMs / 3 });
  const metrics = createCheckMetrics(registry);
  const guard = new StarvationGuard({ now: () => performance.now(), onLag: metrics.lag });
  const selfCheck = new SelfCheck({ timeoutMs: selfCheckMs });
  const tenant = createBackendChecks({
    db,
    wake,
    sealer,
    intervalMs: config['relay.checkIntervalMs'],
    timeoutMs: config['relay.checkTimeoutMs'],
  });
  const engine = new CheckEngine({ tenant, leases, owner, log, guard, selfCheck, metrics });
  return {
    async start() {
      await selfCheck.start();
      guard.start();
      engine.start();
    },
    drain: () => engine.stop(),
    async stop() {
      await engine.stop();
      guard.stop();
      await selfCheck.stop();
      await leases.stop();
    },
  };
}

function createQueues(options: WorkerOptions): Part {
  const { db, redis, redisPrefix, wake, log, registry, config } = options;
  const queues: readonly OwedQueue[] = [createRetentionQueue({ db, runOnce: createRetention(db, log, config) })];
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
    drain: () => carrier.drain(),
    async stop() {
      await carrier.stop();
      connection.disconnect();
    },
  };
}

/** Calls go before their keys: a key whose call is gone may go too. */
function createRetention(
  db: Database,
  log: Logger,
  config: WorkerOptions['config'],
): (signal: AbortSignal) => Promise<void> {
  const operationMs = config['retention.operationDays'] * dayMs;
  const retention = new Retention({
    db,
    log,
    eventMs: config['retention.eventDays'] * dayMs,
    auditMs: config['retention.auditDays'] * dayMs,
    endedCalls: (callIds) => endedCalls(db, callIds),
  });
  return async (signal) => {
    await deleteOldOperations({ db, operationMs }, signal);
    await retention.runOnce(signal);
  };
}
