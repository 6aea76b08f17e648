// The role gateway: the public endpoint in front of subgraphs in this process or on other hosts. A subgraph with neither location
// is not in its graph.
import type { Registry } from 'prom-client';
import { createGateway, type Gateway } from '../gateway/gateway.ts';
import type { SubgraphLocation } from '../gateway/supergraph/subgraph-location.ts';
import type { ReadGraph } from '../gateway/versions/graph-reload.ts';
import { ConfigError } from '../platform/errors/config-error.ts';
import { invariant } from '../platform/errors/errors.ts';
import { RemoteAuthenticator } from '../platform/graph/remote-authenticator.ts';
import type { Logger } from '../platform/log/log.ts';
import type { SlowLog } from '../platform/log/slow-log.ts';
import { watchCertificateEnd } from '../platform/machines/certificate-ends.ts';
import type { MutualTls } from '../platform/machines/tls.ts';
import { type Config, placeOf } from '../platform/process/config.ts';
import type { Health } from '../platform/process/health.ts';
import type { Lifecycle } from '../platform/process/lifecycle.ts';
import { programVersion } from '../platform/process/program-version.ts';
import type { Access, RunningSubgraph, SubgraphRow } from '../platform/process/subgraph-row.ts';
import type { KeyFolder } from '../platform/secrets/key-folder.ts';
import { readinessOf } from '../platform/watch/watch-answer.ts';
import { publicTls } from './connections.ts';
import { describeGraph, type RowSdl } from './described-graph.ts';
import { describeInThread } from './described-graph-thread.ts';
import type { TlsOfRole } from './internal-tls.ts';
import { dashboardFolder } from './places.ts';

/** The settings of this process, for a reload of the graph. */
export interface SettingsSource {
  /** Settings at the start. */
  readonly given: Config;
  /** Present settings. Throws ConfigError. */
  read(): Config;
}

export interface GatewayDependencies {
  readonly config: Config;
  /** If absent, the graph stays as it was at the start. */
  readonly settings: SettingsSource | undefined;
  readonly log: Logger;
  readonly slow: SlowLog;
  readonly lifecycle: Lifecycle;
  /** Opened only if a subgraph is on another host. */
  readonly keys: KeyFolder;
  /** Called only if a subgraph is on another host. */
  readonly tlsOf: TlsOfRole;
  readonly registry: Registry;
  readonly health: Health;
  readonly rows: readonly SubgraphRow[];
  /** The subgraphs of this process, by name. */
  readonly running: ReadonlyMap<string, RunningSubgraph>;
}

export async function openGateway(dependencies: GatewayDependencies): Promise<Gateway> {
  const { config, settings, log, slow, lifecycle, registry, health } = dependencies;
  const elsewhere = dependencies.rows.some(({ name }) => placeOf(name, config).urls !== undefined);
  const graphPort = config['internal.graphPort'];
  const tls = elsewhere || graphPort !== undefined ? await dependencies.tlsOf('gateway') : undefined;
  const places = placesOf(dependencies, tls);
  const rows = dependencies.rows.filter(({ name }) => places.has(name));
  const missing = dependencies.rows.filter(({ name }) => !places.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    log.info({ missing }, 'the graph lacks subgraphs that are neither in this process nor have a URL');
  const { authenticator, checkLogin } = await accessOf(dependencies, places, tls);
  const certificate = publicTls(config);
  if (certificate !== undefined)
    watchCertificateEnd(registry, { use: 'public', role: 'gateway' }, () => certificate.cert);
  const graph = await describeGraph(rows, config.outsideSubgraphs);
  const remote = graph.places.length > 0 || [...places.values()].some((place) => 'urls' in place);
  const gateway = await createGateway({
    supergraphSdl: graph.supergraphSdl,
    subgraphs: [...places.values(), ...graph.places],
    ...(settings === undefined
      ? {}
      : { readGraph: graphReader({ settings, rows, places, outsideNodes: graph.outsideNodes }) }),
    filteredFeeds: rows.flatMap((row) => row.filteredFeeds ?? []),
    exports: rows.flatMap((row) => row.exports ?? []),
    ...{ authenticator, checkLogin },
    ...(remote || settings !== undefined ? { signingKeys: await dependencies.keys.signing('gateway') } : {}),
    ...(graphPort === undefined
      ? {}
      : { questions: { host: config['internal.host'], port: graphPort, ...(tls === undefined ? {} : { tls }) } }),
    ...{ log, slow, registry },
    accessLog: config['log.access'],
    program: await programVersion(),
    readiness: () => readinessOf(health, lifecycle.phase),
    staticFolder: dashboardFolder,
    host: config['listen.host'],
    port: config['listen.port'],
    ...(certificate === undefined ? {} : { tls: certificate }),
    accept: config['operations.accept'],
    limits: {
      introspection: config['graphql.introspection'],
      anonymousIntrospection: config['graphql.anonymousIntrospection'],
      publicSchema: config['graph.publicSchema'],
      maxDepth: config['graphql.maxDepth'],
      maxAliases: config['graphql.maxAliases'],
      maxTokens: config['graphql.maxTokens'],
      maxAnonymousTokens: config['graphql.maxAnonymousTokens'],
      maxCost: config['graphql.maxCost'],
      mutationsPerMinute: config['graphql.mutationsPerMinute'],
      refusedKibPerMinute: config['graphql.refusedKibPerMinute'],
      maxBodyBytes: config['graphql.maxBodyBytes'],
      oneMutationSubgraphs: rows.filter((row) => row.oneMutation === true).map(({ name }) => name),
      machineFields: rows.flatMap((row) => row.machineFields ?? []),
      publicFields: rows.flatMap((row) => row.publicFields ?? []),
    },
    connectionLimits: {
      most: config['listen.maxConnections'],
      mostOfNetwork: config['listen.maxConnectionsOfNetwork'],
    },
    socketLimits: {
      maxSocketsPerUser: config['sockets.maxPerUser'],
      maxSubscriptions: config['subscriptions.max'],
      maxSubscriptionsPerUser: config['subscriptions.maxPerUser'],
      maxEventCost: config['subscriptions.maxEventCost'],
    },
    trustedProxies: config['listen.trustedProxies'],
    proxyProtocol: config['listen.proxyProtocol'],
    corsOrigins: config['listen.corsOrigins'],
    metricsFor: config['metrics.public'] ? 'everyone' : 'loopback',
  });
  await lifecycle.add('gateway', { drain: () => gateway.drain(), stop: () => gateway.stop(), deadlineMs: 35_000 });
  return gateway;
}

interface GraphReader {
  readonly settings: SettingsSource;
  readonly rows: readonly RowSdl[];
  /** Locations of our subgraphs. */
  readonly places: ReadonlyMap<string, SubgraphLocation>;
  /** Outside nodes at the start. */
  readonly outsideNodes: readonly string[];
}

/** Applies changed settings of outside subgraphs. Our own subgraphs stay unchanged since the start. */
function graphReader({ settings, rows, places, outsideNodes }: GraphReader): () => Promise<ReadGraph> {
  return async () => {
    const now = settings.read();
    const graph = await describeInThread(rows, now.outsideSubgraphs);
    const others = [
      ...graph.outsideNodes.filter((name) => !outsideNodes.includes(name)),
      ...outsideNodes.filter((name) => !graph.outsideNodes.includes(name)),
    ];
    if (others.length > 0 && [...places.values()].some((place) => 'subgraph' in place))
      throw new Error(
        `${others.join(', ')}: the subgraphs of this process learn the Nodes of other teams when they start. Restart it.`,
      );
    const { outsideSubgraphs: _before, ...before } = settings.given;
    const { outsideSubgraphs: _after, ...after } = now;
    const differs = (name: string) =>
      JSON.stringify(before[name as keyof typeof before]) !== JSON.stringify(after[name as keyof typeof after]);
    return {
      supergraphSdl: graph.supergraphSdl,
      subgraphs: [...places.values(), ...graph.places],
      needRestart: [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(differs).sort(),
    };
  };
}

/** Locations of the subgraphs; those without one are left out. */
export function placesOf(
  { config, rows, running }: Pick<GatewayDependencies, 'config' | 'rows' | 'running'>,
  tls: MutualTls | undefined,
): ReadonlyMap<string, SubgraphLocation> {
  const places = new Map<string, SubgraphLocation>();
  for (const { name, oneAtATime = false } of rows) {
    const { urls = [], queryDeadlineMs } = placeOf(name, config);
    const [first, ...others] = urls.map((url) => new URL(url).origin);
    const subgraph = running.get(name)?.subgraph;
    if (first !== undefined) {
      const place = { name, urls: [first, ...others], oneAtATime, queryDeadlineMs } as const;
      places.set(name, { ...place, ...(tls === undefined ? {} : { tls }) });
    } else if (subgraph !== undefined) places.set(name, { subgraph, queryDeadlineMs });
  }
  return places;
}

/** Access in this process, or on the host that serves it. */
async function accessOf(
  { config, lifecycle, keys, rows, running }: GatewayDependencies,
  places: ReadonlyMap<string, SubgraphLocation>,
  tls: MutualTls | undefined,
): Promise<Pick<Access, 'authenticator' | 'checkLogin'>> {
  const name = rows.find((row) => row.authenticates === true)?.name ?? '';
  const place = places.get(name);
  if (place === undefined)
    throw new ConfigError([
      {
        settings: [placeOf(name, config).urlSetting],
        wrong: `the gateway needs it, because this process does not have the role ${name}`,
        advice: `give the URL of the process that has it, or add ${name} to roles`,
      },
    ]);
  if (!('urls' in place)) {
    const here = running.get(name)?.access;
    invariant(here !== undefined, `the subgraph ${name} checks credentials`);
    return here;
  }
  const remote = new RemoteAuthenticator({
    urls: place.urls,
    subgraph: name,
    signingKeys: await keys.signing('gateway'),
    ...(tls === undefined ? {} : { tls }),
  });
  await lifecycle.add('authenticator', { stop: () => remote.close() });
  return { authenticator: remote, checkLogin: remote.checkLogin };
}
