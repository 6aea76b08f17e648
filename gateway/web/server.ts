// The one public endpoint: GraphQL, the dashboard and GraphiQL, health and metrics, on Node's own HTTP server.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { quoted } from '../../platform/errors/errors.ts';
import type { GraphExport } from '../../platform/graph/graph-export.ts';
import { HttpError, readBody } from '../../platform/graph/http-body.ts';
import type { SlowLog } from '../../platform/log/slow-log.ts';
import { requireOneHost } from '../../platform/net/one-host.ts';
import { isWatchPath, type Watched, watchAnswer, watchPaths } from '../../platform/watch/watch-answer.ts';
import { atMost } from '../../platform/work/within.ts';
import type { ConnectionLimits } from '../access/limits.ts';
import type { AccessLog } from '../http/access-log.ts';
import { AnswerParts, endText } from '../http/answer-parts.ts';
import type { ClientAddresses, Peer } from '../http/client-address.ts';
import type { Connections } from '../http/connections.ts';
import { AnswerCompressor, encodingFor } from '../http/content-encoding.ts';
import type { CrossOrigin } from '../http/cross-origin.ts';
import type { EndpointRequest, EndpointResponse } from '../http/endpoint-request.ts';
import type { GraphqlEndpoint } from '../http/graphql-endpoint.ts';
import { checkGraphqlRequest, isVisit } from '../http/graphql-request.ts';
import type { GatewayMetrics } from '../http/metrics.ts';
import type { OperationCounts } from '../http/operation-counts.ts';
import { graphqlBody } from '../http/request-fault.ts';
import { callerRequestIdOf } from '../http/request-id.ts';
import { targetOf } from '../http/request-target.ts';
import { type SchemaFiles, schemaAudience, schemaPath } from '../http/schema-files.ts';
import { dataPolicy, securityHeaders } from '../http/security-headers.ts';
import { completeEvent, eventStreamHeaders, nextEvent } from '../http/server-sent-events.ts';
import type { StaticFile, StaticFiles } from '../http/static-files.ts';
import type { EventStreams } from '../subscriptions/event-streams.ts';
import { type ExplainingParts, explanationOf } from './explanation.ts';
import { exportGraph } from './graph-export.ts';
import { type ReloadingParts, reloadAnswer } from './reload-request.ts';
import { answerSession, Renewals, sessionFieldOf } from './session-request.ts';

interface WebOptions extends Watched {
  readonly endpoint: Pick<GraphqlEndpoint, 'handle' | 'schemaRefusal'>;
  readonly reloading: ReloadingParts;
  /** Dependencies of explanations. */
  readonly explaining: ExplainingParts;
  readonly exports: readonly GraphExport[];
  readonly files: StaticFiles;
  readonly schemas: Pick<SchemaFiles, 'get'>;
  readonly metrics: GatewayMetrics;
  readonly operationCounts: OperationCounts;
  readonly slow: SlowLog | undefined;
  readonly accessLog: AccessLog | undefined;
  readonly addresses: ClientAddresses;
  readonly connections: Connections;
  readonly crossOrigin: CrossOrigin;
  readonly eventStreams: EventStreams;
  /** The minimum speed at which clients must read their answers. */
  readonly reading: Pick<ConnectionLimits, 'readWithinMs' | 'slowestBytesPerSecond'>;
  readonly maxBodyBytes: number;
  /** PEM texts. */
  readonly tls?: { readonly cert: string; readonly key: string } | undefined;
  readonly log: Logger;
}

interface WebServer {
  readonly server: Server;
  /**
   * The address moves to another host. Until no connection is left, or the deadline, each answer closes its connection. Connections that are still
   * idle after a moment are closed: a request that is on its way on one gets an answer.
   */
  handOver(deadlineMs: number): Promise<void>;
  /**
   * Reports not ready from now on. Resolves when no request is running, or at the deadline. `onLingered` is called when the last request that was on
   * its way has arrived.
   */
  drain(deadlineMs: number, onLingered: () => void): Promise<void>;
}

/** Time that a drain or a hand-over keeps idle connections. A request that is on its way on one gets an answer. */
const lingerMs = 200;
const handOverLookMs = 10;
const longestNameLogged = 200;

export function createWebServer(options: WebOptions): WebServer {
  const { log } = options;
  const work = {
    active: new Set<ServerResponse>(),
    draining: false,
    handingOver: false,
    whenIdle: undefined as (() => void) | undefined,
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    const requestId = randomUUID();
    response.setHeader('x-request-id', requestId);
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    if (options.tls !== undefined) response.setHeader('strict-transport-security', 'max-age=31536000');
    if (work.draining || work.handingOver) response.setHeader('connection', 'close');
    work.active.add(response);
    options.accessLog?.begin(response);
    answer(options, work.draining, request, response, requestId)
      .catch((error: unknown) => {
        if (error instanceof HttpError) return sendErrors(response, error.status, error.message, 'BAD_REQUEST');
        if (request.destroyed && !request.complete) return response.destroy();
        log.error({ requestId, err: error }, 'a request failed');
        // An export that is already under way.
        if (response.headersSent) return response.destroy();
        sendErrors(response, 500, `Internal error. The log has the details under request ${requestId}.`, 'INTERNAL');
      })
      .finally(() => {
        cutUnread(response, options.reading);
        options.accessLog?.end(request, response, requestId);
        work.active.delete(response);
        if (work.active.size === 0) work.whenIdle?.();
      });
  };
  const serverOptions = {
    // A request for another protocol is answered like any other (RFC 9110, section 7.8). Java's client asks for HTTP/2.
    shouldUpgradeCallback: ({ headers }: IncomingMessage) => headers.upgrade?.toLowerCase() === 'websocket',
    // Limits for slow senders. Answers may take as long as a device.
    headersTimeout: 10_000,
    requestTimeout: 30_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 5000,
    maxHeaderSize: 32 * 1024,
  };
  const server =
    options.tls === undefined
      ? createServer(serverOptions, listener)
      : createTlsServer(
          { ...serverOptions, ...options.tls, minVersion: 'TLSv1.2', handshakeTimeout: serverOptions.headersTimeout },
          listener,
        );
  server.maxHeadersCount = 100;
  requireOneHost(server);
  options.connections.watch(server);
  const keepNone = (): void => {
    for (const response of work.active) if (!response.headersSent) response.setHeader('connection', 'close');
  };
  const closeIdle = async (): Promise<void> => {
    // Reads arrived data first, because a busy process may be late.
    await nextTurn();
    await nextTurn();
    server.closeIdleConnections();
  };
  return {
    server,
    async handOver(deadlineMs) {
      work.handingOver = true;
      keepNone();
      const beganMs = performance.now();
      const pastMs = () => performance.now() - beganMs;
      while (pastMs() < deadlineMs && (await connectionsOf(server)) > 0) {
        if (pastMs() >= lingerMs) await closeIdle();
        await sleep(handOverLookMs);
      }
      await closeIdle();
      work.handingOver = false;
    },
    async drain(deadlineMs, onLingered) {
      work.draining = true;
      keepNone();
      await sleep(lingerMs);
      await closeIdle();
      onLingered();
      if (work.active.size === 0) return;
      const idle = new Promise<void>((resolve) => {
        work.whenIdle = resolve;
      });
      await atMost(deadlineMs, idle);
    },
  };
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
  });
}

/** In addition to /graphql, exports and files. */
const ownPaths: ReadonlySet<string> = new Set(['/', '/graphiql', ...watchPaths]);

async function answer(
  options: WebOptions,
  draining: boolean,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const { path, query } = targetOf(request.url);
  const wanted = options.exports.find(({ name }) => path === `/export/${name}.ndjson`);
  const file = options.files.get(path);
  const audience = schemaAudience(path);
  if (path === '/graphql' || wanted !== undefined || audience !== undefined) {
    options.crossOrigin.addHeaders(request, response);
    if (request.method === 'OPTIONS') return answerOptions(options, methodsOf(path, wanted), request, response);
  }
  if (path === '/graphql')
    return graphql(options, request, response, requestId, query === undefined ? '' : `?${query}`);
  if (path === '/graphql/explain') return explain(options, request, response, requestId);
  const sessionField = sessionFieldOf(path);
  if (sessionField !== undefined) return session(options, sessionField, request, response, requestId);
  if (path === '/graphql/reload') return reload(options, request, response, requestId);
  if (wanted === undefined && file === undefined && !ownPaths.has(path) && audience === undefined)
    throw new HttpError(
      404,
      `There is nothing at ${quoted(path)}. GraphQL is at /graphql, its schema at ${schemaPath}, GraphiQL at /graphiql.`,
    );
  if (request.method !== 'GET' && (request.method !== 'HEAD' || wanted !== undefined)) {
    response.setHeader('allow', wanted === undefined ? 'GET, HEAD' : 'GET');
    throw new HttpError(405, `${request.method} is not allowed at ${path}, only GET. GraphQL is at /graphql.`);
  }
  if (isWatchPath(path)) {
    const readiness = async () => [{ name: 'gateway', ready: false, detail: 'draining' }];
    const watched = draining ? { ...options, readiness } : options;
    const { status, contentType, text } = await watchAnswer(path, watched, options.addresses.isThisHost(request));
    return send(response, status, { 'content-type': contentType, 'cache-control': 'no-store' }, text);
  }
  if (wanted !== undefined) {
    const taken = { ...takenFrom(options, request, response), requestId };
    await exportGraph(options, wanted, taken, new URLSearchParams(query), response);
    options.metrics.requests.inc({ kind: 'export', status: String(response.statusCode) });
    return;
  }
  if (audience !== undefined) return schema(options, audience, request, response, requestId);
  if (file === undefined) throw new HttpError(404, 'The dashboard has not been built; GraphQL is at /graphql.');
  sendFile(request, response, file);
}

/** Shared by all servers of the process, which have the same sessions. */
const renewals = new Renewals();
/** Shared, because its threads belong to the process. */
const compressor = new AnswerCompressor();

/** Without OPTIONS. */
function methodsOf(path: string, wanted: GraphExport | undefined): string {
  if (path === '/graphql') return 'GET, HEAD, POST';
  return wanted === undefined ? 'GET, HEAD' : 'GET';
}

/** Lists the methods if the request has no preflight headers. */
function answerOptions(
  { crossOrigin }: WebOptions,
  methods: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const isPreflight = request.headers['access-control-request-method'] !== undefined;
  const headers = isPreflight ? crossOrigin.preflightHeaders(request, methods) : {};
  if (headers === undefined)
    throw new HttpError(
      403,
      'Pages of this origin may not use the endpoint: it is not in the setting listen.corsOrigins.',
    );
  send(response, 204, { allow: `${methods}, OPTIONS`, ...headers }, '');
}

async function graphql(
  options: WebOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
  search: string,
): Promise<void> {
  if (isVisit(request, search) && options.files.get('/graphiql') !== undefined) {
    response.appendHeader('vary', 'accept');
    return send(response, 303, { location: 'graphiql', 'cache-control': 'no-store' }, '');
  }
  const startedMs = performance.now();
  const times = options.accessLog?.timesOf(response);
  const { asEvents, takesStream } = checkGraphqlRequest(request, response);
  const taken = takenFrom(options, request, response);
  if (asEvents) taken.headers.set('accept', 'application/graphql-response+json');
  const body = request.method === 'POST' ? graphqlBody(await readBody(request, options.maxBodyBytes)) : undefined;
  times?.done('read');
  const result = await options.endpoint.handle({
    ...taken,
    // Node omits the body of the answer.
    method: request.method === 'HEAD' ? 'GET' : (request.method ?? 'POST'),
    search,
    body,
    takesStream,
    requestId,
    times,
  });
  options.accessLog?.answered(response, result);
  const kind = result.kind ?? 'refused';
  options.metrics.requests.inc({ kind, status: String(result.status) });
  if (result.subscription !== undefined) return options.eventStreams.serve(request, response, result.subscription);
  const tookMs = performance.now() - startedMs;
  options.metrics.requestSeconds.observe({ kind }, tookMs / 1000);
  noteOperation(options, result, requestId, tookMs);
  // Other refusals are those of HTTP: a client must see their status.
  if (asEvents && (result.status === 200 || result.status === 400))
    return send(response, 200, eventStreamHeaders, `${nextEvent(result.text)}${completeEvent}`);
  const headers = Object.fromEntries(result.headers);
  response.appendHeader('vary', 'accept-encoding');
  const acceptEncoding = request.headers['accept-encoding'];
  const compressed = await compressor.compress(result.text, acceptEncoding, result.parts?.bytes);
  if (compressed === undefined) return send(response, result.status, headers, result.parts ?? result.text);
  send(response, result.status, { ...headers, 'content-encoding': compressed.encoding }, compressed.body);
}

/** For the counts by name, and the slow log. */
function noteOperation(
  { operationCounts, slow }: WebOptions,
  { admission, kind, status }: EndpointResponse,
  requestId: string,
  tookMs: number,
): void {
  const admitted = admission?.admitted;
  if (admitted === undefined) return;
  operationCounts.ended(admitted, tookMs);
  if (slow?.isSlow(tookMs) !== true) return;
  const { hash, operation } = admitted;
  const name = operation.name?.value.slice(0, longestNameLogged) ?? null;
  slow.add('gateway operation', tookMs, { requestId, kind, operation: name, hash, status });
}

async function session(
  options: WebOptions,
  field: NonNullable<ReturnType<typeof sessionFieldOf>>,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const taken = { ...takenFrom(options, request, response), requestId };
  const parts = {
    execute: (sent: EndpointRequest) => options.endpoint.handle(sent),
    renewals,
    isValid: (accessToken: string) =>
      options.reloading.credentials.identify(accessToken, { now: true }).then(
        (identity) => identity !== undefined,
        () => true,
      ),
  };
  const { status, answer } = await answerSession(parts, field, taken, request, response);
  options.metrics.requests.inc({ kind: 'session', status: String(status) });
  sendJson(response, status, answer);
}

async function schema(
  options: WebOptions,
  audience: NonNullable<ReturnType<typeof schemaAudience>>,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const taken = { ...takenFrom(options, request, response), requestId };
  const refusal = await options.endpoint.schemaRefusal(taken, audience);
  options.metrics.requests.inc({ kind: 'schema', status: String(refusal?.status ?? 200) });
  if (refusal === undefined) {
    response.appendHeader('vary', 'authorization');
    return sendFile(request, response, await options.schemas.get(audience));
  }
  if (refusal.status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendErrors(response, refusal.status, refusal.message, refusal.code);
}

async function explain(
  options: WebOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  refuseOtherThanPost(request, response);
  checkGraphqlRequest(request, response);
  const taken = takenFrom(options, request, response);
  const body = graphqlBody(await readBody(request, options.maxBodyBytes));
  const { status, answer } = await explanationOf(options.explaining, { ...taken, requestId, body });
  options.metrics.requests.inc({ kind: 'explain', status: String(status) });
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, status, answer);
}

async function reload(
  options: WebOptions,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  refuseOtherThanPost(request, response);
  const taken = takenFrom(options, request, response);
  if ((await readBody(request, options.maxBodyBytes)).length > 0) throw new HttpError(400, 'Send nothing in the body.');
  const { status, answer } = await reloadAnswer(options.reloading, { ...taken, requestId });
  options.metrics.requests.inc({ kind: 'reload', status: String(status) });
  if (status === 401) response.setHeader('www-authenticate', 'Bearer');
  sendJson(response, status, answer);
}

function refuseOtherThanPost(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === 'POST') return;
  response.setHeader('allow', 'POST');
  throw new HttpError(405, `${request.method} is not allowed here, only POST.`);
}

/**
 * Disconnects a client that does not read its answer, which stays in memory until then. The connection's own idle time is not
 * used, because a client could prolong it by sending data.
 */
function cutUnread(response: ServerResponse, { readWithinMs, slowestBytesPerSecond }: WebOptions['reading']): void {
  if (response.writableFinished || response.destroyed) return;
  const lengthMs = (Number(response.getHeader('content-length') ?? 0) / slowestBytesPerSecond) * 1000;
  const timer = setTimeout(() => response.destroy(), readWithinMs + lengthMs);
  timer.unref();
  response.once('close', () => clearTimeout(timer));
}

/** A request's data for the endpoint, without its operation. */
function takenFrom(options: WebOptions, request: IncomingMessage, response: ServerResponse) {
  const hungUp = new AbortController();
  let held: Peer | undefined;
  response.once('close', () => {
    if (!response.writableFinished) hungUp.abort();
    if (held !== undefined) options.connections.release(held);
  });
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers))
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const clientAddress = options.addresses.of(request);
  const callerRequestId = callerRequestIdOf(request.headers['x-request-id']);
  const onIdentified = (): void => {
    if (held !== undefined || hungUp.signal.aborted) return;
    const { remoteAddress, remotePort } = request.socket;
    held = { remoteAddress, remotePort };
    options.connections.hold(held);
  };
  return { headers, clientAddress, callerRequestId, signal: hungUp.signal, onIdentified };
}

function sendFile(request: IncomingMessage, response: ServerResponse, file: StaticFile): void {
  const headers = { ...file.headers, etag: file.etag };
  response.appendHeader('vary', 'accept-encoding');
  const encoding = file.compressed === undefined ? undefined : encodingFor(request.headers['accept-encoding']);
  if (isUnchanged(request.headers['if-none-match'], file.etag)) send(response, 304, headers, '');
  else if (file.compressed === undefined || encoding === undefined) send(response, 200, headers, file.body);
  else send(response, 200, { ...headers, 'content-encoding': encoding }, file.compressed[encoding]);
}

/** Whether the client already has it (RFC 9110, section 13.1.2). A proxy that compresses an answer makes its ETag weak. */
function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  const known = ifNoneMatch?.split(',').map((each) => each.trim().replace(/^W\//, '')) ?? [];
  return known.includes(etag) || known.includes('*');
}

function sendJson(response: ServerResponse, status: number, value: unknown): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  send(response, status, headers, `${JSON.stringify(value)}\n`);
}

/** Errors in GraphQL's shape, which clients of this endpoint expect. */
function sendErrors(response: ServerResponse, status: number, message: string, code: string): void {
  sendJson(response, status, { errors: [{ message, extensions: { code: status === 413 ? 'LIMIT_EXCEEDED' : code } }] });
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer | AnswerParts,
): void {
  if (response.destroyed || response.writableEnded) return;
  // After a partly read body the connection can't be reused. A request without a body is complete only after its event.
  const close = response.req.complete || !hasBody(response.req) ? {} : { connection: 'close' };
  const bytes = body instanceof AnswerParts ? body.bytes : Buffer.byteLength(body);
  response.writeHead(status, {
    'content-security-policy': dataPolicy,
    ...headers,
    ...close,
    ...(status === 204 || status === 304 ? {} : { 'content-length': bytes }),
  });
  if (body instanceof AnswerParts) body.end(response);
  else if (typeof body === 'string') endText(response, body, bytes);
  else response.end(body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
