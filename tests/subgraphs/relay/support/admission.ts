// A device that admits only some addresses.
import { type AddressInfo, createServer, connect as dialTcp, type Server, type Socket } from 'node:net';

/** A proxy to a device that lets through only connections from given addresses. */
export class Admission {
  readonly seen: string[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(to: number, addresses: readonly string[]) {
    this.#server = createServer((socket) => {
      this.seen.push(socket.remoteAddress ?? '');
      if (!addresses.includes(socket.remoteAddress ?? '')) return socket.resetAndDestroy();
      const device = dialTcp(to, '127.0.0.1');
      for (const one of [socket, device]) {
        this.#sockets.add(one);
        one.on('error', () => undefined).on('close', () => this.#sockets.delete(one));
      }
      socket.pipe(device).pipe(socket);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
  }
}
