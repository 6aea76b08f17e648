// A server for our own processes on other hosts: JSON over HTTP, by mutual TLS unless it listens on loopback. A drain ends when all
// open requests are answered.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, Server as NetServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import type { Peers } from '../machines/peers.ts';
import { type MutualTls, pemOf } from '../machines/tls.ts';
import { isLoopback } from '../net/address-block.ts';
import { requireOneHost } from '../net/one-host.ts';
import { atMost } from '../work/within.ts';
import { HttpError } from './http-body.ts';

interface InternalServerOptions {
  /** In messages. */
  readonly name: string;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Without it only loopback addresses are served. */
  readonly tls?: MutualTls;
  /** Of machines that may connect. */
  readonly roles: readonly string[];
  readonly log: Logger;
  /** For bodies of any length: a connection without traffic is ended after this time. Without it a request takes at most a minute. */
  readonly silentMs?: number;
  /** Throws HttpError for a refusal. */
  answer(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

/**
 * How long a connection without a request stays open in a drain. A connection in use has a request in this time, whose answer closes it. If it
 * were closed between two requests, the next one could already be on its way, and its outcome would be unknown.
 */
const lullMs = 500;

export class InternalServer {
  readonly http: Server;
  readonly #options: InternalServerOptions;
  /** The HTTP server's own list lacks sockets whose TLS handshake is not complete. */
  readonly #connections = new Set<Socket>();
  readonly #open = new Set<ServerResponse>();
  #draining = false;
  #whenIdle: (() => void) | undefined;

  /** Throws when the address is not loopback and no TLS is given. */
  constructor(options: InternalServerOptions) {
    const { name, host, tls, roles, log, silentMs } = options;
    if (tls === undefined && !isLoopback(host))
      throw new Error(
        `${name}: ${host} can be reached from other hosts; give a certificate, key and authority for mutual TLS, or listen on 127.0.0.1.`,
      );
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse) => this.#take(request, response);
    // keepAliveTimeout: longer than a client keeps an idle connection, so that a connection is not closed during a request.
    const requestTimeout = silentMs === undefined ? 60_000 : 0;
    const timeouts = { keepAliveTimeout: 65_000, headersTimeout: 15_000, requestTimeout };
    this.http =
      tls === undefined
        ? createServer(timeouts, listener)
        : createTlsServer(
            { ...timeouts, ...pemOf(tls), requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
            listener,
          );
    const server = this.http;
    requireOneHost(server);
    if (silentMs !== undefined) server.timeout = silentMs;
    if (tls !== undefined && server instanceof TlsServer) {
      tls.onChange?.(() => server.setSecureContext({ ...pemOf(tls), minVersion: 'TLSv1.2' }));
      // Runs before HTTP handles the connection.
      if (tls.peers !== undefined) server.prependListener('secureConnection', admit(tls.peers, roles, log));
    }
    server.on('connection', (socket: Socket) => {
      this.#connections.add(socket);
      socket.once('close', () => this.#connections.delete(socket));
    });
  }

  /** Throws when the port is in use. */
  async listen(): Promise<{ readonly url: string; readonly port: number }> {
    const { host, tls } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.http.once('error', reject);
      this.http.listen(this.#options.port, host, resolve);
    });
    const { port } = this.http.address() as AddressInfo;
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`, port };
  }

  /** Accepts no new work, ends what `end` ends, waits for running requests. */
  async drain(end: () => unknown = () => undefined, deadlineMs = 30_000): Promise<void> {
    this.#draining = true;
    for (const response of this.#open) closeAfter(response);
    // HTTP's own close would end the connections between two requests at once.
    const stopped = new Promise<void>((resolve) => {
      NetServer.prototype.close.call(this.http, () => resolve());
    });
    await end();
    if (this.#connections.size > this.#open.size) await Promise.race([stopped, sleep(lullMs)]);
    this.http.close();
    if (this.#open.size > 0) {
      const idle = new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
      await atMost(deadlineMs, idle);
    }
    this.#cutAll();
    await stopped;
  }

  /** Closes everything at once. */
  async stop(): Promise<void> {
    if (!this.http.listening) return;
    await new Promise<void>((resolve) => {
      this.http.close(() => resolve());
      this.#cutAll();
    });
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { name, log, answer } = this.#options;
    this.#open.add(response);
    if (this.#draining) closeAfter(response);
    answer(request, response)
      .catch((error: unknown) => {
        if (error instanceof HttpError)
          return sendJson(response, error.status, { ...error.details, error: error.message });
        log.error({ err: error, url: request.url }, `a request to ${name} failed`);
        sendJson(response, 500, { error: 'Internal error.' });
      })
      .finally(() => {
        this.#open.delete(response);
        if (this.#open.size === 0) this.#whenIdle?.();
      });
  }

  #cutAll(): void {
    for (const socket of this.#connections) socket.destroy();
  }
}

/** The client's next request goes to another process. */
function closeAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

/** The only machines accepted are those with one of the roles. */
function admit(peers: Peers, roles: readonly string[], log: Logger): (socket: TLSSocket) => void {
  return (socket) => {
    const certificate = socket.getPeerCertificate();
    const reasons = roles.map((role) => peers.refusal(certificate, role));
    if (reasons.includes(undefined)) return peers.watch(socket, certificate);
    log.warn({ reason: reasons[0], address: socket.remoteAddress }, 'a connection from another machine is refused');
    socket.destroy();
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  if (response.writableEnded || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
