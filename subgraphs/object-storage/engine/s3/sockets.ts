// Tracks the connections of a server. Connections without an authenticated caller are limited: a new one closes the oldest, so that clients
// that merely hold connections open can't keep others out.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { Shares } from './shares.ts';

export interface SocketLimits {
  readonly mostSockets: number;
  readonly mostSocketsOfAccount: number;
  readonly mostStrangers: number;
}

export class Sockets {
  readonly #limits: SocketLimits;
  readonly #all = new Set<Socket>();
  /** Unauthenticated connections by remote address and port; oldest first. */
  readonly #strangers = new Map<string, Socket>();
  readonly #shares: Shares;
  /** By remote address and port: the account whose share the connection uses. */
  readonly #owned = new Map<string, { readonly account: string; readonly giveBack: () => void }>();

  constructor(server: Server, limits: SocketLimits) {
    this.#limits = limits;
    this.#shares = new Shares({ most: limits.mostSockets, mostOfOne: limits.mostSocketsOfAccount });
    server.maxConnections = limits.mostSockets;
    // Below TLS, if there is any: connections in the handshake count as unauthenticated.
    server.on('connection', (socket: Socket) => this.#take(socket));
  }

  get count(): number {
    return this.#all.size;
  }

  /** A caller has authenticated on this connection. */
  identified(socket: Socket): void {
    this.#strangers.delete(endOf(socket));
  }

  /** A request of an account has arrived on this connection. Returns false if the account has too many; the connection then stays unauthenticated. */
  isOf(account: string, socket: Socket): boolean {
    const end = endOf(socket);
    const owned = this.#owned.get(end);
    if (owned?.account !== account) {
      const giveBack = this.#shares.take(account);
      if (giveBack === undefined) return false;
      owned?.giveBack();
      this.#owned.set(end, { account, giveBack });
    }
    this.#strangers.delete(end);
    return true;
  }

  destroyAll(): void {
    for (const socket of this.#all) socket.destroy();
  }

  #take(socket: Socket): void {
    const end = endOf(socket);
    this.#all.add(socket);
    this.#strangers.set(end, socket);
    socket.once('close', () => {
      this.#all.delete(socket);
      if (this.#strangers.get(end) === socket) this.#strangers.delete(end);
      this.#owned.get(end)?.giveBack();
      this.#owned.delete(end);
    });
    if (this.#strangers.size <= this.#limits.mostStrangers) return;
    for (const [oldestEnd, oldest] of this.#strangers) {
      this.#strangers.delete(oldestEnd);
      oldest.destroy();
      return;
    }
  }
}

/** TLS has its own socket on top of this one, with the same remote address and port. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
