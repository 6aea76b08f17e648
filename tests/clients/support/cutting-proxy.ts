// A TCP proxy that cuts connections at a chosen moment of the next request, as networks and balancers do.
import { once } from 'node:events';
import { type AddressInfo, createServer, connect as dial, type Server, type Socket } from 'node:net';

/** Of the next request: before it is passed on; once it was, before any of its answer; in the middle of the answer. */
export type Cut = 'before the request' | 'before the answer' | 'in mid-answer';

export class CuttingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** What is still to be done, one for each request. */
  readonly plan: Cut[] = [];
  /** What was done. */
  readonly done: Cut[] = [];

  private constructor(target: URL) {
    this.#server = createServer((client) => this.#serve(client, Number(target.port), target.hostname));
  }

  static async start(target: string): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(new URL(target));
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(client: Socket, port: number, host: string): void {
    const server = dial({ port, host });
    const cut = (what: Cut) => {
      this.plan.shift();
      this.done.push(what);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => {
        this.#sockets.delete(socket);
        client.destroy();
        server.destroy();
      });
    }
    client.on('data', (data: Buffer) => {
      if (this.plan[0] === 'before the request') return cut('before the request');
      server.write(data);
    });
    server.on('data', (data: Buffer) => {
      const [next] = this.plan;
      if (next === 'before the answer') return cut(next);
      if (next !== 'in mid-answer') return client.write(data);
      // Its headers and the beginning of its body.
      client.write(data.subarray(0, data.length - 20), () => cut('in mid-answer'));
    });
  }
}
