// The network path between a machine and the servers that it connects to. It can be cut: nothing gets through, and neither side is
// notified. When the path is restored, data in transit arrives, as TCP retransmits it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `THERE`: data that the machine sends. `BACK`: data that it receives. */
type Direction = 'THERE' | 'BACK';

const host = '127.0.0.1';
const both: readonly Direction[] = ['THERE', 'BACK'];

export class Way {
  readonly #servers: readonly Server[];
  readonly #sockets = new Map<Socket, Direction>();
  #cut: readonly Direction[] = [];

  private constructor(targets: readonly number[]) {
    this.#servers = targets.map((port) => createServer((near) => this.#join(near, port)));
  }

  /** To ports of this machine, each through a separate port. */
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

  /** Whether nothing gets through, in one direction or both. */
  cut(isCut: boolean, directions = both): void {
    this.#cut = isCut ? directions : [];
    for (const [socket, direction] of this.#sockets)
      if (this.#cut.includes(direction)) socket.pause();
      else socket.resume();
  }

  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #join(near: Socket, port: number): void {
    const far = connect({ port, host, noDelay: true });
    near.setNoDelay(true);
    for (const [from, to, direction] of [
      [near, far, 'THERE'],
      [far, near, 'BACK'],
    ] as const) {
      this.#sockets.set(from, direction);
      from.on('data', (bytes) => to.write(bytes));
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      if (this.#cut.includes(direction)) from.pause();
    }
  }
}
