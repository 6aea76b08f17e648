// An OVSDB server that answers echo requests like a real one, and a transact request as the test configures.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { JsonObjectSplitter } from '../../../../../subgraphs/relay/transports/ovsdb-framing.ts';
import type { Endpoint } from '../../../../../subgraphs/relay/transports/session.ts';
import type { TestCertificates } from '../../../../support/product/certificates.ts';

export const reply = (socket: TLSSocket, message: unknown): boolean => socket.write(JSON.stringify(message));

export class OddServer {
  readonly host = '127.0.0.1';
  readonly calls: string[] = [];
  readonly answered: unknown[] = [];
  answersEcho = true;
  maxConnections = Number.POSITIVE_INFINITY;
  /** Connections since the start. */
  connections = 0;
  onTransact: (socket: TLSSocket, id: number, text: string) => void = (socket, id) =>
    reply(socket, { id, result: [], error: null });
  readonly #certificates: TestCertificates;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(certificates: TestCertificates) {
    const { cert, key, ca } = certificates;
    this.#certificates = certificates;
    this.#server = createServer({ cert, key, ca, requestCert: true, rejectUnauthorized: true }, (socket) => {
      socket.on('error', () => {});
      if (this.#sockets.size >= this.maxConnections) return socket.destroy();
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      const splitter = new JsonObjectSplitter();
      socket.on('data', (data) => {
        for (const text of splitter.add(data.toString()) ?? []) this.#take(socket, text);
      });
    });
  }

  static async start(certificates: TestCertificates): Promise<OddServer> {
    const server = new OddServer(certificates);
    server.#server.listen(0, server.host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  endpoint(port = this.port): Endpoint {
    const { ca, cert, key } = this.#certificates;
    return {
      ...{ host: this.host, port, hostKeySha256: null, certificateSha256: null, caCertificates: ca },
      ...{ cryptoProfile: 'MODERN', credentials: { username: '', clientCertificate: cert, privateKey: key } },
    };
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.cutAll();
    await once(this.#server, 'close');
  }

  #take(socket: TLSSocket, text: string): void {
    const message = JSON.parse(text) as { id: number; method?: string; params?: unknown[] };
    if (message.method === 'echo') {
      if (this.answersEcho) reply(socket, { id: message.id, result: message.params, error: null });
    } else if (message.method === 'transact') {
      this.calls.push(text);
      this.onTransact(socket, message.id, text);
    } else this.answered.push(message);
  }
}
