// HTTPS in front of a service that speaks plain HTTP on the loopback: TLS ends here and the bytes are forwarded unchanged.

import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';

interface TlsTerminatorOptions {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
  /** A port on 127.0.0.1. */
  readonly toPort: number;
  /** Default: a free one. */
  readonly port?: number;
}

export class TlsTerminator {
  readonly host = '127.0.0.1';
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor({ cert, key, toPort }: TlsTerminatorOptions) {
    this.#server = createServer({ cert, key, noDelay: true, allowHalfOpen: true }, (near) => {
      this.#join(near, connect({ host: '127.0.0.1', port: toPort, noDelay: true, allowHalfOpen: true }));
    });
    this.#server.on('tlsClientError', () => {});
    // Before its handshake, which a client may never begin.
    this.#server.on('connection', (socket: Socket) => this.#keep(socket));
  }

  static async start(options: TlsTerminatorOptions): Promise<TlsTerminator> {
    const terminator = new TlsTerminator(options);
    terminator.#server.listen(options.port ?? 0, terminator.host);
    await once(terminator.#server, 'listening');
    return terminator;
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

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #join(near: TLSSocket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#keep(from);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.pipe(to);
    }
  }
}
