// The connections of a server. Those on which nobody has shown yet who they are, are few: a newcomer pushes out the oldest of them, so that
// strangers who only hold connections open keep nobody out.
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export interface SocketLimits {
  readonly mostSockets: number;
  readonly mostStrangers: number;
}

export class Sockets {
  readonly #limits: SocketLimits;
  readonly #all = new Set<Socket>();
  /** By their other end; oldest first. */
  readonly #strangers = new Map<string, Socket>();

  constructor(server: Server, limits: SocketLimits) {
    this.#limits = limits;
    server.maxConnections = limits.mostSockets;
    // Below TLS, if there is any: strangers include those whose handshake is not over.
    server.on('connection', (socket: Socket) => this.#take(socket));
  }

  get count(): number {
    return this.#all.size;
  }

  /** Somebody with a valid signature or token is on this connection. */
  identified(socket: Socket): void {
    this.#strangers.delete(endOf(socket));
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
    });
    if (this.#strangers.size <= this.#limits.mostStrangers) return;
    for (const [oldestEnd, oldest] of this.#strangers) {
      this.#strangers.delete(oldestEnd);
      oldest.destroy();
      return;
    }
  }
}

/** TLS has a socket of its own on top of this one, with the same other end. */
function endOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
