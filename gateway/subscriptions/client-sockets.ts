// graphql-ws for clients, on the path of the HTTP endpoint: a socket has one credential, which is checked when it opens and while it is open. Every
// operation on it passes the same admission as over HTTP.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  OperationTypeNode,
} from 'graphql';
import { type Context, makeServer, type SubscribePayload } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { Identity } from '../../platform/caller/identity.ts';
import { dryRunHeader, sourceHeader } from '../../platform/caller/manner.ts';
import { CodedError, socketCloses } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import {
  attachSockets,
  type PingPayload,
  type SocketExtra,
  type SocketServer,
} from '../../platform/graph/websocket.ts';
import { clientNetwork } from '../../platform/net/address-block.ts';
import { tooLongAnswer } from '../access/answer-length.ts';
import { bearerOfConnection } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import { InvalidGraphqlDocument } from '../access/invalid-document.ts';
import type { SocketLimits } from '../access/limits.ts';
import { namedText, type SentDocument } from '../access/named-document.ts';
import { type NormalSubscription, normaliseSubscription } from '../access/normal-subscription.ts';
import { type AdmittedOperation, withCost } from '../access/operations.ts';
import type { PublishedOperations } from '../access/published-operations.ts';
import { formatError } from '../access/without-values.ts';
import type { ClientAddresses } from '../http/client-address.ts';
import type { Connections } from '../http/connections.ts';
import type { CrossOrigin } from '../http/cross-origin.ts';
import type { GatewayMetrics } from '../http/metrics.ts';
import { targetOf } from '../http/request-target.ts';
import type { GatewayContext } from '../supergraph/subgraph-link.ts';
import type { GraphVersion } from '../versions/graph-version.ts';
import type { GraphVersions } from '../versions/graph-versions.ts';
import { closableSocket, closeAll } from './closable.ts';
import type { FanOut } from './fan-out.ts';
import { frameStream } from './frame-stream.ts';
import type { StreamReader } from './shared-stream.ts';
import { SocketExecutions } from './socket-executions.ts';
import { closeReasons, logIn } from './socket-login.ts';
import type { SocketWatch } from './socket-watch.ts';
import { StreamEnded } from './upstream.ts';
import { WaitingSockets } from './waiting-sockets.ts';

interface ClientSocketsOptions {
  readonly server: Server;
  readonly versions: GraphVersions;
  readonly published: PublishedOperations;
  readonly credentials: CredentialCache;
  /** Watches all open sockets and event streams. */
  readonly watch: SocketWatch;
  readonly fanOut: FanOut;
  /** Subscription fields whose items have facets. */
  readonly filteredFeeds: ReadonlySet<string>;
  readonly limits: SocketLimits;
  /** Limit of a query's or mutation's answer, in UTF-16 code units. */
  readonly maxAnswerLength: number;
  readonly addresses: ClientAddresses;
  readonly connections: Connections;
  readonly crossOrigin: CrossOrigin;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

type SocketContext = Context<Record<string, unknown> | undefined, SocketExtra>;

/** Passed from admission to execution as graphql-ws's `contextValue`. */
interface Admission {
  readonly id: string;
  readonly socket: SocketContext;
  readonly version: GraphVersion;
  readonly context: GatewayContext & { readonly identity: Identity };
  readonly admitted: AdmittedOperation;
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
  /** Set for subscriptions. */
  readonly subscription: NormalSubscription | undefined;
}

/** Handles upgrades on /graphql. */
export function serveClientSockets(options: ClientSocketsOptions): SocketServer {
  const { limits, watch, metrics, log } = options;
  const waiting = new WaitingSockets({ most: limits.maxWaitingSockets, mostOfNetwork: limits.maxWaitingOfNetwork });
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: limits.maxMessageBytes });
  const protocol = makeServer<Record<string, unknown> | undefined, SocketExtra>({
    connectionInitWaitTimeout: limits.connectionInitTimeoutMs,
    async onConnect(socket) {
      const isKnown = await connect(options, socket);
      if (isKnown) waiting.leave(socket.extra.socket);
      return isKnown;
    },
    async onSubscribe(socket, id, payload) {
      const admission = await admit(options, socket, id, payload);
      if (Array.isArray(admission)) return admission;
      const { version, admitted, operationName, variables } = admission as Admission;
      return {
        schema: version.supergraph.schema,
        document: admitted.document,
        operationName,
        variableValues: variables,
        contextValue: admission,
      };
    },
    execute: (args: ExecutionArgs) => execute(options, args.contextValue as Admission),
    subscribe: (args: ExecutionArgs) => subscribe(options, args.contextValue as Admission),
    onNext: (_context, _id, _payload, _args, result) => shown(result, options.maxAnswerLength),
    onError: (_context, _id, _payload, errors) => errors.map(formatError),
  });
  const sockets = attachSockets({
    webSockets,
    protocol,
    log,
    pingIntervalMs: limits.pingIntervalMs,
    onPing: (extra, payload) => ping(options, extra, payload),
    closeReasons,
    maxBufferedBytes: limits.maxBufferedBytes,
  });
  options.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    if (targetOf(request.url).path !== '/graphql') return refuseUpgrade(socket, '404 Not Found');
    if (!options.crossOrigin.admits(request)) return refuseUpgrade(socket, '403 Forbidden');
    if (watch.size >= limits.maxSockets) return refuseUpgrade(socket, '503 Service Unavailable');
    webSockets.handleUpgrade(request, socket, head, (webSocket) => {
      metrics.sockets.inc();
      waiting.enter(webSocket, clientNetwork(options.addresses.of(request)));
      webSocket.once('close', () => metrics.sockets.dec());
      webSockets.emit('connection', webSocket, request);
    });
  });
  return {
    release: (graceMs) => sockets.release(graceMs),
    dispose: (graceMs) => sockets.dispose(graceMs),
  };
}

function refuseUpgrade(socket: Duplex, status: string): void {
  // The client may keep its half of the connection open indefinitely.
  socket.once('finish', () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

type Result = { readonly [Part in keyof ExecutionResult]: ExecutionResult[Part] | undefined };

/** A result in the form for clients. Undefined if it needs no change. */
function shown({ data, errors, extensions }: Result, most: number): FormattedExecutionResult | undefined {
  const { length } = JSON.stringify({ data, errors, extensions });
  if (length > most) return tooLongAnswer(length, extensions, most);
  if (errors === undefined) return undefined;
  return { ...(data === undefined ? {} : { data }), errors: errors.map(formatError) };
}

/** Identities of open sockets. */
const identities = new WeakMap<SocketExtra, Identity>();

/** False if the socket was closed, with a reason. */
async function connect(options: ClientSocketsOptions, context: SocketContext): Promise<boolean> {
  const { limits, watch, credentials, log } = options;
  const { request, socket } = context.extra;
  const closable = closableSocket(socket);
  const given = { parameters: context.connectionParams, authorization: request.headers.authorization };
  const login = await logIn(credentials, given, log);
  if (!closable.isOpen()) return false;
  // Others may have logged in since this socket was opened.
  const isFull = watch.size >= limits.maxSockets;
  if ('refusal' in login || isFull || watch.limitReached(login.identity, limits) !== undefined) {
    closeAll([closable], 'refusal' in login ? login.refusal : socketCloses.tryLater);
    return false;
  }
  const { identity } = login;
  identities.set(context.extra, identity);
  watch.add(identity, closable);
  options.connections.hold(request.socket);
  return true;
}

/** A ping may contain a new access token of the same session. The socket then ends with that token. */
async function ping(
  { credentials, watch, log }: ClientSocketsOptions,
  extra: SocketExtra,
  payload: PingPayload,
): Promise<PingPayload> {
  const bearer = bearerOfConnection(payload);
  const identity = identities.get(extra);
  if (bearer === undefined || identity === undefined) return payload;
  let fresh: Identity | undefined;
  try {
    fresh = await credentials.identify(bearer);
  } catch (error) {
    log.warn({ reason: String(error) }, 'a fresh credential could not be checked');
    // The previous token still applies.
    return undefined;
  }
  if (fresh?.credentialId !== identity.credentialId) {
    closeAll([closableSocket(extra.socket)], socketCloses.otherSession);
    return undefined;
  }
  watch.endWithToken(fresh, closableSocket(extra.socket));
  const { accessUntilMs } = fresh;
  return accessUntilMs === undefined ? {} : { accessTokenExpiresAt: new Date(accessUntilMs).toISOString() };
}

async function admit(
  options: ClientSocketsOptions,
  socket: SocketContext,
  id: string,
  payload: SubscribePayload,
): Promise<Admission | readonly GraphQLError[]> {
  const { versions, limits, log } = options;
  const version = versions.current;
  const { operations, supergraph } = version;
  const identity = identities.get(socket.extra);
  const requestId = randomUUID();
  try {
    // A socket that is being closed for lost rights may still send.
    if (identity === undefined || socket.extra.socket.readyState !== socket.extra.socket.OPEN)
      throw new CodedError('UNAUTHENTICATED', 'The socket is closing.');
    const { subscriptions } = socket;
    const running = Object.keys(subscriptions).length + executions.completed(socket.extra.socket, subscriptions);
    if (running > limits.maxSubscriptionsPerSocket)
      throw new CodedError(
        'LIMIT_EXCEEDED',
        `At most ${limits.maxSubscriptionsPerSocket} operations may run on one socket; complete some first.`,
        { limit: 'operations on one socket', most: limits.maxSubscriptionsPerSocket },
      );
    const variables = payload.variables ?? {};
    const operationName = payload.operationName ?? undefined;
    const query = namedText(sentIn(payload), options.published) ?? payload.query;
    const clientAddress = options.addresses.of(socket.extra.request);
    const asked = { query, operationName, variables };
    const admitted = await versions.use(async () => operations.admit(asked, identity, clientAddress), version);
    const { headers } = socket.extra.request;
    const isMutation = admitted.operation.operation === OperationTypeNode.MUTATION;
    // The client must not believe that it is only tried.
    if (isMutation && (headers[dryRunHeader] ?? headers[sourceHeader]) !== undefined)
      throw new CodedError(
        'INVALID_INPUT',
        `${dryRunHeader} and ${sourceHeader} are for mutations over HTTP, not on a socket.`,
      );
    // The result would have no reader, because the socket is about to be closed.
    if (isMutation && versions.isDraining)
      throw new CodedError('UNAVAILABLE', 'This gateway is shutting down: send the request again.', {
        retryAfterMs: 500,
      });
    // The client completed it, or the socket closed, during its judgement. Nobody gets this error.
    if (!(id in socket.subscriptions)) throw new CodedError('UNAUTHENTICATED', 'The socket is closing.');
    const subscription =
      admitted.operation.operation === OperationTypeNode.SUBSCRIPTION
        ? normaliseSubscription(supergraph, admitted.document, admitted.operation, variables, options.filteredFeeds)
        : undefined;
    const context = {
      identity,
      requestId,
      loaders: new Map<symbol, unknown>(),
      ...(clientAddress === undefined ? {} : { clientAddress }),
    };
    return { id, socket, version, context, admitted, operationName, variables, subscription };
  } catch (error) {
    if (error instanceof InvalidGraphqlDocument)
      return error.faults.map(({ message, extensions }) => new GraphQLError(message, { extensions }));
    const { message, extensions } = presentError(error, requestId, log);
    return [new GraphQLError(message, { extensions: extensions ?? {} })];
  }
}

/** graphql-ws has no `documentId`, so the id is in the extensions too. */
function sentIn({ query, extensions }: SubscribePayload): SentDocument {
  return { query, extensions, documentId: extensions?.documentId };
}

/** Executions of all sockets. */
const executions = new SocketExecutions();

async function execute(options: ClientSocketsOptions, admission: Admission) {
  const { id, socket, version, admitted, operationName, variables } = admission;
  const { key, document } = admitted;
  const isQuery = admitted.operation.operation === OperationTypeNode.QUERY;
  const result = await executions.run(socket.extra.socket, id, (signal) => {
    const context = isQuery ? { ...admission.context, signal } : admission.context;
    return options.versions.use(
      ({ executor }) => executor.execute({ key, document, operationName, variables, context }),
      version,
    );
  });
  return withCost(result, admitted, admission.context.requestId);
}

/** A reader that ends at once if the subscription is refused here, because graphql-ws would close the whole socket. */
function readerOf(
  fanOut: FanOut,
  { context, subscription, admitted }: Admission,
  log: Logger,
): Pick<StreamReader, 'next' | 'close'> {
  if (subscription === undefined) throw new Error('a subscription was not normalised');
  try {
    return fanOut.follow(subscription, context.identity, admitted.cost.requested);
  } catch (error) {
    const ended = new StreamEnded([presentError(error, context.requestId, log)]);
    return { next: () => Promise.reject(ended), close: () => {} };
  }
}

function subscribe(options: ClientSocketsOptions, admission: Admission) {
  const { fanOut, metrics } = options;
  const { id, socket } = admission;
  const reader = readerOf(fanOut, admission, options.log);
  metrics.subscriptions.inc();
  return frameStream({
    id,
    extra: socket.extra,
    reader,
    onDelivery: () => metrics.deliveries.inc(),
    onClosed: () => metrics.subscriptions.dec(),
  });
}
