// A network cable between a client and a server: frozen, it carries nothing either way and tells nobody, as a partition
// does; mended, it delivers what it held back.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class Cable {
  readonly host = '127.0.0.1';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #frozen = false;

  private constructor(to: { readonly host: string; readonly port: number }) {
    this.#server = createServer((near) => this.#join(near, connect({ host: to.host, port: to.port, noDelay: true })));
  }

  /** Listens on a free port of the loopback, for connections to `to`. */
  static async lay(to: { readonly host: string; readonly port: number }): Promise<Cable> {
    const cable = new Cable(to);
    cable.#server.listen(0, cable.host);
    await once(cable.#server, 'listening');
    return cable;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  mend(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('error', () => {});
      from.on('data', (chunk) => to.write(chunk));
      from.on('close', () => {
        this.#sockets.delete(from);
        if (!this.#frozen) to.destroy();
      });
      if (this.#frozen) from.pause();
    }
  }
}
