// The graphql-ws side of a served subgraph. A gateway multiplexes the subscriptions of all its clients over one socket: the
// socket proves that it is a gateway's, and each subscription carries its client's identity.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { makeServer } from 'graphql-ws';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import type { RequestContext } from '../caller/identity.ts';
import { subscribeOnSchema } from './execution.ts';
import type { GraphqlDocumentCache } from './graphql-document-cache.ts';
import { connectionBody, type IdentityChecker, identityHeader, subscriptionBody } from './signed-identity.ts';
import type { Subgraph } from './subgraph.ts';
import { attachSockets, type SocketServer } from './websocket.ts';

interface ServeSubscriptionsOptions {
  readonly server: Server;
  readonly subgraph: Subgraph;
  readonly checker: IdentityChecker;
  readonly log: Logger;
  readonly documents: GraphqlDocumentCache;
}

/** Handles upgrades on /graphql. */
export function serveSubscriptions(options: ServeSubscriptionsOptions): SocketServer {
  const { subgraph, checker, log, documents } = options;
  const claimsIn = (holder: Readonly<Record<string, unknown>> | null | undefined, body: string) => {
    const signed = holder?.[identityHeader];
    const claims = typeof signed === 'string' ? checker.check(signed, body) : 'forged';
    return typeof claims === 'string' ? undefined : claims;
  };
  const protocol = makeServer({
    connectionInitWaitTimeout: 5000,
    onConnect: (context) => claimsIn(context.connectionParams, connectionBody) !== undefined,
    onSubscribe(_context, _id, payload): ExecutionArgs | readonly GraphQLError[] {
      const claims = claimsIn(payload.extensions, subscriptionBody(payload));
      if (claims === undefined)
        return [
          new GraphQLError(`Only a gateway may subscribe to subgraph ${subgraph.name}.`, {
            extensions: { code: 'UNAUTHENTICATED' },
          }),
        ];
      const document = documents.get(payload.query);
      if (!('kind' in document)) return document;
      const contextValue: RequestContext = { ...claims, loaders: new Map() };
      return {
        schema: subgraph.schema,
        document,
        variableValues: payload.variables,
        operationName: payload.operationName,
        contextValue,
      };
    },
    // The results are formatted already; graphql-ws formats once more, which GraphQLError instances survive.
    subscribe: async (args: ExecutionArgs) => {
      const stream = await subscribeOnSchema(
        subgraph.schema,
        {
          document: args.document,
          variables: args.variableValues ?? undefined,
          operationName: args.operationName ?? undefined,
          context: args.contextValue as RequestContext,
        },
        log,
      );
      return stream as AsyncGenerator<ExecutionResult> | ExecutionResult;
    },
    onNext: (_context, _id, _payload, _args, result) => result as never,
  });
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 });
  const sockets = attachSockets({
    webSockets,
    protocol,
    log,
    pingIntervalMs: 15_000,
    maxBufferedBytes: 64 * 1024 * 1024,
  });
  options.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    if (request.url !== '/graphql') return socket.destroy();
    webSockets.handleUpgrade(request, socket, head, (webSocket) => webSockets.emit('connection', webSocket, request));
  });
  return sockets;
}
