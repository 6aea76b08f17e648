// A stand-in for the gateway: serves the built pages under the real Content-Security-Policies, and the fake graph over HTTP and
// graphql-ws. It can be killed and restarted on the same port.
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { extname, join } from 'node:path';
import { buildSchema, defaultFieldResolver, type GraphQLError, type GraphQLFieldResolver, graphql } from 'graphql';
import { useServer as serveSockets } from 'graphql-ws/use/ws';
import { type WebSocket, WebSocketServer } from 'ws';
import type { EndpointRequest, EndpointResponse } from '../../../gateway/http/endpoint-request.ts';
import { documentPolicy } from '../../../gateway/http/static-files.ts';
import { answerSession, Renewals, sessionFieldOf } from '../../../gateway/web/session-request.ts';
import type { UptimeWindow } from '../../../platform/events/uptime/uptime.ts';
import { readSupergraph } from '../../../platform/graph/generated-schema.ts';
import { createRoot, type FakeContext } from './fake-graph.ts';
import { uptime } from './fake-values.ts';
import type { ChangeFilter, FakeWorld } from './fake-world.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
};

const schema = buildSchema(readSupergraph(), {
  assumeValid: true,
});

interface GraphRequest {
  readonly query: string;
  readonly variables?: Readonly<Record<string, unknown>>;
  readonly operationName?: string;
}

export class FakeServer {
  readonly #world: FakeWorld;
  readonly #staticFolder: string;
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<WebSocket>();
  #http: Server | undefined;
  readonly #renewals = new Renewals();
  #stopStreams = new AbortController();
  #port = 0;

  constructor(world: FakeWorld, staticFolder: string) {
    this.#world = world;
    this.#staticFolder = staticFolder;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The first start takes a free port; later ones the same. */
  async start(): Promise<void> {
    const http = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
    });
    http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#stopStreams = new AbortController();
    this.#serveSockets(new WebSocketServer({ server: http, path: '/graphql' }));
    await new Promise<void>((resolve, reject) => {
      http.once('error', reject);
      http.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (http.address() as AddressInfo).port;
    this.#http = http;
  }

  /** Like kill -9: connections are reset without a message. */
  async kill(): Promise<void> {
    const http = this.#http;
    if (http === undefined) return;
    this.#http = undefined;
    const closed = new Promise((resolve) => http.close(resolve));
    for (const client of this.#clients) client.terminate();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await closed;
    this.#stopStreams.abort();
  }

  /** Closes sockets like the gateway does when their credential is revoked. */
  closeUnauthenticated(): void {
    for (const client of this.#clients) client.close(4403, 'Forbidden');
  }

  /** Closes sockets like the gateway does when their access tokens expire. */
  closeExpired(): void {
    for (const client of this.#clients) client.close(4419, 'The access token has expired');
  }

  #serveSockets(sockets: WebSocketServer): void {
    const { signal } = this.#stopStreams;
    const root = {
      ...createRoot(this.#world),
      statusChanges: async function* (
        this: void,
        { after, ...filter }: { readonly after?: string | null } & ChangeFilter,
      ) {
        for await (const item of world.follow(after ?? null, filter, signal)) yield { statusChanges: item };
      },
    };
    const world = this.#world;
    serveSockets(
      {
        schema,
        onConnect: ({ connectionParams }) => {
          const bearer = bearerOf(connectionParams?.authorization);
          return bearer !== null && world.accessTokens.has(bearer);
        },
        roots: { subscription: root },
      },
      sockets,
    );
    sockets.on('connection', (client) => {
      this.#clients.add(client);
      client.on('close', () => this.#clients.delete(client));
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.url).pathname;
    if (path === '/graphql') return await this.#answerGraph(request, response);
    if (sessionFieldOf(path) !== undefined) return await this.#answerSession(path, request, response);
    const name = path === '/' ? '/index.html' : extname(path) === '' ? `${path}.html` : path;
    try {
      const body = await readFile(join(this.#staticFolder, name));
      response.writeHead(200, {
        'content-type': contentTypes[extname(name)] ?? 'application/octet-stream',
        'content-security-policy': documentPolicy(name, body.toString()),
        'x-content-type-options': 'nosniff',
      });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }

  /** The gateway's own path, over the fake graph. */
  async #answerSession(path: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const field = sessionFieldOf(path);
    if (field === undefined) throw new Error(`${path} is no path of a session`);
    const parts = {
      renewals: this.#renewals,
      isValid: async () => true,
      execute: async ({ body, headers }: EndpointRequest): Promise<EndpointResponse> => {
        const result = await this.#execute(body as GraphRequest, headers.get('authorization'));
        return { status: 200, headers: new Map(), text: JSON.stringify(result), kind: 'mutation' };
      },
    };
    const taken = {
      requestId: 'r1',
      clientAddress: undefined,
      callerRequestId: undefined,
      signal: new AbortController().signal,
    };
    const { status, answer } = await answerSession(parts, field, taken, request, response);
    response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(answer));
  }

  async #execute({ query, variables, operationName }: GraphRequest, authorization: unknown) {
    const contextValue: FakeContext = { bearer: bearerOf(authorization) };
    return await graphql({
      schema,
      source: query,
      variableValues: variables ?? null,
      operationName: operationName ?? null,
      rootValue: createRoot(this.#world),
      contextValue,
      fieldResolver: withUptime,
    });
  }

  async #answerGraph(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const asked = JSON.parse(Buffer.concat(chunks).toString('utf8')) as GraphRequest;
    const result = await this.#execute(asked, request.headers.authorization);
    const isRefused = result.errors?.some((error) => codeOf(error) === 'UNAUTHENTICATED') ?? false;
    response.writeHead(isRefused ? 401 : 200, { 'content-type': 'application/json; charset=utf-8' });
    response.end(JSON.stringify(result));
  }
}

/** Uptime of everything without its own: always up. */
const withUptime: GraphQLFieldResolver<object, FakeContext> = (source, args, context, info) =>
  info.fieldName === 'uptime' && !('uptime' in source)
    ? uptime((args as { readonly window: UptimeWindow }).window)
    : defaultFieldResolver(source, args, context, info);

function bearerOf(header: unknown): string | null {
  const match = /^Bearer (\S+)$/.exec(String(header ?? ''));
  return match?.[1] ?? null;
}

function codeOf(error: GraphQLError): unknown {
  return error.extensions.code;
}
