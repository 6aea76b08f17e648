import type { Socket } from 'node:net';
import type { Redis } from 'ioredis';
import { Database } from '../platform/database/database.ts';
import { DatabaseTimes } from '../platform/database/database-times.ts';
import { DiskSpace } from '../platform/database/disk-space.ts';
import { connectFirst, readPacketFault } from '../platform/database/first-connections.ts';
import { type MigrationOwner, ownersIn, pendingMigrations } from '../platform/database/migrate.ts';
import { refuseFarProcesses, registeredProcesses } from '../platform/database/registered-processes.ts';
import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import { Sequencer } from '../platform/events/sequencer.ts';
import { EndedLeases } from '../platform/leases/ended-leases.ts';
import { Leases } from '../platform/leases/leases.ts';
import { ProcessLease } from '../platform/leases/process-lease.ts';
import { RunningTime } from '../platform/leases/running-time.ts';
import { TrustedClock } from '../platform/leases/trusted-clock.ts';
import type { Logger } from '../platform/log/log.ts';
import { OwedWork } from '../platform/owed/owed-work.ts';
import type { Config } from '../platform/process/config.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import { addPlatformMetrics } from '../platform/process/metrics.ts';
import { programVersion } from '../platform/process/program-version.ts';
import { startStep } from '../platform/process/start-budget.ts';
import type { DatabaseContext, ProcessContext } from '../platform/process/subgraph-row.ts';
import { RestoreGuard } from '../platform/restore/restore-guard.ts';
import { checkTimeline } from '../platform/restore/timelines.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import { createSealer, type Sealer } from '../platform/secrets/seal.ts';
import { newUuid } from '../platform/values/ids.ts';
import { checkRedis, closedRedis, createRedis, isRedisCluster } from '../platform/work/redis.ts';
import { createLocalWake, createRedisWake } from '../platform/work/wake.ts';
import { databaseLocations, redisLocation } from './connections.ts';
import { databasePlaces, type ProcessEgress } from './egress.ts';
import type { FollowedHosts } from './ha-hosts.ts';
import { outerMemories } from './outer-memories.ts';
import { redisPrefix } from './places.ts';

/** Leases are renewed every 1.5 s. */
const mostUnwrittenMs = 5_000;

interface ContextDependencies {
  readonly config: Config;
  readonly lifecycle: Lifecycle;
  readonly process: ProcessContext;
  readonly keys: KeyFolder;
  readonly egress: ProcessEgress;
  /** Hosts of the cluster that the database is in. Undefined if it is in none. */
  readonly hosts: FollowedHosts | undefined;
  /** Owners whose tables the database must have. */
  readonly owners: readonly MigrationOwner[];
  /** Owners whose tables it may have. */
  readonly others: readonly MigrationOwner[];
}

export interface OpenContext {
  readonly context: DatabaseContext;
  /** Owners whose tables the database has. */
  readonly owners: ReadonlySet<string>;
}

export async function openDatabaseContext(dependencies: ContextDependencies): Promise<OpenContext> {
  const { config, lifecycle, process } = dependencies;
  const { log, registry } = process;
  const owner = newUuid();
  const host = config['ha.host'];
  const db = await openDatabase(dependencies);
  const owners = await ownersIn(db);
  const needed = [...dependencies.owners, ...dependencies.others.filter((each) => owners.has(each.owner))];
  await refusePending(db, needed, config);
  const isQuiet = config['serve.quiet'];
  const redis = isQuiet ? closedRedis() : await openRedis(dependencies);
  const wake = isQuiet ? createLocalWake() : createRedisWake(redisLocation(config), { prefix: redisPrefix, log });
  await lifecycle.add('wake', { stop: () => wake.close() });
  const leases = new Leases({ db, owner, host, log });
  const trustedClock = new TrustedClock({ db, log });
  if (isQuiet) {
    addPlatformMetrics(registry, { db });
    addQuietHealth(process.health, db);
  } else await startOwnWork(dependencies, { db, redis, wake, owner, leases, trustedClock, needed });
  let opened: Promise<Sealer> | undefined;
  const openSealer = async (): Promise<Sealer> => createSealer(await dependencies.keys.shared('sealing'));
  const context: DatabaseContext = {
    ...process,
    ...{ owner, host, db, redis, redisPrefix, wake, leases, trustedClock },
    sealer() {
      opened ??= openSealer();
      return opened;
    },
  };
  return { context, owners };
}

type OwnWork = Pick<DatabaseContext, 'db' | 'redis' | 'wake' | 'owner' | 'leases' | 'trustedClock'> & {
  readonly needed: readonly MigrationOwner[];
};

/** What a process writes for itself, and its health. */
async function startOwnWork({ config, lifecycle, process }: ContextDependencies, parts: OwnWork): Promise<void> {
  const { log, registry } = process;
  const { db, redis, wake, owner, leases, trustedClock, needed } = parts;
  const guard = new RestoreGuard({
    ...{ db, wake, log, owner },
    memories: outerMemories(config, redis, 'commits'),
    onSetBack: config['database.onSetBack'],
  });
  await lifecycle.add('restore guard', guard);
  await lifecycle.add('leases', { stop: () => leases.stop() });
  await lifecycle.add('process lease', new ProcessLease({ leases, role: 'process', owner, log }));
  // Again: from now on a migration that removes something waits for this process, but one may have run just before.
  await refusePending(db, needed, config);
  refuseFarProcesses(await registeredProcesses(db), (await programVersion()).version);
  const endedLeases = new EndedLeases({ db, log });
  await lifecycle.add('ended leases', { start: () => endedLeases.start(), stop: () => endedLeases.stop() });
  await lifecycle.add('trusted clock', trustedClock);
  await lifecycle.add('running time', new RunningTime({ db, log, roles: config.roles }));
  const sequencer = new Sequencer({ db, wake, log, leases });
  await lifecycle.add('sequencer', sequencerPart(sequencer));
  addPlatformMetrics(registry, { db, sequencer, leases, redis, owedWork: new OwedWork({ db }) });
  addHealth(process.health, { db, redis, guard, leases, endedLeases, trustedClock, sequencer });
}

async function openDatabase({ config, lifecycle, process, hosts, egress }: ContextDependencies): Promise<Database> {
  const { log, registry, slow } = process;
  const disk = databaseDisk(config);
  const db = new Database({
    connection: databaseLocations(config),
    connectionLimit: config['database.connections'],
    strict: config['ha.strict'],
    readsOnly: config['serve.quiet'],
    followsList: hosts?.areServers === true,
    ...(disk === undefined ? {} : { disk }),
    times: new DatabaseTimes({ registry, slow }),
    log,
  });
  await lifecycle.add('database', { drain: () => db.drain(), stop: () => db.close() });
  hosts?.onChange(async (changed) => {
    await egress.own.add(...databasePlaces(changed));
    db.setServers(databaseLocations(changed));
  });
  await startStep('the first connections to the database', { log }, (signal) => connectFirst(db, signal));
  await refuseSmallPackets(db);
  return db;
}

async function refuseSmallPackets(db: Database): Promise<void> {
  const fault = await readPacketFault(db);
  if (fault === undefined) return;
  throw new ConfigError([{ settings: ['database.host'], wrong: fault.wrong, advice: `run ${fault.mend}` }]);
}

async function refusePending(db: Database, needed: readonly MigrationOwner[], config: Config): Promise<void> {
  const pending = await pendingMigrations(db, needed);
  if (pending.length === 0) return;
  throw new ConfigError([
    {
      settings: ['database.name'],
      wrong: `the database lacks the migrations ${pending.join(', ')}`,
      given: config['database.name'],
      advice: 'run "tidegate migrate"',
    },
  ]);
}

async function openRedis({ config, lifecycle, process: { log }, egress }: ContextDependencies): Promise<Redis> {
  const redis = createRedis(redisLocation(config), { log });
  await lifecycle.add('redis', { stop: () => redis.disconnect() });
  if (await isRedisCluster(redis))
    throw new ConfigError([
      {
        settings: ['redis.host'],
        wrong: 'this Redis is in cluster mode, which spreads the keys of a queue over several servers',
        advice: 'give a Redis without cluster mode, or Sentinels',
      },
    ]);
  if (config['redis.sentinels'] !== undefined) denyFoundRedis(redis, egress, log);
  return redis;
}

interface CheckedParts {
  readonly db: Database;
  readonly redis: Redis;
  readonly guard: RestoreGuard;
  readonly leases: Leases;
  readonly endedLeases: EndedLeases;
  readonly trustedClock: TrustedClock;
  readonly sequencer: Sequencer;
}

function addHealth(health: ProcessContext['health'], parts: CheckedParts): void {
  const { db, redis, guard, leases, endedLeases, trustedClock, sequencer } = parts;
  health.add('database', async () => {
    await db.query('SELECT 1');
    db.checkWritable();
    const silentMs = leases.writtenAgoMs;
    if (silentMs <= mostUnwrittenMs) return undefined;
    throw new Error(`no lease could be renewed for ${Math.round(silentMs / 1000)} s: the database takes no writes`);
  });
  health.add('set back', async () => {
    if (guard.refusal !== undefined) throw new Error(guard.refusal);
    return undefined;
  });
  health.add('timeline', async () => checkTimeline(db), { required: false });
  health.add('leases', async () => {
    const { suspects } = endedLeases;
    if (suspects.length === 0) return undefined;
    const named = suspects.slice(0, 5).join(', ');
    throw new Error(`the clock was set back; ${suspects.length} leases are freed in a few seconds: ${named}`);
  });
  // The process continues to serve, and deletes less.
  health.add(
    'clock',
    async () => {
      trustedClock.check();
      return undefined;
    },
    { required: false },
  );
  // Without Redis, work continues by polling: readiness does not require it.
  health.add(
    'redis',
    async () => {
      await checkRedis(redis, `${redisPrefix}:health`);
      return undefined;
    },
    { required: false },
  );
  health.add('sequencer', async () => {
    const lagMs = await sequencer.lagMs();
    if (lagMs > 5_000) throw new Error(`status events wait for ${Math.round(lagMs / 1000)} s`);
    return undefined;
  });
}

function addQuietHealth(health: ProcessContext['health'], db: Database): void {
  health.add('database', async () => {
    await db.query('SELECT 1');
    return undefined;
  });
  health.add('timeline', async () => checkTimeline(db), { required: false });
  health.add(
    'quiet',
    async () => {
      throw new Error('this process was started with serve --quiet: it reads only, and refuses every change');
    },
    { required: false },
  );
}

function sequencerPart(sequencer: Sequencer): { start: () => void; stop: () => Promise<void> } {
  return { start: () => sequencer.start(), stop: () => sequencer.stop() };
}

/** Undefined if no server of the database is on this host. */
function databaseDisk(config: Config): DiskSpace | undefined {
  const path = config['database.dataFolder'];
  if (path === undefined) return undefined;
  try {
    return new DiskSpace(path);
  } catch (error) {
    throw new ConfigError([unusableFile(['database.dataFolder'], path, error)]);
  }
}

/** The settings name only the Sentinels. The Redis behind them is an own listener, too. */
function denyFoundRedis(redis: Redis, egress: ProcessEgress, log: Logger): void {
  const found = new Set<string>();
  redis.on('connect', () => {
    const { remoteAddress: host, remotePort: port } = redis.stream as Socket;
    if (host === undefined || port === undefined || found.has(`${host} ${port}`)) return;
    found.add(`${host} ${port}`);
    egress.own
      .add({ host, port, mayBeWider: true })
      .catch((error: unknown) => log.error({ err: error }, 'the address of Redis is not denied to users'));
  });
}
