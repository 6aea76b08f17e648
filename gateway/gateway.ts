// Builds the gateway. All its dependencies are passed in, so that the same code runs in one process with its subgraphs, or in front of them over
// HTTP.
import { type AddressInfo, Server as NetServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Authenticator, CheckLogin } from '../platform/caller/access.ts';
import { invariant } from '../platform/errors/errors.ts';
import type { GraphExport } from '../platform/graph/graph-export.ts';
import type { SlowLog } from '../platform/log/slow-log.ts';
import type { MutualTls } from '../platform/machines/tls.ts';
import type { ProgramVersion } from '../platform/process/program-version.ts';
import type { SigningKeys } from '../platform/secrets/key-pairs.ts';
import type { ComponentReadiness } from '../platform/watch/watch-answer.ts';
import { Acceptance, type AcceptMode } from './access/acceptance.ts';
import { CredentialCache } from './access/credential-cache.ts';
import {
  type ConnectionLimits,
  defaultConnectionLimits,
  defaultLimits,
  defaultSocketLimits,
  type OperationLimits,
  type SocketLimits,
} from './access/limits.ts';
import { ownDocuments } from './access/own-documents.ts';
import { prepareOperation } from './access/prepare-operation.ts';
import { PublishedOperations } from './access/published-operations.ts';
import { PublishedReader, publishedSetField } from './access/published-reader.ts';
import { SenderCounts } from './access/sender-counts.ts';
import { AccessLog } from './http/access-log.ts';
import { ClientAddresses } from './http/client-address.ts';
import { Connections } from './http/connections.ts';
import { CrossOrigin } from './http/cross-origin.ts';
import type { GraphqlEndpoint } from './http/graphql-endpoint.ts';
import { gatewayMetrics } from './http/metrics.ts';
import { OpenConnections } from './http/open-connections.ts';
import { OperationCounts } from './http/operation-counts.ts';
import { proxiedListener } from './http/proxied-listener.ts';
import { loadStaticFiles } from './http/static-files.ts';
import { serveClientSockets } from './subscriptions/client-sockets.ts';
import { EventStreams } from './subscriptions/event-streams.ts';
import { FanOut } from './subscriptions/fan-out.ts';
import { SocketWatch } from './subscriptions/socket-watch.ts';
import { InProcessLink } from './supergraph/in-process-link.ts';
import type { SubgraphLink } from './supergraph/subgraph-link.ts';
import { SubgraphLinks, type SubgraphLocation } from './supergraph/subgraph-location.ts';
import { GraphReload, type ReadGraph, type ReloadReport } from './versions/graph-reload.ts';
import { GraphVersion, type VersionDependencies } from './versions/graph-version.ts';
import { GraphVersions } from './versions/graph-versions.ts';
import { Questions } from './versions/questions.ts';
import { questionServer } from './web/question-server.ts';
import { createWebServer } from './web/server.ts';

export interface GatewayOptions {
  /** SDL of the supergraph. */
  readonly supergraphSdl: string;
  readonly subgraphs: readonly SubgraphLocation[];
  /** The graph that the settings describe now, for `reload`. Throws with a description of the fault. If absent, the graph is fixed. */
  readonly readGraph?: () => Promise<ReadGraph>;
  /** Subscription fields with facets, which name the argument values that select an item (platform/events/facets.ts). */
  readonly filteredFeeds?: readonly string[];
  /** Where subgraphs in other processes query the graph. If absent, they can't. */
  readonly questions?: { readonly host: string; readonly port: number; readonly tls?: MutualTls };
  /** Served as files of lines at /export/NAME.ndjson. */
  readonly exports?: readonly GraphExport[];
  readonly authenticator: Authenticator;
  /** For subgraphs that send queries to `questions`. */
  readonly checkLogin?: CheckLogin | undefined;
  /** Keys that sign requests to subgraphs at other places. Not needed if there are none. */
  readonly signingKeys?: SigningKeys;
  readonly log: Logger;
  readonly slow?: SlowLog | undefined;
  /** Whether each request is logged. Default false. */
  readonly accessLog?: boolean;
  readonly registry: Registry;
  readonly program: ProgramVersion;
  /** Further requirements of /health/ready; the subgraphs are always checked. */
  readonly readiness?: () => Promise<readonly ComponentReadiness[]>;
  /** Folder of the built dashboard. */
  readonly staticFolder: string;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** PEM texts, for HTTPS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Operations that are executed. Default: all. */
  readonly accept?: AcceptMode;
  readonly limits?: Partial<OperationLimits>;
  readonly socketLimits?: Partial<SocketLimits>;
  readonly connectionLimits?: Partial<ConnectionLimits>;
  readonly metricsFor?: 'loopback' | 'everyone';
  readonly trustedProxies?: readonly string[];
  /** Whether those proxies use the PROXY protocol. Default false. */
  readonly proxyProtocol?: boolean;
  /** Other origins whose pages may use the endpoint. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Default for subgraphs whose location gives none. */
  readonly queryDeadlineMs?: number;
  /** For subgraphs over HTTP. A relayed call may wait two minutes for its device. */
  readonly mutationDeadlineMs?: number;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** URL of `questions`. */
  readonly questionsUrl: string | undefined;
  /** For subgraphs of this process. */
  readonly questions: Questions;
  /** Switches to the graph that the settings describe now. Absent if the graph is fixed. Throws a CodedError without a change. */
  readonly reload: (() => Promise<ReloadReport>) | undefined;
  /**
   * Called before the address moves to another host. For up to `deadlineMs`, ends the connections of clients when their requests are answered.
   * Sockets are closed with 1001, and event streams end. New connections are still served, so the caller must keep new clients away in the meantime.
   */
  handOver(deadlineMs?: number): Promise<void>;
  /** Accepts no new work, closes sockets with 1001, ends event streams, waits for running requests. */
  drain(deadlineMs?: number): Promise<void>;
  /** Closes everything at once. */
  stop(): Promise<void>;
}

/** Limit of connections that the system has made and this process has not accepted yet: Node's default. */
const backlog = 511;
/** Time, and minimum number of turns, in which a drain accepts those. A busy process may be late. */
const acceptingMs = 100;
const fewestTurns = 32;

/** Starts a gateway. Throws when the subgraphs do not match the supergraph, or the port is in use. */
export async function createGateway(options: GatewayOptions): Promise<Gateway> {
  const settings = settingsOf(options);
  const graph = await graphParts(options, settings);
  const parts = await webParts(options, settings, graph);
  const { questions, asked, listener, reload } = parts;
  let closed: Promise<void> | undefined;
  const stopListening = () => {
    closed ??= closeListener(listener);
    return closed;
  };
  const stop = () => stopAll(graph, parts, stopListening);
  let questionsUrl: string | undefined;
  try {
    await graph.first.start();
    await graph.reader?.start();
    questionsUrl = (await asked?.listen())?.url;
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ port: options.port, host: options.host, backlog }, resolve);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const { port } = listener.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${host}:${port}`,
    ...{ port, questions, questionsUrl, reload, stop },
    async handOver(deadlineMs = 1_000) {
      const { web, sockets, eventStreams } = parts;
      await Promise.all([web.handOver(deadlineMs), sockets.release(deadlineMs), eventStreams.release()]);
    },
    drain: (deadlineMs = 30_000) => drainAll(graph, parts, { deadlineMs, stopListening }),
  };
}

interface Settings {
  readonly limits: OperationLimits;
  readonly socketLimits: SocketLimits;
  readonly connectionLimits: ConnectionLimits;
  readonly filteredFeeds: ReadonlySet<string>;
  readonly metrics: ReturnType<typeof gatewayMetrics>;
}

function settingsOf(options: GatewayOptions): Settings {
  return {
    limits: { ...defaultLimits, ...options.limits },
    socketLimits: { ...defaultSocketLimits, ...options.socketLimits },
    connectionLimits: { ...defaultConnectionLimits, ...options.connectionLimits },
    filteredFeeds: new Set(options.filteredFeeds),
    metrics: gatewayMetrics(options.registry, options.slow),
  };
}

type GraphParts = Awaited<ReturnType<typeof graphParts>>;

/** The versions of the graph, and which operations they execute for whom. */
async function graphParts(options: GatewayOptions, { limits, filteredFeeds, metrics }: Settings) {
  const { log, signingKeys, queryDeadlineMs = 60_000, mutationDeadlineMs = 150_000 } = options;
  const published = new PublishedOperations(false);
  const acceptance = new Acceptance({
    ...{ published, log, unpublished: metrics.unpublished },
    accept: options.accept ?? 'any',
    own: await ownDocuments(options),
  });
  const credentials = new CredentialCache(options.authenticator);
  const dependencies: VersionDependencies = {
    ...{ filteredFeeds, published, acceptance, credentials, limits, log },
    subgraphLinks: new SubgraphLinks({
      ...{ signingKeys, queryDeadlineMs, mutationDeadlineMs, log },
      proofCounts: metrics.proofs,
    }),
    counts: new SenderCounts(limits),
    onPlannedByFields: () => metrics.plansByFields.inc(),
    fetchTimes: metrics.fetchTimes,
  };
  const first = new GraphVersion(options, dependencies);
  const versions = new GraphVersions(first, { log });
  const reader = publishedReader(versions, { published, log });
  // There is nothing to wait for.
  if (reader === undefined) published.replace(new Map());
  return { published, acceptance, credentials, dependencies, first, versions, reader };
}

type WebParts = Awaited<ReturnType<typeof webParts>>;

/** What clients connect to. Nothing listens yet. */
async function webParts(options: GatewayOptions, settings: Settings, graph: GraphParts) {
  const { authenticator, log, registry, program, tls, exports = [], metricsFor = 'loopback' } = options;
  const { limits, socketLimits, connectionLimits, filteredFeeds, metrics } = settings;
  const { published, credentials, versions } = graph;
  const addresses = new ClientAddresses(options.trustedProxies ?? []);
  const connections = new Connections(connectionLimits, addresses);
  const crossOrigin = new CrossOrigin(options.corsOrigins ?? []);
  const { ringCapacity, ringLength, checkpointMs, recheckIntervalMs: intervalMs } = socketLimits;
  const kept = { ringCapacity, ringLength, checkpointMs };
  const fanOut = new FanOut({ versions, metrics, log, limits: socketLimits, ...kept });
  const watch = new SocketWatch({ authenticator, intervalMs, graceMs: socketLimits.recheckGraceMs, log });
  const eventStreams = new EventStreams({
    ...{ fanOut, watch, filteredFeeds, metrics, log },
    ...{ limits: socketLimits, reading: connectionLimits },
  });
  const reload = reloadOf(options, graph, fanOut);
  const forClients = { addresses, connections, crossOrigin, metrics, log };
  const web = createWebServer({
    ...{ ...forClients, eventStreams, exports, program, registry, metricsFor, tls },
    schemas: { get: (audience) => versions.current.schemas.get(audience) },
    endpoint: endpointOf(versions),
    explaining: { versions, credentials, log },
    reloading: { reload, credentials, log },
    files: await loadStaticFiles(options.staticFolder),
    readiness: async () => [...(await graphReadiness(graph)), ...((await options.readiness?.()) ?? [])],
    operationCounts: new OperationCounts(registry, (hash) => published.has(hash)),
    slow: options.slow,
    accessLog: options.accessLog === true ? new AccessLog(log) : undefined,
    reading: connectionLimits,
    maxBodyBytes: limits.maxBodyBytes,
  });
  const sockets = serveClientSockets({
    ...{ ...forClients, versions, published, credentials, watch, fanOut, filteredFeeds },
    ...{ server: web.server, limits: socketLimits, maxAnswerLength: limits.maxAnswerLength },
  });
  const listener =
    options.proxyProtocol === true ? proxiedListener({ server: web.server, addresses, log }) : web.server;
  const open = new OpenConnections(listener);
  return { ...questionParts(options, graph), fanOut, watch, eventStreams, reload, web, sockets, listener, open };
}

function endpointOf(versions: GraphVersions): Pick<GraphqlEndpoint, 'handle' | 'schemaRefusal'> {
  return {
    handle: (request) => versions.use((version) => version.endpoint.handle(request)),
    schemaRefusal: (request, audience) => versions.current.endpoint.schemaRefusal(request, audience),
  };
}

/** `asked`: the server for subgraphs in other processes. Undefined if they can't query the graph. */
function questionParts({ questions: place, authenticator, checkLogin, log }: GatewayOptions, graph: GraphParts) {
  const questions = new Questions(graph.versions);
  const subgraphs = [...graph.first.supergraph.subgraphNames];
  const asked = place && questionServer({ ...place, subgraphs, authenticator, questions, checkLogin, log });
  return { questions, asked };
}

async function graphReadiness({ versions, published }: GraphParts): Promise<readonly ComponentReadiness[]> {
  const subgraphs = [...versions.current.links.values()].map(async (link) => {
    const ready = await link.ready();
    return { name: `subgraph ${link.name}`, ready, detail: ready ? undefined : "can't be reached" };
  });
  const operationsRead = { name: 'published operations', ready: published.isKnown, detail: undefined };
  return [...(await Promise.all(subgraphs)), operationsRead];
}

function reloadOf(
  { readGraph, log }: GatewayOptions,
  { versions, dependencies, published }: GraphParts,
  fanOut: FanOut,
): Gateway['reload'] {
  if (readGraph === undefined) return undefined;
  const graphReload = new GraphReload({
    ...{ versions, dependencies, published, log, read: readGraph },
    subscriptions: () => fanOut.subscriptions(),
  });
  return () => graphReload.run();
}

/** The close of an HTTP server would close idle connections too. */
function closeListener(listener: NetServer): Promise<void> {
  return new Promise((resolve) =>
    listener.listening ? NetServer.prototype.close.call(listener, () => resolve()) : resolve(),
  );
}

async function stopAll(graph: GraphParts, parts: WebParts, stopListening: () => Promise<void>): Promise<void> {
  const { versions, reader, acceptance } = graph;
  const { asked, watch, sockets, eventStreams, fanOut, web, open } = parts;
  versions.refuseNew();
  await asked?.stop();
  watch.close();
  await Promise.all([sockets.dispose(), eventStreams.dispose()]);
  fanOut.close();
  const closed = stopListening();
  web.server.close();
  open.destroy();
  await closed;
  await reader?.stop();
  await versions.close();
  acceptance.close();
}

async function drainAll(
  { versions }: GraphParts,
  { web, asked, watch, sockets, eventStreams }: WebParts,
  { deadlineMs, stopListening }: { readonly deadlineMs: number; readonly stopListening: () => Promise<void> },
): Promise<void> {
  versions.drain();
  // Subgraphs of this process end at the same time. Those of others do not, so that what a proxy sends here, until it has learned of the
  // end, is carried out.
  if (isAnyInProcess(versions)) versions.refuseMutations();
  const lingered = () => versions.refuseMutations();
  const requests = Promise.all([web.drain(deadlineMs, lingered), asked?.drain(undefined, deadlineMs)]);
  // Connections that the system has made already would be reset. One is accepted in each turn.
  const untilMs = performance.now() + acceptingMs;
  for (let turn = 0; turn < fewestTurns || (turn < backlog && performance.now() < untilMs); turn += 1) await nextTurn();
  void stopListening();
  watch.close();
  await Promise.all([sockets.dispose(), eventStreams.dispose()]);
  await requests;
}

/** Undefined if no subgraph of the graph has published operations. */
function publishedReader(
  versions: GraphVersions,
  { published, log }: { readonly published: PublishedOperations; readonly log: Logger },
): PublishedReader | undefined {
  const owner = versions.current.supergraph.ownerOf(`Query.${publishedSetField}`);
  if (owner === undefined) return undefined;
  return new PublishedReader({
    ...{ published, log },
    link: {
      execute: (request) => versions.use((version) => linkTo(version, owner).execute(request)),
    },
    prepare: (hash, text) =>
      versions.use(({ operations, executor }) => prepareOperation({ operations, executor, log }, hash, text)),
  });
}

function isAnyInProcess(versions: GraphVersions): boolean {
  return [...versions.current.links.values()].some((link) => link instanceof InProcessLink);
}

function linkTo({ links }: GraphVersion, name: string): SubgraphLink {
  const link = links.get(name);
  invariant(link !== undefined, `no link to subgraph ${name}`);
  return link;
}
