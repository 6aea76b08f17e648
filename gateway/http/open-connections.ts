// The connections to a listener, whatever became of them: Node forgets one in its TLS handshake, and one that asked for another protocol, so
// that the end of the listener would wait until the client closes it.
import type { Server, Socket } from 'node:net';

export class OpenConnections {
  readonly #open = new Set<Socket>();

  constructor(listener: Server) {
    listener.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** At once. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
