// The network between a machine and the conductors, which can be cut: nothing comes through any more, and nobody is told so. What was on
// its way comes when it is mended, as TCP sends it again.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

const host = '127.0.0.1';

export class Way {
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();
  #isCut = false;

  private constructor(targets: readonly number[]) {
    this.#servers = targets.map((port) => createServer((near) => this.#join(near, port)));
  }

  /** To the ports of this machine, each by a port of its own. */
  static async open(targets: readonly number[]): Promise<Way> {
    const way = new Way(targets);
    for (const server of way.#servers) {
      server.listen(0, host);
      await once(server, 'listening');
    }
    return way;
  }

  get ports(): readonly number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  cut(isCut: boolean): void {
    this.#isCut = isCut;
    for (const socket of this.#sockets)
      if (isCut) socket.pause();
      else socket.resume();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #join(near: Socket, port: number): void {
    const far = connect({ port, host, noDelay: true });
    near.setNoDelay(true);
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#isCut) from.pause();
    }
  }
}
