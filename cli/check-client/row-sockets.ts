// Subscriptions of a row over graphql-ws. Queries and mutations are played over HTTP alone.
import type { IncomingMessage, Server } from 'node:http';
import { type ExecutionArgs, type ExecutionResult, GraphQLError } from 'graphql';
import { makeServer } from 'graphql-ws';
import pino from 'pino';
import { WebSocketServer } from 'ws';
import type { Opening, Play } from '../../clients/failure-table/row.ts';
import { socketCloses } from '../../platform/errors/errors.ts';
import { attachSockets, type SocketExtra } from '../../platform/graph/websocket.ts';
import { beatMs, itemsOf, meterOf, saidEnds } from './event-stream.ts';
import { bearerOf, errorOf, type Played } from './messages.ts';
import { type Asked, OperationTypeNode } from './played-graph.ts';

/** State that graphql-ws keeps from the admission of a subscription to its items. */
interface Admitted {
  readonly played: Played;
  readonly asked: Asked;
  readonly opening: Opening;
  readonly socket: Socket;
}

interface Socket {
  close(code: number, reason: string): void;
  terminate(): void;
  pause(): void;
  ping(): void;
}

/** The longest interval of a timer. */
const never = 2 ** 31 - 1;

/** `playedAt`: the row of a request's address. Undefined if the row is over. */
export function serveRowSockets(
  server: Server,
  playedAt: (request: IncomingMessage) => Played | undefined,
): { close(): void } {
  const sockets = new WebSocketServer({ noServer: true, maxPayload: 1024 * 1024 });
  server.on('upgrade', (request, socket, head) => {
    socket.on('error', () => socket.destroy());
    if (playedAt(request) === undefined) socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n');
    else sockets.handleUpgrade(request, socket, head, (opened) => sockets.emit('connection', opened, request));
  });
  attachSockets({
    webSockets: sockets,
    // The check is about clients that disconnect, so there is nothing to log.
    log: pino({ enabled: false }),
    // No pings except those of a stream, which end when it falls silent.
    pingIntervalMs: never,
    maxBufferedBytes: 64 * 1024 * 1024,
    protocol: makeServer<Record<string, unknown>, SocketExtra>({
      onConnect: ({ connectionParams, extra }) => {
        const { authorization = extra.request.headers.authorization } = connectionParams ?? {};
        const token = bearerOf({ headers: { authorization: String(authorization) } });
        if (playedAt(extra.request)?.world.isKnown(token)) return true;
        extra.socket.close(socketCloses.forbidden.code, socketCloses.forbidden.reason);
        return false;
      },
      onSubscribe: ({ extra }, _id, payload) => admit(playedAt(extra.request), extra.socket, payload),
      subscribe: (args: ExecutionArgs) => stream(args.contextValue as Admitted),
    }),
  });
  return {
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function admit(played: Played | undefined, socket: Socket, payload: { readonly query: string }) {
  if (played === undefined) return [new GraphQLError('The row is over.')];
  const { graph, world } = played;
  let asked: Asked;
  try {
    asked = graph.asked(payload);
  } catch (error) {
    world.faults.push(`sent an operation that the graph refuses: ${(error as Error).message}`);
    return [error as GraphQLError];
  }
  const kind = world.kindOf(asked);
  if (kind !== 'subscribe' || asked.kind !== OperationTypeNode.SUBSCRIPTION) {
    world.faults.push('sent a query or a mutation over a WebSocket, where the check plays subscriptions alone');
    return [new GraphQLError('The check plays subscriptions alone here.')];
  }
  const { seen, play, opening = {} } = world.note(kind, asked);
  seen.answeredAtMs = performance.now();
  const refusal = refusalOf(play, socket);
  if (refusal !== undefined) {
    seen.retryAfterMs = play.kind === 'error' ? (play.retryAfterMs ?? 0) : 0;
    return refusal;
  }
  const admitted: Admitted = { played, asked, opening, socket };
  return { schema: graph.schema, document: asked.document, contextValue: admitted } satisfies ExecutionArgs;
}

/** A proxy's page and a cut are the same to a socket that is open. */
function refusalOf(play: Play, socket: Socket): readonly GraphQLError[] | undefined {
  if (play.kind === 'answer') return undefined;
  if (play.kind !== 'error') {
    socket.terminate();
    return [new GraphQLError('gone')];
  }
  const { code, retryAfterMs } = play;
  return [new GraphQLError(`The check plays ${code}.`, { extensions: { code, retryAfterMs } })];
}

async function* stream({ played, asked, opening, socket }: Admitted): AsyncGenerator<ExecutionResult, void, void> {
  const { world } = played;
  const measure = meterOf(
    played,
    () => (socket as unknown as { _socket: { bytesWritten: number } })._socket.bytesWritten,
  );
  const after = asked.fields[0]?.args.after;
  for await (const item of itemsOf(played, asked, opening, after)) {
    if ('refusal' in item) {
      yield errorOf(item.refusal, 'The check plays it.') as never;
      return;
    }
    yield item.result;
    measure();
  }
  const { end } = opening;
  if (end === 'silence') return socket.pause();
  if (end === 'cut' || end === 'cut in an event') return socket.terminate();
  if (end !== undefined) {
    if (end === 'the token expires') world.expire('access token');
    const { code, reason } = saidEnds[end];
    return socket.close(code, reason);
  }
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, beatMs).unref());
    socket.ping();
  }
}
