// A TCP forwarder between a client and a server, which a test can break like networks and load balancers do: freeze it, cut it,
// cut it in the middle of a message, or limit its connections.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

interface TcpLineOptions {
  /** Further connections are closed at once, like by a router with all its lines in use. */
  readonly mostConnections?: number;
  /** A Unix socket to listen on; default: a free port of the loopback. */
  readonly path?: string;
  /** How many bytes of a chunk get through before both connections are cut. Undefined if all do, and nothing is cut. */
  readonly cutAfter?: (chunk: Buffer, from: 'client' | 'server', chunksOfIt: number) => number | undefined;
}

export class TcpLine {
  readonly host = '127.0.0.1';
  /** Connections beyond `mostConnections`. */
  refused = 0;
  readonly #options: TcpLineOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;
  #open = 0;
  #frozen = false;

  private constructor(to: NetConnectOpts, options: TcpLineOptions) {
    this.#options = options;
    this.#server = createServer((near) => {
      if (this.#open >= (options.mostConnections ?? Number.POSITIVE_INFINITY)) {
        this.refused += 1;
        near.on('error', () => {}).destroy();
        return;
      }
      this.#open += 1;
      near.once('close', () => {
        this.#open -= 1;
      });
      const far = connect({ noDelay: true, ...to });
      this.#join(near, far, 'client');
      this.#join(far, near, 'server');
    });
  }

  static async lay(to: NetConnectOpts, options: TcpLineOptions = {}): Promise<TcpLine> {
    const line = new TcpLine(to, options);
    await line.restore();
    return line;
  }

  /** Does not change while the forwarder exists. */
  get port(): number {
    return this.#port;
  }

  /** Nothing gets through, and nobody is notified, like in a partition. */
  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  /** Delivers the data held back by a freeze. */
  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  /** Breaks all connections and refuses others. */
  async cut(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Listens again after a cut. */
  async restore(): Promise<void> {
    const { path } = this.#options;
    this.#server.listen(path === undefined ? { host: this.host, port: this.#port } : { path });
    await once(this.#server, 'listening');
    if (path === undefined) this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    if (this.#server.listening) await this.cut();
  }

  #join(from: Socket, to: Socket, side: 'client' | 'server'): void {
    let chunks = 0;
    this.#sockets.add(from);
    from.on('error', () => {});
    from.on('data', (chunk: Buffer) => {
      chunks += 1;
      const bytes = this.#options.cutAfter?.(chunk, side, chunks);
      if (bytes === undefined) return void to.write(chunk);
      const cut = () => {
        from.destroy();
        to.destroy();
      };
      if (bytes === 0) cut();
      else to.write(chunk.subarray(0, bytes), cut);
    });
    from.on('close', () => {
      this.#sockets.delete(from);
      if (!this.#frozen) to.destroy();
    });
    if (this.#frozen) from.pause();
  }
}
