// A small GraphQL server with the real graph's schema and the answers of a test. It validates every document that a command sends, like the gateway.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { execute, type GraphQLSchema, parse, subscribe, validate } from 'graphql';
import { makeServer } from 'graphql-ws';
import pino from 'pino';
import { WebSocketServer } from 'ws';
import { apiSchemaOf, graphOf } from '../../../platform/graph/sdl.ts';
import { attachSockets, type SocketExtra } from '../../../platform/graph/websocket.ts';
import { composeSupergraph } from '../../../schema/compose.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';

export const goodToken = 'tg_good';

export type Answers = Readonly<Record<string, (args: never) => unknown>>;

/** Composed once. */
let schema: GraphQLSchema | undefined;

export class GraphServer {
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  /** Root fields of all three operation types. */
  answers: Answers = {};
  /** Variables of every request, in order. */
  readonly requests: Record<string, unknown>[] = [];

  private constructor(schema: GraphQLSchema) {
    this.#http = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      const { query, variables } = JSON.parse(Buffer.concat(parts).toString()) as {
        query: string;
        variables: Record<string, unknown>;
      };
      const authorised =
        request.headers.authorization === `Bearer ${goodToken}` || /login\(|sessionRefresh\(/.test(query);
      const result = authorised ? await this.#execute(schema, query, variables) : unauthenticated;
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(result));
    });
    this.#http.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    const webSockets = new WebSocketServer({ server: this.#http });
    attachSockets({
      webSockets,
      // Clients may leave in the middle of a message.
      log: pino({ enabled: false }),
      ...{ pingIntervalMs: 12_000, maxBufferedBytes: 1024 * 1024 },
      protocol: makeServer<Record<string, unknown>, SocketExtra>({
        schema,
        roots: { subscription: {} },
        onConnect: ({ connectionParams }) => connectionParams?.authorization === `Bearer ${goodToken}`,
        subscribe: (args) => {
          this.requests.push((args.variableValues ?? {}) as Record<string, unknown>);
          return subscribe({ ...args, rootValue: this.answers });
        },
      }),
    });
  }

  static async start(): Promise<GraphServer> {
    schema ??= apiSchemaOf(composeSupergraph(graphOf(subgraphRows)));
    const server = new GraphServer(schema);
    server.#http.listen({ host: '127.0.0.1', port: 0 });
    await once(server.#http, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}/graphql`;
  }

  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.dropConnections();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  async #execute(schema: GraphQLSchema, query: string, variables: Record<string, unknown>): Promise<unknown> {
    this.requests.push(variables);
    const document = parse(query);
    const errors = validate(schema, document);
    if (errors.length > 0) return { errors };
    return execute({ schema, document, variableValues: variables, rootValue: this.answers });
  }
}

const unauthenticated = { errors: [{ message: 'log in', extensions: { code: 'UNAUTHENTICATED' } }] };

/** A connection of the `nodes` that have one of the names, or of all nodes, with positions as cursors. */
export function pageOf<Node>(
  nodes: readonly Node[],
  args: { first: number; after: string | null; names?: readonly string[] | null },
): unknown {
  const { names, first } = args;
  const nameOf = (node: Node) => {
    const { name, fqdn = '' } = node as { readonly name?: string; readonly fqdn?: string };
    return name ?? fqdn;
  };
  const listed = names == null ? nodes : nodes.filter((node) => names.includes(nameOf(node)));
  const from = args.after === null ? 0 : Number(args.after);
  const end = from + first;
  return {
    nodes: listed.slice(from, end),
    pageInfo: { hasNextPage: end < listed.length, endCursor: String(Math.min(end, listed.length)) },
  };
}
