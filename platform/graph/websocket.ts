// Binds ws sockets to a graphql-ws protocol server: liveness by ping, a bound on queued data, and an orderly end. graphql-ws has
// such an adapter, but it logs to the console and bounds nothing.
import type { IncomingMessage } from 'node:http';
import { CloseCode, handleProtocols, MessageType, type Server } from 'graphql-ws';
import type { Logger } from 'pino';
import type { WebSocket, WebSocketServer } from 'ws';
import { socketCloses } from '../errors/errors.ts';
import { StreamIds } from './stream-ids.ts';

/** The content of `context.extra` in protocol hooks. */
export interface SocketExtra {
  readonly socket: WebSocket;
  readonly request: IncomingMessage;
  /** The protocol server's ids of streams are ours; frames carry the client's. */
  readonly streamIds: StreamIds;
  /** Sends one frame and resolves when the kernel has it; rejects once the socket is closed. */
  send(data: string): Promise<void>;
}

export type PingPayload = Readonly<Record<string, unknown>> | undefined;

interface AttachOptions {
  readonly webSockets: WebSocketServer;
  readonly protocol: Server<SocketExtra>;
  readonly log: Logger;
  /** A socket that does not answer a ping before the next one is closed. */
  readonly pingIntervalMs: number;
  /** Answers a ping of the protocol; default: returns its payload. */
  readonly onPing?: (extra: SocketExtra, payload: PingPayload) => Promise<PingPayload>;
  /** Reasons by close code, in place of those of the protocol server. */
  readonly closeReasons?: ReadonlyMap<number, string>;
  /** A socket with more than this queued is closed: its reader is too slow. */
  readonly maxBufferedBytes: number;
}

export interface SocketServer {
  /** Closes the open sockets with 1001. Terminates sockets that do not close in time. */
  release(graceMs?: number): Promise<void>;
  /** Closes all sockets with 1001 and accepts no more. Terminates sockets that do not close in time. */
  dispose(graceMs?: number): Promise<void>;
}

function sender(socket: WebSocket, maxBufferedBytes: number): (data: string) => Promise<void> {
  return (data) =>
    new Promise((resolve, reject) => {
      if (socket.readyState !== socket.OPEN) return reject(new Error('the socket is closed'));
      if (socket.bufferedAmount > maxBufferedBytes) {
        socket.terminate();
        return reject(new Error('the socket has too much waiting'));
      }
      socket.send(data, (error) => (error == null ? resolve() : reject(error)));
    });
}

const serversMessages: readonly unknown[] = [MessageType.ConnectionAck, MessageType.Next, MessageType.Error];

/** The protocol server throws at these messages. */
function isServersMessage(text: string): boolean {
  return serversMessages.includes((JSON.parse(text) as { readonly type?: unknown }).type);
}

/** Serves each connection of `webSockets`. */
export function attachSockets(options: AttachOptions): SocketServer {
  const { webSockets, protocol, log, onPing } = options;
  webSockets.options.handleProtocols = (protocols) => handleProtocols(protocols);
  const alive = new WeakSet<WebSocket>();
  const pinger = setInterval(() => {
    for (const socket of webSockets.clients) {
      if (alive.delete(socket)) socket.ping();
      else socket.terminate();
    }
  }, options.pingIntervalMs);
  pinger.unref();

  webSockets.on('connection', (socket, request) => {
    alive.add(socket);
    socket.on('pong', () => alive.add(socket));
    socket.on('error', (error) => log.debug({ err: error }, 'a socket failed'));
    const send = sender(socket, options.maxBufferedBytes);
    const streamIds = new StreamIds();
    const extra = { socket, request, streamIds, send };
    const pong = async (payload: PingPayload): Promise<void> => {
      const answer = onPing === undefined ? payload : await onPing(extra, payload);
      await send(JSON.stringify({ type: 'pong', payload: answer })).catch(() => undefined);
    };
    const closed = protocol.opened(
      {
        protocol: socket.protocol,
        async send(data) {
          const frame = streamIds.toClient(data);
          if (frame !== undefined) await send(frame).catch(() => undefined);
        },
        close: (code, reason) => socket.close(code, options.closeReasons?.get(code ?? 0) ?? reason),
        onPing: pong,
        onMessage: (take) =>
          socket.on('message', (data) => {
            alive.add(socket);
            const text = String(data);
            const message = streamIds.fromClient(text);
            if (typeof message !== 'string')
              return socket.close(CloseCode.SubscriberAlreadyExists, 'Subscriber for this id already exists');
            take(message).catch((error: unknown) => {
              if (isServersMessage(text))
                return socket.close(CloseCode.BadRequest, 'Only a server sends such a message');
              log.error({ err: error }, 'a socket message failed');
              socket.close(4500, 'Internal server error');
            });
          }),
      },
      extra,
    );
    socket.once('close', (code, reason) => {
      closed(code, String(reason)).catch((error: unknown) => log.error({ err: error }, 'a socket failed to clean up'));
    });
  });

  const release = async (graceMs = 1000): Promise<void> => {
    const open = [...webSockets.clients];
    await Promise.all(
      open.map(async (socket) => {
        const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
        socket.close(socketCloses.goingAway.code, socketCloses.goingAway.reason);
        const cut = setTimeout(() => socket.terminate(), graceMs);
        await gone;
        clearTimeout(cut);
      }),
    );
  };
  return {
    release,
    async dispose(graceMs) {
      clearInterval(pinger);
      await release(graceMs);
      webSockets.close();
    },
  };
}
