// The S3 server of a cluster, path style, on Node's own HTTP server. A drain lets running requests finish, then closes connections.

import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, isIP, type Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { Logger } from '../../../../platform/log/log.ts';
import { requireOneHost } from '../../../../platform/net/one-host.ts';
import { atMost } from '../../../../platform/work/within.ts';
import { ObjectError } from '../../wire/object-error.ts';
import type { Caller, Namespace } from '../namespace/namespace.ts';
import type { AccessKeys, Tokens } from './access-ports.ts';
import { ByteBudget } from './byte-budget.ts';
import { type Exchange, type ServerContext, sendError } from './call.ts';
import { answerOtherOrigins } from './cross-origin.ts';
import { S3Error, s3ErrorOf, slowDown } from './errors.ts';
import { Pace, type PaceLimits } from './pace.ts';
import { operationOf } from './routes.ts';
import { s3AddressOf } from './s3-address.ts';
import type { ServedRequest, ServedSoFar } from './served-request.ts';
import { Shares } from './shares.ts';
import { RequestAuthenticator } from './sigv4/authenticate.ts';
import { type SocketLimits, Sockets } from './sockets.ts';
import { errorBody, text } from './xml.ts';

/** PEM texts. Calls back when they are replaced. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  onChange?(changed: () => void): void;
}

interface S3Limits extends SocketLimits, PaceLimits {
  readonly mostRequests: number;
  readonly mostRequestsOfAccount: number;
  /** Limit of XML held in memory at once. */
  readonly mostDocumentBytes: number;
  /** Time limit for a request's headers. */
  readonly headersMs: number;
}

/** Paths with this prefix, which no bucket can have, belong to the API. */
const apiPaths = '/-/';

export interface ApiExchange extends Exchange {
  readonly context: ServerContext;
  /** The caller on this connection has authenticated. */
  readonly identified: () => void;
  /** Call it before doing anything for a caller. Throws S3Error SlowDown if the account has used up its share of the server. */
  readonly admit: (caller: Caller) => void;
}

export interface Api {
  answer(exchange: ApiExchange): Promise<void>;
  /** Whether an error is a bug and not a refusal. */
  isFault(error: unknown): boolean;
  refuse(exchange: Exchange, error: unknown): Promise<void>;
}

export interface S3Options {
  readonly namespace: Namespace;
  readonly keys: AccessKeys;
  readonly tokens: Tokens;
  /** Without it such paths are refused, like all that name no bucket. */
  readonly api?: Api;
  readonly tls?: ServerTls;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Several processes listen on the same port. */
  readonly isShared?: boolean;
  /** The region in signatures. */
  readonly region: string;
  readonly log: Logger;
  /** Whether a host name (lower case) is one of this server. Addresses and names without a dot always are. */
  readonly isOwnName?: (name: string) => boolean;
  readonly limits?: Partial<S3Limits>;
  /** Called for each finished request. */
  readonly served?: ((request: ServedRequest) => void) | undefined;
  /** The wall clock. */
  readonly nowMs?: () => number;
}

export interface S3Server {
  /** Number of running requests. */
  readonly requests: number;
  readonly connections: number;
  /** Throws if the port is in use. */
  start(): Promise<{ readonly url: string; readonly port: number }>;
  /** Accepts no new work and waits for running requests. Then, or at the deadline, closes connections. */
  drain(deadlineMs?: number): Promise<void>;
  /** Closes everything at once. */
  stop(): Promise<void>;
}

const defaultLimits: S3Limits = {
  mostSockets: 8_192,
  mostSocketsOfAccount: 2_048,
  mostStrangers: 512,
  mostRequests: 1_024,
  mostRequestsOfAccount: 256,
  mostDocumentBytes: 64 * 1024 * 1024,
  headersMs: 10_000,
  waitMs: 30_000,
  slowestBytesPerSecond: 1_024,
};

/** AWS's limit is 8 KiB, but a presigned URL with a long key is larger. */
const maxHeaderSize = 16 * 1024;
const mostHeaders = 100;

export function createS3Server(options: S3Options): S3Server {
  return new S3HttpServer(options);
}

class S3HttpServer implements S3Server {
  readonly #options: S3Options;
  readonly #limits: S3Limits;
  readonly #context: ServerContext;
  readonly #authenticator: RequestAuthenticator;
  readonly #http: Server;
  readonly #sockets: Sockets;
  /** For each connection, the bytes of its finished requests. */
  readonly #counted = new WeakMap<Socket, { readonly read: number; readonly written: number }>();
  readonly #shares: Shares;
  readonly #served = new WeakMap<IncomingMessage, () => void>();
  /** Includes requests of unauthenticated callers. */
  #active = 0;
  #isDraining = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: S3Options) {
    const { namespace, keys, tokens, region, log, tls } = options;
    this.#options = options;
    this.#limits = { ...defaultLimits, ...options.limits };
    const { mostRequests: most, mostRequestsOfAccount: mostOfOne } = this.#limits;
    this.#shares = new Shares({ most, mostOfOne });
    const documents = new ByteBudget(this.#limits.mostDocumentBytes);
    this.#context = { namespace, region, log, pace: new Pace(this.#limits), documents };
    this.#authenticator = new RequestAuthenticator({ keys, tokens, region, nowMs: options.nowMs ?? Date.now });
    // Without requestTimeout, since an upload of 5 GiB may take hours. Bodies have their own pace limit.
    const timeouts = {
      headersTimeout: this.#limits.headersMs,
      requestTimeout: 0,
      keepAliveTimeout: 65_000,
      connectionsCheckingInterval: Math.min(this.#limits.headersMs, 5_000),
      maxHeaderSize,
    };
    const listener = (request: IncomingMessage, response: ServerResponse) => this.#take(request, response);
    const server =
      tls === undefined
        ? createServer(timeouts, listener)
        : createTlsServer(
            {
              ...timeouts,
              cert: tls.cert,
              key: tls.key,
              minVersion: 'TLSv1.2',
              handshakeTimeout: this.#limits.headersMs,
            },
            listener,
          );
    // Node drops headers beyond its limit, and a dropped condition would not be evaluated. So a request with too many is refused.
    server.maxHeadersCount = 0;
    requireOneHost(server);
    // "100 Continue" is sent when the request has passed all checks.
    server.on('checkContinue', listener);
    server.on('clientError', answerClientError);
    this.#sockets = new Sockets(server, this.#limits);
    if (tls !== undefined && server instanceof TlsServer)
      tls.onChange?.(() => server.setSecureContext({ cert: tls.cert, key: tls.key, minVersion: 'TLSv1.2' }));
    this.#http = server;
  }

  get requests(): number {
    return this.#active;
  }

  get connections(): number {
    return this.#sockets.count;
  }

  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const { host, tls, isShared = false } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#http.once('error', reject);
      this.#http.listen({ host, port: this.#options.port, reusePort: isShared }, resolve);
    });
    this.#context.pace.start();
    const { port } = this.#http.address() as AddressInfo;
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`, port };
  }

  async drain(deadlineMs = 30_000): Promise<void> {
    if (!this.#http.listening) return;
    this.#isDraining = true;
    const stopped = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    if (this.#active > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      await atMost(deadlineMs, idle);
    }
    this.#sockets.destroyAll();
    await stopped;
    this.#context.pace.stop();
  }

  async stop(): Promise<void> {
    this.#context.pace.stop();
    if (!this.#http.listening) return this.#sockets.destroyAll();
    await new Promise<void>((resolve) => {
      this.#http.close(() => resolve());
      this.#sockets.destroyAll();
    });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const requestId = randomUUID().replaceAll('-', '').slice(0, 16).toUpperCase();
    const exchange: Exchange = { request, response, requestId };
    response.setHeader('x-amz-request-id', requestId);
    if (this.#isDraining) response.setHeader('connection', 'close');
    // A disconnect shows up at the next read or write.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    this.#active += 1;
    const soFar: ServedSoFar = { operation: 'none', code: 'OK', caller: undefined };
    const tell = this.#watched(exchange, soFar);
    this.#answer(exchange, soFar)
      .catch((error: unknown) => this.#refuse(exchange, error, soFar))
      .finally(() => {
        tell?.();
        this.#served.get(request)?.();
        this.#cutUnread(response);
        this.#active -= 1;
        if (this.#active === 0) this.#whenIdle?.();
      });
  }

  /** An unread answer stays in memory with its connection. */
  #cutUnread(response: ServerResponse): void {
    if (response.writableFinished || response.destroyed) return;
    const transfer = this.#context.pace.watch(() => response.destroy());
    transfer.wait(response.writableLength);
    response.once('close', () => transfer.end());
  }

  /** Returns a function that reports the request when it is finished. */
  #watched({ request, response, requestId }: Exchange, soFar: ServedSoFar): (() => void) | undefined {
    const { served } = this.#options;
    if (served === undefined) return undefined;
    const { socket, method = '' } = request;
    const { remoteAddress: address } = socket;
    const beganMs = performance.now();
    return () => {
      const { bytesRead: read, bytesWritten: written } = socket;
      // Bytes that arrived before the request was noticed belong to it too.
      const before = this.#counted.get(socket) ?? { read: 0, written: 0 };
      this.#counted.set(socket, { read, written });
      const status = response.headersSent ? response.statusCode : 0;
      served({
        ...{ ...soFar, requestId, method, address, path: pathIn(request), status },
        code: soFar.code === 'OK' && (status >= 400 || status === 0) ? String(status) : soFar.code,
        receivedBytes: Math.max(0, read - before.read),
        sentBytes: Math.max(0, written - before.written),
        tookMs: performance.now() - beganMs,
      });
    };
  }

  async #answer(exchange: Exchange, soFar: ServedSoFar): Promise<void> {
    const { request } = exchange;
    if (request.rawHeaders.length > 2 * mostHeaders)
      throw new S3Error('RequestHeaderSectionTooLarge', `A request has at most ${mostHeaders} headers.`);
    const { api } = this.#options;
    if (api !== undefined && isOfApi(request)) {
      soFar.operation = 'api';
      return api.answer({
        ...{ ...exchange, context: this.#context, refuse: (error) => api.refuse(exchange, error) },
        identified: () => this.#sockets.identified(request.socket),
        admit: (caller) => {
          soFar.caller = caller.name;
          this.#admit(exchange, caller);
        },
      });
    }
    this.#mustBeOwnHost(request);
    if (answerOtherOrigins(exchange)) return;
    const s3Address = s3AddressOf(request.url ?? '');
    const { caller, payload } = await this.#authenticator
      .authenticate({
        method: request.method ?? '',
        rawPath: s3Address.rawPath,
        pairs: s3Address.pairs,
        headers: headersIn(request),
      })
      .catch((error: unknown) => {
        // An unauthenticated connection gets no second request.
        exchange.response.setHeader('connection', 'close');
        throw error;
      });
    soFar.caller = caller.name;
    this.#admit(exchange, caller);
    const call = { ...exchange, context: this.#context, s3Address, caller, payload };
    const operation = operationOf(call);
    soFar.operation = operation.name || 'subResource';
    await operation(call);
  }

  /** Unauthenticated requests have their own limits: only authenticated work counts here. */
  #admit({ request, response }: Exchange, { accountId }: Caller): void {
    if (!this.#sockets.isOf(accountId, request.socket)) {
      response.setHeader('connection', 'close');
      throw slowDown('connections');
    }
    const giveBack = this.#shares.take(accountId);
    if (giveBack === undefined) throw slowDown('requests');
    this.#served.set(request, giveBack);
  }

  /** In virtual-host style, a key would be taken for a bucket. */
  #mustBeOwnHost({ headers }: IncomingMessage): void {
    const name = hostNameIn(headers.host ?? '');
    if (!name.includes('.') || isIP(name) !== 0 || this.#options.isOwnName?.(name) === true) return;
    throw new S3Error(
      'NotImplemented',
      `${name.slice(0, 253)} is not a name of this server. Buckets are named in the path (path style), not in the host. An administrator can add names of the server to the s3Urls of its cluster, or to the setting objectServer.s3Names.`,
    );
  }

  async #refuse(exchange: Exchange, error: unknown, soFar: ServedSoFar): Promise<void> {
    const { request, response, requestId } = exchange;
    const refusal = s3ErrorOf(error);
    const { log } = this.#context;
    const { api } = this.#options;
    const isApi = api !== undefined && isOfApi(request);
    const isFault = isApi ? api.isFault(error) : refusal === undefined;
    // Refusals of the interface beside S3 are told apart by their status.
    soFar.code = isFault ? 'InternalError' : isApi ? 'OK' : (refusal?.code ?? 'InternalError');
    if (isFault && !request.destroyed)
      log.error({ err: error, requestId, path: pathIn(request) }, 'a request of a user failed');
    // An answer that has started can only be cut off, unless it has told the error.
    if (response.headersSent) {
      if (!response.writableEnded) response.destroy();
      return;
    }
    if (isApi) return api.refuse(exchange, error);
    const told =
      refusal ?? new S3Error('InternalError', `Internal error. The log has the details under request ${requestId}.`);
    await sendError(exchange, asBucketName(told, error, request));
  }
}

/** The name in a Host header, without the port. */
function hostNameIn(host: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(host)?.[1];
  return bracketed ?? host.replace(/:\d*$/, '').replace(/\.$/, '').toLowerCase();
}

/** Without the query, which may have a signature. */
function pathIn({ url = '' }: IncomingMessage): string {
  return url.split('?', 1)[0] ?? '';
}

function isOfApi({ url = '' }: IncomingMessage): boolean {
  return url.startsWith(apiPaths);
}

/** An invalid name in the namespace may be the name of a new bucket. */
function asBucketName(told: S3Error, error: unknown, { method, url = '' }: IncomingMessage): S3Error {
  const isOfBucket =
    method === 'PUT' && error instanceof ObjectError && error.code === 'INVALID_NAME' && /^\/[^/?]*\/?(\?|$)/.test(url);
  return isOfBucket ? new S3Error('InvalidBucketName', told.message) : told;
}

/** Node joins some repeated headers and drops others, but the signature covers all that were sent. */
function headersIn({ rawHeaders }: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = (rawHeaders[at] ?? '').toLowerCase();
    const value = (rawHeaders[at + 1] ?? '').trim();
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before},${value}`);
  }
  return headers;
}

/** For input that is not HTTP, arrives too slowly, or has too long a head. */
function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket & { readonly _httpMessage?: ServerResponse | null },
): void {
  if (!socket.writable || socket._httpMessage?.headersSent === true) {
    socket.destroy();
    return;
  }
  const [code, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? ['RequestHeaderSectionTooLarge', `The request line and headers have at most ${maxHeaderSize} bytes.`]
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? ['RequestTimeout', 'The request came too slowly.']
        : ['InvalidRequest', 'This is not an HTTP/1.1 request.'];
  const xml = errorBody(text('Code', code ?? '') + text('Message', message ?? ''));
  const head = `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: application/xml\r\nContent-Length: ${Buffer.byteLength(xml)}`;
  socket.end(`${head}\r\n\r\n${xml}`, () => socket.destroy());
}
