// Sockets that have not yet said who they are. They have a small room of their own, so that they can't take the places of users:
// when it is full, the one that has waited longest goes. A client says who it is at once, and is through before it is its turn.
import type { WebSocket } from 'ws';

export interface WaitingRoom {
  /** In all. */
  readonly most: number;
  /** Of one network (an IPv4 address, or an IPv6 /64). */
  readonly mostOfNetwork: number;
}

export class WaitingSockets {
  readonly #room: WaitingRoom;
  /** The oldest first. */
  readonly #waiting = new Map<WebSocket, string>();
  readonly #ofNetwork = new Map<string, Set<WebSocket>>();

  constructor(room: WaitingRoom) {
    this.#room = room;
  }

  get size(): number {
    return this.#waiting.size;
  }

  enter(socket: WebSocket, network: string): void {
    const neighbours = this.#ofNetwork.get(network) ?? new Set();
    if (neighbours.size >= this.#room.mostOfNetwork) this.#drop(neighbours.values());
    if (this.#waiting.size >= this.#room.most) this.#drop(this.#waiting.keys());
    this.#ofNetwork.set(network, neighbours.add(socket));
    this.#waiting.set(socket, network);
    socket.once('close', () => this.leave(socket));
  }

  /** It has said who it is, or is gone. */
  leave(socket: WebSocket): void {
    const network = this.#waiting.get(socket);
    if (network === undefined) return;
    this.#waiting.delete(socket);
    const neighbours = this.#ofNetwork.get(network);
    neighbours?.delete(socket);
    if (neighbours?.size === 0) this.#ofNetwork.delete(network);
  }

  #drop(sockets: Iterator<WebSocket>): void {
    const { value: oldest } = sockets.next();
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.terminate();
  }
}
