// Serves a subgraph to gateways on other hosts: HTTP for queries and mutations, graphql-ws for subscriptions, on one port. It
// answers only gateways: each request carries an identity that a gateway signed for this subgraph and request.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Authenticator } from '../access.ts';
import type { Peers } from '../machines/peers.ts';
import { isLoopback } from '../net/address-block.ts';
import type { PublicKeys } from '../secrets/key-pairs.ts';
import { atMost } from '../within.ts';
import { type InternalRoute, internalRoutes } from './authenticator-routes.ts';
import { DocumentCache } from './document-cache.ts';
import { executeOnSchema } from './execution.ts';
import { HttpError, parseJson, readBody } from './http-body.ts';
import { clockSkewSeconds, IdentityChecker, type IdentityRefusal, identityHeader } from './signed-identity.ts';
import type { Subgraph } from './subgraph.ts';
import { serveSubscriptions } from './subgraph-sockets.ts';
import { type MutualTls, pemOf } from './tls.ts';

/** Representations of many entities make large bodies. */
const maxBodyBytes = 8 * 1024 * 1024;

export interface ServeSubgraphOptions {
  readonly subgraph: Subgraph;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Without it only loopback addresses are served. */
  readonly tls?: MutualTls;
  /** Verifies that the client is a gateway. */
  readonly publicKeys: PublicKeys;
  readonly log: Logger;
  /** Set in the process that checks credentials: adds /internal/authenticate and /internal/recheck. */
  readonly authenticator?: Authenticator;
}

export interface ServedSubgraph {
  readonly url: string;
  readonly port: number;
  /** Accepts no new work, ends subscriptions (gateways resume them elsewhere), waits for running requests. */
  drain(deadlineMs?: number): Promise<void>;
  /** Closes everything at once. */
  stop(): Promise<void>;
}

const graphqlBody = z.object({
  query: z.string(),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

function graphqlRoute(subgraph: Subgraph, log: Logger, documents: DocumentCache): InternalRoute {
  return async (body, claims) => {
    const request = graphqlBody.safeParse(body);
    if (!request.success) throw new HttpError(400, `Not a GraphQL request: ${z.prettifyError(request.error)}`);
    const document = documents.get(request.data.query);
    if (!('kind' in document)) return { errors: document.map((error) => error.toJSON()) };
    return executeOnSchema(
      subgraph.schema,
      {
        document,
        variables: request.data.variables ?? undefined,
        operationName: request.data.operationName ?? undefined,
        context: { ...claims, loaders: new Map() },
      },
      log,
    );
  };
}

/** Listens; throws when the address is not loopback and no TLS is given, or the port is in use. */
export async function serveSubgraph(options: ServeSubgraphOptions): Promise<ServedSubgraph> {
  const { subgraph, host, log, tls } = options;
  if (tls === undefined && !isLoopback(host))
    throw new Error(
      `subgraph ${subgraph.name}: ${host} can be reached from other hosts; give a certificate, key and authority for mutual TLS, or listen on 127.0.0.1.`,
    );
  const documents = new DocumentCache(subgraph.schema);
  const checker = new IdentityChecker({ keys: options.publicKeys, audience: subgraph.name });
  const routes = new Map<string, InternalRoute>([
    ['/graphql', graphqlRoute(subgraph, log, documents)],
    ...(options.authenticator === undefined ? [] : internalRoutes(options.authenticator)),
  ]);
  let active = 0;
  let whenIdle: (() => void) | undefined;

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET' && request.url === '/health/live') return send(response, 200, { live: true });
    const route = request.method === 'POST' ? routes.get(request.url ?? '') : undefined;
    if (route === undefined) throw new HttpError(404, 'No such path.');
    const signed = request.headers[identityHeader];
    const presented = typeof signed === 'string' ? checker.present(signed) : 'forged';
    if (typeof presented === 'string') throw refusal(presented, subgraph.name);
    const body = await readBody(request, maxBodyBytes);
    const claims = presented.admit(body);
    if (typeof claims === 'string') throw refusal(claims, subgraph.name);
    send(response, 200, await route(parseJson(body), claims));
  };

  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    active += 1;
    answer(request, response)
      .catch((error: unknown) => {
        if (error instanceof HttpError) return send(response, error.status, { error: error.message });
        log.error({ err: error, subgraph: subgraph.name, url: request.url }, 'a request to a subgraph failed');
        send(response, 500, { error: 'Internal error.' });
      })
      .finally(() => {
        active -= 1;
        if (active === 0) whenIdle?.();
      });
  };

  // keepAliveTimeout: longer than a gateway keeps an idle connection, so that a connection is not closed during a request.
  const timeouts = { keepAliveTimeout: 65_000, headersTimeout: 15_000, requestTimeout: 60_000 };
  const server: Server =
    tls === undefined
      ? createServer(timeouts, listener)
      : createTlsServer(
          { ...timeouts, ...pemOf(tls), requestCert: true, rejectUnauthorized: true, minVersion: 'TLSv1.2' },
          listener,
        );
  if (tls !== undefined && server instanceof TlsServer) {
    tls.onChange?.(() => server.setSecureContext({ ...pemOf(tls), minVersion: 'TLSv1.2' }));
    // Runs before HTTP handles the connection.
    if (tls.peers !== undefined) server.prependListener('secureConnection', admitGateways(tls.peers, log));
  }
  // HTTP's own list lacks those whose TLS handshake is not over.
  const connections = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    connections.add(socket);
    socket.once('close', () => connections.delete(socket));
  });
  const cutAll = (): void => {
    for (const socket of connections) socket.destroy();
  };
  const sockets = serveSubscriptions({ server, subgraph, checker, log, documents });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, host, resolve);
  });
  const { port } = server.address() as AddressInfo;

  const close = async (): Promise<void> => {
    await sockets.dispose();
    if (!server.listening) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
      cutAll();
    });
  };
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    port,
    async drain(deadlineMs = 30_000) {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()));
      await sockets.dispose();
      server.closeIdleConnections();
      if (active > 0) {
        const idle = new Promise<void>((resolve) => {
          whenIdle = resolve;
        });
        await atMost(deadlineMs, idle);
      }
      cutAll();
      await stopped;
    },
    stop: close,
  };
}

/** The only machines accepted are gateways. */
function admitGateways(peers: Peers, log: Logger): (socket: TLSSocket) => void {
  return (socket) => {
    const certificate = socket.getPeerCertificate();
    const reason = peers.refusal(certificate, 'gateway');
    if (reason === undefined) return peers.watch(socket, certificate);
    log.warn({ reason, address: socket.remoteAddress }, 'a connection from another machine is refused');
    socket.destroy();
  };
}

function refusal(reason: IdentityRefusal, subgraph: string): HttpError {
  if (reason === 'busy')
    return new HttpError(
      503,
      `Subgraph ${subgraph} has too many requests to recognise repeated ones; try again later.`,
    );
  const why = {
    forged: '',
    expired: ` The request was signed too long ago: the clocks of the two hosts may differ by at most ${clockSkewSeconds} s.`,
    'other-request': ' The signature belongs to another request.',
    replayed: ' The request was answered before.',
  }[reason];
  return new HttpError(401, `Only a gateway may send requests to subgraph ${subgraph}.${why}`);
}

function send(response: ServerResponse, status: number, body: unknown): void {
  if (response.writableEnded || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
