// The worker role of a process: health checks, queues of owed work, sealing of the audit trail and retention, as declared by the
// subgraphs. Any number of workers share this work.
import { Gauge, type Registry } from 'prom-client';
import { AuditAnchors } from '../platform/audit/anchors.ts';
import type { AuditKeys } from '../platform/audit/ends.ts';
import { AuditSealer } from '../platform/audit/sealer.ts';
import { CheckEngine } from '../platform/checks/check-engine.ts';
import { createCheckMetrics } from '../platform/checks/check-metrics.ts';
import type { CheckTenant } from '../platform/checks/check-tenant.ts';
import { SelfCheck } from '../platform/checks/self-check.ts';
import { StarvationGuard } from '../platform/checks/starvation-guard.ts';
import type { Database } from '../platform/database/database.ts';
import { Leases } from '../platform/leases/leases.ts';
import type { Logger } from '../platform/log/log.ts';
import type { EgressPolicy } from '../platform/net/egress.ts';
import type { OwedQueue } from '../platform/owed/owed-queue.ts';
import { OwedWork } from '../platform/owed/owed-work.ts';
import { platformRetention } from '../platform/owed/retention.ts';
import type { Config } from '../platform/process/config.ts';
import type { Health } from '../platform/process/health.ts';
import type { SubgraphWork } from '../platform/process/subgraph-row.ts';
import { createRedis, type RedisLocation } from '../platform/work/redis.ts';
import type { Wake } from '../platform/work/wake.ts';
import { delaysOf } from './check-delays.ts';
import { OwedCarrier } from './queues/owed-carrier.ts';
import { createQueueMetrics } from './queues/queue-metrics.ts';
import { QueueWorker } from './queues/queue-worker.ts';
import { createRetentionQueue } from './queues/retention-queue.ts';
import { createRetentionRun, type RunRetention } from './retention-run.ts';

export interface WorkerOptions {
  readonly db: Database;
  readonly redis: RedisLocation;
  /** Prefix of every key in Redis: separates two systems on one Redis. */
  readonly redisPrefix: string;
  readonly wake: Wake;
  /** For every check. */
  readonly egress: EgressPolicy;
  readonly log: Logger;
  readonly registry: Registry;
  readonly health: Pick<Health, 'add'>;
  /** Uuid of the process incarnation. */
  readonly owner: string;
  /** The leases of the process. Leases of checks are shorter and are renewed separately. */
  readonly leases: Leases;
  readonly config: Pick<Config, 'retention.eventDays' | 'retention.auditDays' | 'audit.anchorFile'>;
  /** Only workers seal and purge the audit trail. */
  readonly auditKeys: AuditKeys;
  /** The work of each subgraph. */
  readonly work: readonly SubgraphWork[];
}

export interface Worker {
  start(): Promise<void>;
  /** Takes no more jobs, finishes running ones, releases its shards. */
  drain(): Promise<void>;
  stop(): Promise<void>;
}

const dayMs = 86_400_000;

/** Owed work that waits for longer makes the worker not ready. */
const mostOwedMs = 60_000;

/** A dead worker's shards are free after this; with the time to look for them a takeover stays below five seconds. */
const shardLeaseMs = 3_000;
const selfCheckMs = 1_000;

interface Component {
  start(): Promise<void> | void;
  drain(): Promise<void>;
  stop(): Promise<void>;
}

/** Opens its connections to Redis in the background; works after `start`. */
export function createWorker(options: WorkerOptions): Worker {
  const components = [createSealing(options), createChecks(options), createQueues(options)];
  return {
    async start() {
      for (const component of components) await component.start();
    },
    async drain() {
      await Promise.all(components.map((component) => component.drain()));
    },
    async stop() {
      await Promise.all(components.map((component) => component.stop()));
    },
  };
}

function createSealing({ db, wake, log, registry, leases, auditKeys, config }: WorkerOptions): Component {
  const anchors = new AuditAnchors({ log, file: config['audit.anchorFile'] });
  const lastSeal = new Gauge({
    name: 'tidegate_audit_last_seal_seconds',
    help: 'When this process last sealed the audit trail, or found nothing to seal, in seconds since 1970. 0: not yet.',
    registers: [registry],
  });
  const onSealed = () => lastSeal.setToCurrentTime();
  const sealer = new AuditSealer({ db, wake, log, leases, keys: auditKeys, anchors, onSealed });
  return {
    start: () => sealer.start(),
    // Entries that other components still write are sealed: it ends with the process.
    drain: async () => undefined,
    stop: () => sealer.stop(),
  };
}

function createChecks(options: WorkerOptions): Component {
  const { db, wake, log, registry, health, owner, work, egress } = options;
  const leases = new Leases({ db, owner, log, ttlMs: shardLeaseMs, renewMs: shardLeaseMs / 3 });
  const metrics = createCheckMetrics(registry);
  const guard = new StarvationGuard({ now: () => performance.now(), onLag: metrics.lag });
  const selfCheck = new SelfCheck({ timeoutMs: selfCheckMs });
  const engines = work
    .flatMap(({ checks = [] }): readonly CheckTenant[] => checks)
    .map((tenant) => new CheckEngine({ tenant, leases, owner, log, guard, selfCheck, metrics, egress, wake }));
  // Not required: a client sent to another process would find no earlier checks there.
  health.add('checks', async () => delaysOf(engines, guard), { required: false });
  const stopEngines = async () => {
    await Promise.all(engines.map((engine) => engine.stop()));
  };
  return {
    async start() {
      await selfCheck.start();
      guard.start();
      for (const engine of engines) engine.start();
    },
    drain: stopEngines,
    async stop() {
      await stopEngines();
      guard.stop();
      await selfCheck.stop();
      await leases.stop();
    },
  };
}

function createQueues(options: WorkerOptions): Component {
  const { db, redis, redisPrefix, wake, log, registry, health, work } = options;
  const queues: readonly OwedQueue[] = [
    createRetentionQueue({ db, runOnce: createRetention(options) }),
    ...work.flatMap((each) => each.queues ?? []),
  ];
  const metrics = createQueueMetrics(registry);
  const prefix = `${redisPrefix}:jobs`;
  const workers = queues.map((queue) => new QueueWorker({ queue, db, redis, prefix, wake, log, metrics }));
  const connection = createRedis(redis, { log, connectionName: 'owed-work' });
  const owedWork = new OwedWork({ db });
  const kinds = queues.map(({ kind }) => kind);
  health.add('owed work', async () => {
    const waitMs = await owedWork.oldestWaitMs(kinds);
    if (waitMs <= mostOwedMs) return undefined;
    throw new Error(`owed work has waited for ${Math.round(waitMs / 1000)} s, and no worker takes it`);
  });
  const carrier = new OwedCarrier({ workers, owedWork, redis: connection, prefix, wake, log, metrics });
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

/** The subgraphs' rows are deleted before the idempotency keys: the keys of deleted calls may be deleted too. */
function createRetention({ db, log, registry, config, work, auditKeys }: WorkerOptions): RunRetention {
  const ofPlatform = platformRetention({
    ...{ db, log, auditKeys },
    eventMs: config['retention.eventDays'] * dayMs,
    auditMs: config['retention.auditDays'] * dayMs,
    endedCalls: async (callIds) => {
      let ended: readonly string[] = callIds;
      for (const each of work) {
        const known = await each.endedCalls?.(ended);
        if (known !== undefined) ended = ended.filter((id) => known.has(id));
      }
      return new Set(ended);
    },
  });
  const ofSubgraphs = work.flatMap(({ retention = [] }) => retention);
  return createRetentionRun({ log, registry, steps: [...ofSubgraphs, ...ofPlatform] });
}
