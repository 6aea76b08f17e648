// The endpoints of the name: web servers with their own addresses, which die and recover, and record when.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';

export class Endpoint {
  readonly address: string;
  readonly port: number;
  /** The number of checks since it recovered. */
  asked = 0;
  #server: Server | undefined;

  constructor(address: string, port: number) {
    this.address = address;
    this.port = port;
  }

  get lives(): boolean {
    return this.#server !== undefined;
  }

  async start(): Promise<void> {
    this.asked = 0;
    const server = createServer((_, response) => {
      this.asked += 1;
      response.end('alive');
    });
    server.listen(this.port, this.address);
    await once(server, 'listening');
    this.#server = server;
  }

  async die(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }
}
