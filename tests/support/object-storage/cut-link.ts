// A TCP link on loopback that a test can cut. Its connections end, and new ones are refused until it is mended.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class CutLink {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #isCut = false;
  #mostBytes = Number.POSITIVE_INFINITY;

  private constructor(port: number) {
    this.#server = createServer((near) => {
      if (this.#isCut) return void near.destroy();
      const far = connect({ host: '127.0.0.1', port });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
      }
      near.pipe(far).pipe(near);
      let sentBytes = 0;
      near.on('data', ({ length }) => {
        sentBytes += length;
        if (sentBytes > this.#mostBytes) near.unpipe(far).pause();
      });
      near.on('close', () => far.destroy());
      far.on('close', () => near.destroy());
    });
  }

  static async to(port: number): Promise<CutLink> {
    const link = new CutLink(port);
    link.#server.listen(0, '127.0.0.1');
    await once(link.#server, 'listening');
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  /** From now on a connection is read no further once it has sent so many bytes: it stands still. */
  holdAfter(bytes: number): void {
    this.#mostBytes = bytes;
  }

  mend(): void {
    this.#isCut = false;
    this.#mostBytes = Number.POSITIVE_INFINITY;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
