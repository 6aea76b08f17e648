// The composition root: from settings to a running process with any of the roles. It loops over the rows of the subgraphs and knows none of them. A
// role's code is loaded only if the role runs, which makes other processes start faster and smaller.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Registry } from 'prom-client';
import type { Gateway } from '../gateway/gateway.ts';
import { type UndeclaredRefusal, undeclaredRefusals } from '../platform/graph/undeclared-refusals.ts';
import type { Logger } from '../platform/log/log.ts';
import { SlowLog } from '../platform/log/slow-log.ts';
import { watchCertificateEnd } from '../platform/machines/certificate-ends.ts';
import type { KnownListeners } from '../platform/net/egress.ts';
import { type Config, settingsOf } from '../platform/process/config.ts';
import { Health } from '../platform/process/health.ts';
import { Lifecycle } from '../platform/process/lifecycle.ts';
import { addBuildInfo, createMetrics } from '../platform/process/metrics.ts';
import { programVersion } from '../platform/process/program-version.ts';
import {
  type Access,
  type DatabaseContext,
  migrationsOf,
  type ProcessContext,
  type RunningSubgraph,
  type SharedModule,
  type SubgraphRow,
  type SubgraphWork,
  sharedModulesOf,
} from '../platform/process/subgraph-row.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import { readinessOf } from '../platform/watch/watch-answer.ts';
import type { WatchServer } from '../platform/watch/watch-server.ts';
import { subgraphRows } from '../subgraphs/rows.ts';
import { keyFolder, redisLocation } from './connections.ts';
import { addressOf, openEgress } from './egress.ts';
import type { SettingsSource } from './gateway-role.ts';
import { FollowedHosts } from './ha-hosts.ts';
import { internalTls, type TlsOfRole } from './internal-tls.ts';
import { ownersOf } from './owners.ts';
import { migrationsFolder } from './places.ts';
import { quietSettings } from './quiet.ts';

interface ProcessOptions {
  /** All subgraphs. Default: those of subgraphs/rows.ts. */
  readonly rows?: readonly SubgraphRow[];
  /** The devices of the lab, which may be reached. */
  readonly lab?: KnownListeners | undefined;
  /** For a reload of the graph. If absent, the graph stays unchanged. */
  readonly settings?: SettingsSource;
}

export interface RunningProcess {
  /** The public endpoint. Undefined without the role gateway. */
  readonly url: string | undefined;
  /** The subgraphs in this process, by name. */
  readonly subgraphs: ReadonlyMap<string, RunningSubgraph>;
  /** Present with the role system. */
  readonly access: Access | undefined;
  /** UUID of this incarnation, which identifies its leases and calls. Undefined without a database. */
  readonly owner: string | undefined;
  readonly registry: Registry;
  readonly health: Health;
  /** Switches to the graph that the settings describe now (Gateway.reload). Undefined without the role gateway. */
  readonly reload: Gateway['reload'];
  /** Called before the address moves to another host (Gateway.handOver). Does nothing without the role gateway. */
  handOver(): Promise<void>;
  /** Drains requests, subscriptions, calls and jobs, then closes the connections. Never throws. */
  stop(): Promise<void>;
}

/** Starts the roles of `config`. After a failure it stops the started ones. */
export async function startProcess(config: Config, log: Logger, options: ProcessOptions = {}): Promise<RunningProcess> {
  const lifecycle = new Lifecycle({ log });
  try {
    await lifecycle.add('undeclared refusals', logUndeclared(log));
    const running = await compose(config, log, lifecycle, options);
    lifecycle.ready();
    return running;
  } catch (error) {
    await lifecycle.stop();
    throw error;
  }
}

/** Logs refusals with undeclared codes. They are faults of the SDL, and must not become faults of the caller. */
function logUndeclared(log: Logger): { stop(): void } {
  const write = (refusal: unknown) =>
    log.error(refusal as UndeclaredRefusal, 'a mutation refused with a code that its description does not name');
  subscribe(undeclaredRefusals.name, write);
  return { stop: () => void unsubscribe(undeclaredRefusals.name, write) };
}

async function compose(
  given: Config,
  log: Logger,
  lifecycle: Lifecycle,
  { rows = subgraphRows, lab, settings: source }: ProcessOptions,
): Promise<RunningProcess> {
  const config = quietSettings(given, rows);
  const isQuiet = config['serve.quiet'];
  const settings = isQuiet ? undefined : source;
  const has = (role: string) => config.roles.includes(role);
  const egress = await openEgress(
    config,
    log,
    lifecycle,
    rows.map(({ name }) => name),
    lab,
  );
  const registry = createMetrics();
  addBuildInfo(registry, await programVersion(), config.roles);
  const slow = new SlowLog({ log, slowMs: config['log.slowMs'] });
  await lifecycle.add('slow log', { stop: () => slow.flush() });
  const process: ProcessContext = {
    ...{ processName: config.name, log, slow, registry, health: new Health(), egress: egress.policy },
    tlsOf: watchedTls(registry, await internalTls(config, log, lifecycle)),
    machineFolder: config['internal.machineFolder'],
  };
  const { health, tlsOf } = process;
  const watch = await openWatch(config, lifecycle, process);
  if (watch !== undefined) await egress.own.add({ host: config['watch.host'], port: watch.port });
  const served = rows.filter(({ name }) => has(name));
  const extra = rows.flatMap((row) => (row.roles ?? []).filter(({ name }) => has(name)).map((role) => ({ row, role })));
  const owners = ownersOf(config.roles, rows);
  const others = has('worker') ? migrationsOf(rows) : [];
  const keys = keyFolder(config, log);

  const hosts = FollowedHosts.of(config, log);
  // A role without a database loads none of its parts.
  const opened =
    owners.length > 0
      ? await (await import('./database-context.ts')).openDatabaseContext({
          ...{ config, lifecycle, process, keys, egress, hosts, owners, others },
        })
      : undefined;
  const servedSubgraphs =
    opened !== undefined && served.length > 0
      ? await (await import('./subgraphs.ts')).openSubgraphs({
          ...{ config, lifecycle, opened, rows, served, keys, hosts, tlsOf },
        })
      : undefined;
  const running = servedSubgraphs?.running ?? new Map<string, RunningSubgraph>();
  for (const { row, role } of extra) {
    const settings = settingsOf(row, config);
    if (role.database === false) await lifecycle.add(role.name, await role.create(process, settings));
    else if (opened !== undefined) await lifecycle.add(role.name, await role.create(opened.context, settings));
  }
  if (hosts !== undefined) await lifecycle.add('hosts', hosts);
  if (opened !== undefined && !isQuiet) await register(lifecycle, opened.context, config, keys, served.length > 0);
  if (served.length > 0) {
    const { serveInternally } = await import('./internal-endpoints.ts');
    for (const url of await serveInternally(config, log, lifecycle, keys, tlsOf, running))
      await egress.own.add(addressOf(url));
  }
  const gatewayRole = has('gateway') ? await import('./gateway-role.ts') : undefined;
  const gateway = await gatewayRole?.openGateway({
    ...{ config, settings, log, slow, lifecycle, registry, health, rows, running, keys, tlsOf },
  });
  if (gateway !== undefined) {
    servedSubgraphs?.asked.answeredBy(gateway.questions);
    await egress.own.add({ host: config['listen.host'], port: addressOf(gateway.url).port });
    if (gateway.questionsUrl !== undefined) await egress.own.add(addressOf(gateway.questionsUrl));
  }
  // Last: its leases would be lost while the code of other roles is loaded, which blocks the process.
  if (opened !== undefined && has('worker')) {
    const present = [...sharedModulesOf(rows), ...rows].filter(({ migrations }) => opened.owners.has(migrations.owner));
    await startWorker(config, lifecycle, opened.context, present, keys);
  }
  await lifecycle.add('key files', keys);
  const access = [...running.values()].find((subgraph) => subgraph.access !== undefined)?.access;
  return {
    ...{ url: gateway?.url, subgraphs: running, access, owner: opened?.context.owner, registry, health },
    reload: gateway?.reload,
    handOver: async () => gateway?.handOver(),
    stop: () => lifecycle.stop(),
  };
}

/** The ends of the certificates are in the metrics. */
function watchedTls(registry: Registry, tlsOf: TlsOfRole): TlsOfRole {
  return async (role) => {
    const tls = await tlsOf(role);
    if (tls !== undefined) watchCertificateEnd(registry, { use: 'internal', role }, () => tls.cert);
    return tls;
  };
}

/** Opened first and closed last, so that the process is live while its parts start and stop. */
async function openWatch(
  config: Config,
  lifecycle: Lifecycle,
  { log, registry, health }: ProcessContext,
): Promise<WatchServer | undefined> {
  const port = config['watch.port'];
  if (port === undefined) return undefined;
  const { WatchServer } = await import('../platform/watch/watch-server.ts');
  const server = await WatchServer.listen({
    ...{ host: config['watch.host'], port, log, registry, program: await programVersion() },
    metricsFor: config['metrics.public'] ? 'everyone' : 'loopback',
    readiness: () => readinessOf(health, lifecycle.phase),
  });
  await lifecycle.add('watch', server);
  log.info({ host: config['watch.host'], port: server.port }, 'health and metrics are served');
  return server;
}

/** Runs before anything is served: a process without an active key does not start. */
async function register(
  lifecycle: Lifecycle,
  context: DatabaseContext,
  { roles }: Config,
  keys: KeyFolder,
  checksSignatures: boolean,
): Promise<void> {
  if (checksSignatures) await keys.publicKeys();
  const { KnownKeys } = await import('../platform/keys/known-keys.ts');
  const { newestMigration } = await import('../platform/database/migrate.ts');
  const program = { ...(await programVersion()), roles, newestMigration: await newestMigration(migrationsFolder) };
  const known = new KnownKeys({ ...context, keys, program });
  await lifecycle.add('known keys', known);
  context.health.add('keys', async () => {
    known.check();
    return undefined;
  });
}

/** Does the work of the subgraphs and shared modules whose tables the database has. */
async function startWorker(
  config: Config,
  lifecycle: Lifecycle,
  context: DatabaseContext,
  rows: readonly (SubgraphRow | SharedModule)[],
  keys: KeyFolder,
): Promise<void> {
  const auditKeys = { signingKeys: await keys.signing('audit'), publicKeys: await keys.publicKeys() };
  const work: SubgraphWork[] = [];
  const { 'ha.dnsName': haName, 'dns.reservedNames': names = [] } = config as Config & {
    readonly 'dns.reservedNames'?: readonly string[];
  };
  const reserved = haName === undefined ? {} : { 'dns.reservedNames': [...new Set([...names, haName])] };
  for (const row of rows)
    if (row.work !== undefined) work.push(await row.work(context, { ...settingsOf(row, config), ...reserved }));
  const { createWorker } = await import('../workers/worker.ts');
  await lifecycle.add('worker', createWorker({ ...context, redis: redisLocation(config), config, work, auditKeys }));
}
