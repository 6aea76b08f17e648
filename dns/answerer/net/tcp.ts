// TCP on one address: limits of connections in total and per network, and their end.
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { clientNetwork } from '../../../platform/net/address-block.ts';
import type { Answering, Listener, Place } from './listener.ts';
import { TcpConnection } from './tcp-connection.ts';

export interface TcpLimits {
  readonly connections: number;
  readonly connectionsPerNetwork: number;
  /** Time without a complete question. */
  readonly idleMs: number;
  /** Time for answers that are being sent when it closes. */
  readonly closeMs: number;
}

export const tcpLimits: TcpLimits = { connections: 1_000, connectionsPerNetwork: 100, idleMs: 10_000, closeMs: 2_000 };

const lookMs = 500;

/** Throws when the place is taken, or belongs to another machine. */
export async function listenTcp({ address, port }: Place, answer: Answering, limits: TcpLimits): Promise<Listener> {
  const connections = new Set<TcpConnection>();
  const byNetwork = new Map<string, number>();
  const now = () => performance.now();
  const accept = (socket: Socket) => {
    const from = socket.remoteAddress;
    const network = clientNetwork(from);
    const count = byNetwork.get(network) ?? 0;
    if (from === undefined || connections.size >= limits.connections || count >= limits.connectionsPerNetwork) {
      socket.on('error', () => undefined);
      socket.destroy();
      return;
    }
    byNetwork.set(network, count + 1);
    const connection = new TcpConnection(socket, { address: from, answer, now });
    connections.add(connection);
    socket.once('close', () => {
      connections.delete(connection);
      const left = (byNetwork.get(network) ?? 1) - 1;
      if (left === 0) byNetwork.delete(network);
      else byNetwork.set(network, left);
    });
  };
  const server = createServer({ allowHalfOpen: true }, accept);
  const listening = once(server, 'listening');
  server.listen({ host: address, port, ipv6Only: true });
  await listening;
  // File descriptors may be exhausted for a moment. Existing clients are still answered.
  server.on('error', () => undefined);
  const look = setInterval(() => {
    const longAgo = now() - limits.idleMs;
    for (const connection of connections) if (connection.lastQuestionMs < longAgo) connection.destroy();
  }, lookMs);
  look.unref();
  const place = server.address();
  return {
    port: typeof place === 'object' && place !== null ? place.port : port,
    connections: () => connections.size,
    async close() {
      clearInterval(look);
      const closed = new Promise((resolve) => server.close(resolve));
      for (const connection of connections) connection.end();
      const cut = setTimeout(() => {
        for (const connection of connections) connection.destroy();
      }, limits.closeMs);
      await closed;
      clearTimeout(cut);
    },
  };
}
