// A gate in front of a device that takes only so many connections at once: others are closed before a word is said, as
// routers do whose lines are all in use.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export class SessionGate {
  readonly host = '127.0.0.1';
  refused = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #open = 0;

  private constructor(to: { readonly host: string; readonly port: number }, most: number) {
    this.#server = createServer((near) => {
      near.on('error', () => {});
      if (this.#open >= most) {
        this.refused += 1;
        near.destroy();
        return;
      }
      this.#open += 1;
      near.once('close', () => {
        this.#open -= 1;
      });
      this.#join(near, connect({ host: to.host, port: to.port, noDelay: true }));
    });
  }

  static async before(to: { readonly host: string; readonly port: number }, most: number): Promise<SessionGate> {
    const gate = new SessionGate(to, most);
    gate.#server.listen(0, gate.host);
    await once(gate.#server, 'listening');
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
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
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  }
}
