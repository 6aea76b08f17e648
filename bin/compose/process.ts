// The composition root: from settings to a running process with any of the roles. The only place that knows all parts.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import type { Registry } from 'prom-client';
import { createGateway, type Gateway, type SubgraphLocation } from '../../gateway/gateway.ts';
import type { Authenticator } from '../../platform/access.ts';
import { AuditSealer } from '../../platform/audit/sealer.ts';
import { Commits } from '../../platform/commits.ts';
import { type Config, ConfigError, type ProcessRole } from '../../platform/config.ts';
import { Database } from '../../platform/database/database.ts';
import type { DiskGuard } from '../../platform/database/disk-guard.ts';
import { pendingMigrations } from '../../platform/database/migrate.ts';
import { StatusFeed } from '../../platform/events/feed.ts';
import { Sequencer } from '../../platform/events/sequencer.ts';
import { RemoteAuthenticator } from '../../platform/graph/remote-authenticator.ts';
import { serveSubgraph } from '../../platform/graph/serve-subgraph.ts';
import type { Subgraph } from '../../platform/graph/subgraph.ts';
import { Health } from '../../platform/health.ts';
import { newUuid } from '../../platform/ids.ts';
import { Leases } from '../../platform/leases.ts';
import { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import { addPlatformMetrics, createMetrics } from '../../platform/metrics.ts';
import { Mutations } from '../../platform/mutation.ts';
import { createRedis } from '../../platform/redis.ts';
import { openKeyring } from '../../platform/secrets/keyring.ts';
import { createSealer } from '../../platform/secrets/seal.ts';
import { createRedisWake } from '../../platform/wake.ts';
import { createRelaySubgraph, type RelaySubgraph } from '../../subgraphs/relay/relay.ts';
import { RedisRateLimiter } from '../../subgraphs/system/access/rate-limiter.ts';
import { createSystemSubgraph, type SystemSubgraph } from '../../subgraphs/system/system.ts';
import { createWorker } from '../../workers/worker.ts';
import { databaseLocation, internalTls, keyFile, publicTls, redisLocation, standbyLocation } from './connections.ts';

export const migrationsFolder = fileURLToPath(new URL('../../prisma/migrations', import.meta.url));
const supergraphFile = new URL('../../schema/supergraph.graphql', import.meta.url);
const dashboardFolder = fileURLToPath(new URL('../../dashboard/dist', import.meta.url));

/** Everything shared in Redis is under this prefix. */
const redisPrefix = 'tidegate';

export interface RunningProcess {
  /** The public endpoint; undefined without the role gateway. */
  readonly url: string | undefined;
  /** Present with the role system. */
  readonly system: SystemSubgraph | undefined;
  /** Present with the role relay. */
  readonly relay: RelaySubgraph | undefined;
  /** UUID of this incarnation, by which leases and calls know it; undefined for a gateway alone. */
  readonly owner: string | undefined;
  readonly registry: Registry;
  readonly health: Health;
  /** Drains requests, subscriptions, calls and jobs, then closes the connections. Never throws. */
  stop(): Promise<void>;
}

/** What only a process beside its own database has. */
export interface LocalParts {
  readonly diskGuard?: DiskGuard;
}

/** Starts the roles of `config`; what was started is stopped again when one of them can't be. */
export async function startProcess(config: Config, log: Logger, local: LocalParts = {}): Promise<RunningProcess> {
  const lifecycle = new Lifecycle({ log });
  try {
    const running = await compose(config, log, lifecycle, local);
    lifecycle.ready();
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function compose(config: Config, log: Logger, lifecycle: Lifecycle, local: LocalParts): Promise<RunningProcess> {
  const has = (role: ProcessRole) => config.roles.includes(role);
  const registry = createMetrics();
  const health = new Health();
  const trust = await openKeyring(keyFile(config, 'keys.trustFile'));
  const ground =
    has('system') || has('relay') || has('worker')
      ? await layGround({ config, log, lifecycle, registry, health, ...local })
      : undefined;

  let system: SystemSubgraph | undefined;
  let relay: RelaySubgraph | undefined;
  if (ground !== undefined) {
    const { db, wake, feed, leases, redis } = ground;
    const standbyAt = standbyLocation(config);
    const standby = standbyAt === undefined ? undefined : new Database({ connection: standbyAt, connectionLimit: 2 });
    if (standby !== undefined) await lifecycle.add('standby', { stop: () => standby.close() });
    const commits = new Commits({ db, keyring: trust, log, ...(standby === undefined ? {} : { standby }) });
    const mutations = new Mutations({ db, commits, log });
    if (has('system')) {
      const rateLimiter = new RedisRateLimiter({ redis, log, prefix: redisPrefix });
      system = createSystemSubgraph({
        db,
        feed,
        commits,
        mutations,
        wake,
        keyring: trust,
        rateLimiter,
        log,
        health: () => health.parts(),
      });
    }
    if (has('relay') || has('worker')) {
      const sealer = createSealer(await openKeyring(keyFile(config, 'keys.sealingFile')));
      if (has('relay')) {
        relay = createRelaySubgraph({
          db,
          feed,
          wake,
          leases,
          commits,
          mutations,
          sealer,
          log,
          registry,
          owner: ground.owner,
          name: config.name,
          settings: { deviceExecutionMs: config['relay.deviceGraceMs'] },
        });
        await lifecycle.add('relay', relay);
      }
      if (has('worker')) {
        const worker = createWorker({
          db,
          redis: redisLocation(config),
          redisPrefix,
          wake,
          sealer,
          log,
          registry,
          owner: ground.owner,
          config,
        });
        await lifecycle.add('worker', worker);
      }
    }
    await serveInternally(config, log, lifecycle, trust, system, relay);
  }
  const gateway = has('gateway')
    ? await openGateway({ config, log, lifecycle, trust, registry, health, system, relay })
    : undefined;
  return { url: gateway?.url, system, relay, owner: ground?.owner, registry, health, stop: () => lifecycle.stop() };
}

/** What every role with a database stands on. */
interface Ground {
  readonly owner: string;
  readonly db: Database;
  readonly redis: Redis;
  readonly wake: ReturnType<typeof createRedisWake>;
  readonly feed: StatusFeed;
  readonly leases: Leases;
}

interface GroundParts extends LocalParts {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly registry: Registry;
  readonly health: Health;
}

async function layGround({ config, log, lifecycle, registry, health, diskGuard }: GroundParts): Promise<Ground> {
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
  addPlatformMetrics(registry, { db, sequencer, feed, leases });
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

async function serveInternally(
  config: Config,
  log: Logger,
  lifecycle: Lifecycle,
  keyring: Awaited<ReturnType<typeof openKeyring>>,
  system: SystemSubgraph | undefined,
  relay: RelaySubgraph | undefined,
): Promise<void> {
  const tls = internalTls(config);
  const serve = async (subgraph: Subgraph, port: number, authenticator?: Authenticator): Promise<void> => {
    const served = await serveSubgraph({
      subgraph,
      host: config['internal.host'],
      port,
      keyring,
      log,
      ...(tls === undefined ? {} : { tls }),
      ...(authenticator === undefined ? {} : { authenticator }),
    });
    log.info({ url: served.url }, `subgraph ${subgraph.name} is served`);
    await lifecycle.add(`served ${subgraph.name}`, {
      drain: () => served.drain(),
      stop: () => served.stop(),
      deadlineMs: 35_000,
    });
  };
  const systemPort = config['internal.systemPort'];
  if (system !== undefined && systemPort !== undefined) await serve(system, systemPort, system.authenticator);
  const relayPort = config['internal.relayPort'];
  if (relay !== undefined && relayPort !== undefined) await serve(relay, relayPort);
}

interface GatewayParts {
  readonly config: Config;
  readonly log: Logger;
  readonly lifecycle: Lifecycle;
  readonly trust: Awaited<ReturnType<typeof openKeyring>>;
  readonly registry: Registry;
  readonly health: Health;
  readonly system: SystemSubgraph | undefined;
  readonly relay: RelaySubgraph | undefined;
}

async function openGateway(parts: GatewayParts): Promise<Gateway> {
  const { config, log, lifecycle, trust, registry, health } = parts;
  const tls = internalTls(config);
  const place = (name: 'system' | 'relay', subgraph: Subgraph | undefined): SubgraphLocation => {
    const url = config[`subgraphs.${name}Url`];
    if (url !== undefined) return { name, url: new URL(url).origin, ...(tls === undefined ? {} : { tls }) };
    if (subgraph !== undefined) return { subgraph };
    throw new ConfigError([`subgraphs.${name}Url: the gateway needs it, for this process has no role ${name}`]);
  };
  const systemPlace = place('system', parts.system);
  let authenticator: Authenticator;
  if ('subgraph' in systemPlace && parts.system !== undefined) authenticator = parts.system.authenticator;
  else {
    const remote = new RemoteAuthenticator({
      url: 'url' in systemPlace ? systemPlace.url : '',
      subgraph: 'system',
      keyring: trust,
      ...(tls === undefined ? {} : { tls }),
    });
    await lifecycle.add('authenticator', { stop: () => remote.close() });
    authenticator = remote;
  }
  const certificate = publicTls(config);
  const gateway = await createGateway({
    supergraphSdl: readFileSync(supergraphFile, 'utf8'),
    subgraphs: [systemPlace, place('relay', parts.relay)],
    authenticator,
    keyring: trust,
    log,
    registry,
    readiness: async () =>
      (await health.readiness()).missing.map(({ name, ready, detail }) => ({
        name,
        ready,
        detail: detail ?? undefined,
      })),
    staticFolder: dashboardFolder,
    host: config['listen.host'],
    port: config['listen.port'],
    ...(certificate === undefined ? {} : { tls: certificate }),
    limits: {
      introspection: config['graphql.introspection'],
      maxDepth: config['graphql.maxDepth'],
      maxAliases: config['graphql.maxAliases'],
      maxTokens: config['graphql.maxTokens'],
      maxCost: config['graphql.maxCost'],
      maxBodyBytes: config['graphql.maxBodyBytes'],
    },
    metricsFor: config['metrics.public'] ? 'everyone' : 'loopback',
  });
  await lifecycle.add('gateway', { drain: () => gateway.drain(), stop: () => gateway.stop(), deadlineMs: 35_000 });
  return gateway;
}
