// All connections to a listener. Node forgets connections in a TLS handshake, and those with another protocol, so that the end of the listener would
// wait until their client closes them.
import type { Server, Socket } from 'node:net';

export class OpenConnections {
  readonly #open = new Set<Socket>();

  constructor(listener: Server) {
    listener.on('connection', (socket: Socket) => {
      this.#open.add(socket);
      socket.once('close', () => this.#open.delete(socket));
    });
  }

  /** Closes all at once. */
  destroy(): void {
    for (const socket of this.#open) socket.destroy();
  }
}
