// Sockets that are not authenticated yet. Their number is limited separately, so that they can't displace users. At the limit, the longest-waiting
// one is closed. A real client authenticates immediately, long before that.
import type { WebSocket } from 'ws';

interface WaitingRoom {
  /** Limit in total. */
  readonly most: number;
  /** Limit of one network (an IPv4 address, or an IPv6 /64). */
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

  /** Called when it is authenticated or closed. */
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
