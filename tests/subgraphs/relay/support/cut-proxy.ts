// A unix-socket proxy in front of MariaDB, for a relay that loses its database, with or without the server noticing.
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TemporaryFolder, temporaryFolder } from '../../../support/machine/temporary-folder.ts';

export class CutProxy {
  readonly path: string;
  readonly #folder: TemporaryFolder;
  readonly #server: Server;
  readonly #clients = new Set<Socket>();
  readonly #servers = new Set<Socket>();
  #away = false;
  /** Keeps the server's side open when the client's side ends. */
  #silently = false;

  private constructor(folder: TemporaryFolder, to: string) {
    this.#folder = folder;
    this.path = join(folder.path, 'cut.sock');
    this.#server = createServer((client) => {
      if (this.#away) {
        client.destroy();
        return;
      }
      const server = connect({ path: to });
      this.#clients.add(client);
      this.#servers.add(server);
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.on('data', (bytes) => server.write(bytes));
      server.on('data', (bytes) => client.destroyed || client.write(bytes));
      client.on('close', () => {
        this.#clients.delete(client);
        if (!this.#silently) server.destroy();
      });
      server.on('close', () => {
        this.#servers.delete(server);
        client.destroy();
      });
    });
  }

  static async start(to: string): Promise<CutProxy> {
    const proxy = new CutProxy(await temporaryFolder(), to);
    await new Promise<void>((resolve) => proxy.#server.listen(proxy.path, resolve));
    return proxy;
  }

  /** Ends all connections and refuses new ones until `back`. `silently`: the server does not notice. */
  async lose({ silently = false } = {}): Promise<void> {
    this.#away = true;
    this.#silently = silently;
    const closed = [...this.#clients].map((client) => new Promise((resolve) => client.once('close', resolve)));
    for (const client of this.#clients) client.destroy();
    await Promise.all(closed);
    this.#silently = false;
  }

  back(): void {
    this.#away = false;
  }

  async stop(): Promise<void> {
    for (const socket of [...this.#clients, ...this.#servers]) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await this.#folder.remove();
  }
}
