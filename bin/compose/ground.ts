// What every role with a database stands on: the database, Redis, leases, the sequencer, the sealer, the feed of status events.
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { AuditSealer } from '../../platform/audit/sealer.ts';
import { type Config, ConfigError } from '../../platform/config.ts';
import { Database } from '../../platform/database/database.ts';
import type { DiskGuard } from '../../platform/database/disk-guard.ts';
import { pendingMigrations } from '../../platform/database/migrate.ts';
import { StatusFeed } from '../../platform/events/feed.ts';
import { Sequencer } from '../../platform/events/sequencer.ts';
import type { Health } from '../../platform/health.ts';
import { newUuid } from '../../platform/ids.ts';
import { Leases } from '../../platform/leases.ts';
import type { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import { addPlatformMetrics } from '../../platform/metrics.ts';
import { OwedWork } from '../../platform/owed-work.ts';
import { createRedis } from '../../platform/redis.ts';
import { createRedisWake, type Wake } from '../../platform/wake.ts';
import { databaseLocation, redisLocation } from './connections.ts';
import { migrationsFolder, redisPrefix } from './places.ts';

/** What only a process beside its own database has. */
export interface LocalParts {
  readonly diskGuard?: DiskGuard;
}

/** What every role with a database stands on. */
export interface Ground {
  readonly owner: string;
  readonly db: Database;
  readonly redis: Redis;
  readonly wake: Wake;
  readonly feed: StatusFeed;
  readonly leases: Leases;
}

export interface GroundParts extends LocalParts {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly registry: Registry;
  readonly health: Health;
}

export async function layGround({ config, log, lifecycle, registry, health, diskGuard }: GroundParts): Promise<Ground> {
  const owner = newUuid();
  const db = new Database({
    connection: databaseLocation(config),
    connectionLimit: config['database.connections'],
    ...(diskGuard === undefined ? {} : { checkWritable: () => diskGuard.check() }),
  });
  await lifecycle.add('database', { stop: () => db.close() });
  const pending = await pendingMigrations(db, migrationsFolder);
  if (pending.length > 0)
    throw new ConfigError([`the database lacks the migrations ${pending.join(', ')}: run "tidegate migrate"`]);
  const redis = createRedis(redisLocation(config), { log });
  await lifecycle.add('redis', { stop: () => redis.disconnect() });
  const wake = createRedisWake(redisLocation(config), { prefix: redisPrefix, log });
  await lifecycle.add('wake', { stop: () => wake.close() });
  const leases = new Leases({ db, owner, log });
  await lifecycle.add('leases', { stop: () => leases.stop() });
  const sequencer = new Sequencer({ db, wake, log, leases });
  await lifecycle.add('sequencer', sequencerPart(sequencer));
  const sealer = new AuditSealer({ db, log, leases });
  await lifecycle.add('audit sealer', { start: () => sealer.start(), stop: () => sealer.stop() });
  const feed = new StatusFeed({ db, wake, log });
  await lifecycle.add('status feed', { start: () => feed.start(), stop: () => feed.stop() });
  addPlatformMetrics(registry, { db, sequencer, feed, leases, owedWork: new OwedWork({ db }) });
  health.add('database', async () => {
    await db.query('SELECT 1');
    diskGuard?.check();
    return undefined;
  });
  // Work goes on without Redis, by polling: it is not needed to be ready.
  health.add(
    'redis',
    async () => {
      await redis.ping();
      return undefined;
    },
    { required: false },
  );
  health.add('sequencer', async () => {
    const lagMs = await sequencer.lagMs();
    if (lagMs > 5_000) throw new Error(`status events wait for ${Math.round(lagMs / 1000)} s`);
    return undefined;
  });
  health.add('status feed', async () => {
    const { readAgoMs } = feed.figures();
    if (readAgoMs > 5_000) throw new Error(`last read ${Math.round(readAgoMs / 1000)} s ago`);
    return undefined;
  });
  return { owner, db, redis, wake, feed, leases };
}

function sequencerPart(sequencer: Sequencer): { start: () => void; stop: () => Promise<void> } {
  return { start: () => sequencer.start(), stop: () => sequencer.stop() };
}
