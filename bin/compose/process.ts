// The composition root: from settings to a running process with any of the roles. It loops over the rows of the subgraphs and
// knows none of them; a role's code is loaded only if the role runs, which makes other processes start faster and smaller.
import type { Registry } from 'prom-client';
import { Commits } from '../../platform/commits.ts';
import { type Config, rolesOf, settingsOf } from '../../platform/config.ts';
import { ServerReads } from '../../platform/database/server-reads.ts';
import { StatusFeed } from '../../platform/events/feed.ts';
import { graphOf } from '../../platform/graph/sdl.ts';
import { Health } from '../../platform/health.ts';
import { Lifecycle } from '../../platform/lifecycle.ts';
import type { Logger } from '../../platform/log.ts';
import { addFeedMetrics, createMetrics } from '../../platform/metrics.ts';
import { Mutations } from '../../platform/mutation.ts';
import type { KnownListeners } from '../../platform/net/egress.ts';
import type { ProjectEnd, ProjectHoldings } from '../../platform/projects.ts';
import { CursorSealer } from '../../platform/secrets/cursor-sealer.ts';
import type { KeyFolder } from '../../platform/secrets/key-folder.ts';
import {
  type Access,
  allEventKinds,
  type Ground,
  migrationsOf,
  type ProcessGround,
  type RunningSubgraph,
  type SharedPart,
  type SubgraphGround,
  type SubgraphRow,
  type SubgraphWork,
  sharedPartsOf,
} from '../../platform/subgraph-row.ts';
import { readinessOf } from '../../platform/watch/watch-answer.ts';
import type { WatchServer } from '../../platform/watch/watch-server.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { AskedGraph } from './asked-graph.ts';
import { databaseMembers, keyFolder, redisLocation } from './connections.ts';
import { addressOf, openEgress } from './egress.ts';
import { layGround } from './ground.ts';
import { openHaCluster } from './ha-cluster.ts';
import { FollowedHosts } from './ha-hosts.ts';
import { internalTls } from './internal-tls.ts';
import { ownersOf } from './owners.ts';

export interface ProcessParts {
  /** All subgraphs; default: those of subgraphs/rows.ts. */
  readonly rows?: readonly SubgraphRow[];
  /** The devices of the lab: they may be reached. */
  readonly lab?: KnownListeners | undefined;
}

export interface RunningProcess {
  /** The public endpoint; undefined without the role gateway. */
  readonly url: string | undefined;
  /** The subgraphs in this process, by name. */
  readonly subgraphs: ReadonlyMap<string, RunningSubgraph>;
  /** Present with the role system. */
  readonly access: Access | undefined;
  /** UUID of this incarnation, which identifies its leases and calls; undefined without a database. */
  readonly owner: string | undefined;
  readonly registry: Registry;
  readonly health: Health;
  /** Before the address moves to another host (Gateway.handOver); nothing without the role gateway. */
  handOver(): Promise<void>;
  /** Drains requests, subscriptions, calls and jobs, then closes the connections. Never throws. */
  stop(): Promise<void>;
}

/** Starts the roles of `config`; after a failure the started ones are stopped again. */
export async function startProcess(config: Config, log: Logger, parts: ProcessParts = {}): Promise<RunningProcess> {
  const lifecycle = new Lifecycle({ log });
  try {
    const running = await compose(config, log, lifecycle, parts);
    lifecycle.ready();
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

async function compose(
  config: Config,
  log: Logger,
  lifecycle: Lifecycle,
  { rows = subgraphRows, lab }: ProcessParts,
): Promise<RunningProcess> {
  const has = (role: string) => config.roles.includes(role);
  const egress = await openEgress(
    config,
    log,
    lifecycle,
    rows.map(({ name }) => name),
    lab,
  );
  const process: ProcessGround = {
    ...{ processName: config.name, log, registry: createMetrics(), health: new Health(), egress: egress.policy },
    tlsOf: await internalTls(config, log, lifecycle),
    machineFolder: config['internal.machineFolder'],
  };
  const { registry, health, tlsOf } = process;
  const watch = await openWatch(config, lifecycle, process);
  if (watch !== undefined) await egress.own.add({ host: config['watch.host'], port: watch.port });
  const served = rows.filter(({ name }) => has(name));
  const extra = rows.flatMap((row) => (row.roles ?? []).filter(({ name }) => has(name)).map((role) => ({ row, role })));
  const owners = ownersOf(config.roles, rows);
  const others = has('worker') ? migrationsOf(rows) : [];
  const keys = keyFolder(config, log);

  const hosts = FollowedHosts.of(config, log);
  const laid =
    owners.length > 0
      ? await layGround({ config, lifecycle, process, keys, egress, hosts, owners, others })
      : undefined;
  const asked = new AskedGraph({ config, keys, tlsOf });
  const running = new Map<string, RunningSubgraph>();
  if (laid !== undefined) {
    const { ground } = laid;
    await lifecycle.add('asked graph', { stop: () => asked.close() });
    if (served.length > 0) {
      const graph = graphOf(rows);
      const subgraphGround = await laySubgraphGround(config, lifecycle, ground, {
        keys,
        eventKinds: allEventKinds(rows),
        roles: rolesOf(rows).all,
        projectHoldings: holdingsOf(rows, laid.owners),
        projectEnd: projectEndOf(rows, laid.owners),
        haCluster: await openHaCluster(config, lifecycle, hosts),
        hosts,
      });
      for (const row of served) {
        const sdl = graph.get(row.name) ?? '';
        const askGraph = asked.of(row.name);
        const checkLogin = asked.checkLoginOf(row.name);
        const subgraph = await row.create({ ...subgraphGround, sdl, askGraph, checkLogin }, settingsOf(row, config));
        if (subgraph.access !== undefined) asked.loginsCheckedBy(subgraph.access.checkLogin);
        await lifecycle.add(row.name, subgraph);
        running.set(row.name, subgraph);
      }
    }
    const present = [...sharedPartsOf(rows), ...rows].filter(({ migrations }) => laid.owners.has(migrations.owner));
    if (has('worker')) await startWorker(config, lifecycle, ground, present, keys);
  }
  for (const { row, role } of extra) {
    const settings = settingsOf(row, config);
    if (role.database === false) await lifecycle.add(role.name, await role.create(process, settings));
    else if (laid !== undefined) await lifecycle.add(role.name, await role.create(laid.ground, settings));
  }
  if (hosts !== undefined) await lifecycle.add('hosts', hosts);
  if (laid !== undefined) await sayKnownKeys(lifecycle, laid.ground, keys, served.length > 0);
  if (served.length > 0) {
    const { serveInternally } = await import('./internal-endpoints.ts');
    for (const url of await serveInternally(config, log, lifecycle, keys, tlsOf, running))
      await egress.own.add(addressOf(url));
  }
  const gatewayRole = has('gateway') ? await import('./gateway-role.ts') : undefined;
  const gateway = await gatewayRole?.openGateway({
    ...{ config, log, lifecycle, registry, health, rows, running, keys, tlsOf },
  });
  if (gateway !== undefined) {
    asked.answeredBy(gateway.questions);
    await egress.own.add({ host: config['listen.host'], port: addressOf(gateway.url).port });
    if (gateway.questionsUrl !== undefined) await egress.own.add(addressOf(gateway.questionsUrl));
  }
  await lifecycle.add('key files', keys);
  const access = [...running.values()].find((subgraph) => subgraph.access !== undefined)?.access;
  return {
    ...{ url: gateway?.url, subgraphs: running, access, owner: laid?.ground.owner, registry, health },
    handOver: async () => gateway?.handOver(),
    stop: () => lifecycle.stop(),
  };
}

/** First: the process is live while its parts start, and until the last has stopped. */
async function openWatch(
  config: Config,
  lifecycle: Lifecycle,
  { log, registry, health }: ProcessGround,
): Promise<WatchServer | undefined> {
  const port = config['watch.port'];
  if (port === undefined) return undefined;
  const { WatchServer } = await import('../../platform/watch/watch-server.ts');
  const server = await WatchServer.listen({
    ...{ host: config['watch.host'], port, log, registry },
    metricsFor: config['metrics.public'] ? 'everyone' : 'loopback',
    readiness: async () =>
      lifecycle.phase === 'ready'
        ? readinessOf(health)
        : [{ name: 'process', ready: false, required: true, detail: lifecycle.phase }],
  });
  await lifecycle.add('watch', server);
  log.info({ host: config['watch.host'], port: server.port }, 'health and metrics are served');
  return server;
}

/** Before anything is served: a process without an active key does not start. */
async function sayKnownKeys(
  lifecycle: Lifecycle,
  ground: Ground,
  keys: KeyFolder,
  checksSignatures: boolean,
): Promise<void> {
  if (checksSignatures) await keys.publicKeys();
  const { KnownKeys } = await import('../../platform/secrets/known-keys.ts');
  const known = new KnownKeys({ ...ground, keys });
  await lifecycle.add('known keys', known);
  ground.health.add('keys', async () => {
    known.check();
    return undefined;
  });
}

async function laySubgraphGround(
  config: Config,
  lifecycle: Lifecycle,
  ground: Ground,
  {
    hosts,
    ...shared
  }: Pick<SubgraphGround, 'keys' | 'eventKinds' | 'roles' | 'projectHoldings' | 'projectEnd' | 'haCluster'> & {
    readonly hosts: FollowedHosts | undefined;
  },
): Promise<Omit<SubgraphGround, 'sdl' | 'askGraph' | 'checkLogin'>> {
  const { db, wake, log, registry, health } = ground;
  const keyring = await shared.keys.shared('subgraphs');
  const cursors = new CursorSealer(keyring);
  const feed = new StatusFeed({ db, wake, log, cursors });
  await lifecycle.add('status feed', { start: () => feed.start(), stop: () => feed.stop() });
  addFeedMetrics(registry, feed);
  health.add('status feed', async () => {
    const { readAgoMs } = feed.figures();
    if (readAgoMs > 5_000) throw new Error(`last read ${Math.round(readAgoMs / 1000)} s ago`);
    return undefined;
  });
  const membersIn = (changed: Config) =>
    databaseMembers(changed).map((location) => ({ name: location.host, sql: new ServerReads(location) }));
  // Asked as they are at each time.
  const members = membersIn(config);
  hosts?.onChange(async (changed) => {
    const before = members.splice(0, members.length, ...membersIn(changed));
    await Promise.all(before.map(({ sql }) => sql.close()));
  });
  const commits = new Commits({ db, keyring, log, members });
  await lifecycle.add('database members', {
    drain: () => commits.drain(),
    stop: () => Promise.all(members.map(({ sql }) => sql.close())).then(() => {}),
  });
  return { ...ground, feed, commits, cursors, mutations: new Mutations({ db, commits, log }), ...shared };
}

/** Of the subgraphs whose tables the database has. */
function holdingsOf(rows: readonly SubgraphRow[], owners: ReadonlySet<string>): ProjectHoldings {
  return async (sql, projectId) => {
    const held: string[] = [];
    for (const row of rows)
      if (owners.has(row.migrations.owner)) held.push(...((await row.held?.(sql, projectId)) ?? []));
    return held;
  };
}

/** Of the subgraphs whose tables the database has. */
function projectEndOf(rows: readonly SubgraphRow[], owners: ReadonlySet<string>): ProjectEnd {
  const ends = rows.flatMap(({ migrations, projectEnd }) =>
    projectEnd === undefined || !owners.has(migrations.owner) ? [] : [projectEnd],
  );
  return {
    async look(ground, projectId) {
      const held: string[] = [];
      for (const end of ends) held.push(...(await (await end()).look(ground, projectId)));
      return held;
    },
    async end(tx, wake, projectId) {
      for (const end of ends) await (await end()).end(tx, wake, projectId);
    },
  };
}

/** Does the work of the subgraphs and shared parts whose tables the database has. */
async function startWorker(
  config: Config,
  lifecycle: Lifecycle,
  ground: Ground,
  rows: readonly (SubgraphRow | SharedPart)[],
  keys: KeyFolder,
): Promise<void> {
  const auditKeys = { signingKeys: await keys.signing('audit'), publicKeys: await keys.publicKeys() };
  const work: SubgraphWork[] = [];
  for (const row of rows) if (row.work !== undefined) work.push(await row.work(ground, settingsOf(row, config)));
  const { createWorker } = await import('../../workers/worker.ts');
  await lifecycle.add('worker', createWorker({ ...ground, redis: redisLocation(config), config, work, auditKeys }));
}
