// A TLS server that answers each request with bytes chosen by the test, well-formed or not.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { type CertificateAndKey, makeCertificate } from '../../../../../platform/net/certificates.ts';
import type { Endpoint } from '../../../../../subgraphs/relay/transports/session.ts';
import { pinOf } from './web-device.ts';

export class RawServer {
  /** Requests whose headers have arrived. */
  requests = 0;
  connections = 0;
  readonly #certificate: CertificateAndKey;
  readonly #server: Server;
  readonly #sockets = new Set<TLSSocket>();

  private constructor(certificate: CertificateAndKey, answer: (socket: TLSSocket) => void) {
    this.#certificate = certificate;
    const { cert, key } = certificate;
    this.#server = createServer({ cert, key }, (socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('data', (data: Buffer) => {
        if (!data.includes('\r\n\r\n')) return;
        this.requests += 1;
        answer(socket);
      });
    });
  }

  static async start(answer: (socket: TLSSocket) => void): Promise<RawServer> {
    const server = new RawServer(await makeCertificate({ commonName: 'raw' }), answer);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  endpoint(): Endpoint {
    return {
      host: '127.0.0.1',
      port: (this.#server.address() as AddressInfo).port,
      hostKeySha256: null,
      certificateSha256: pinOf(this.#certificate.sha256),
      cryptoProfile: 'MODERN',
      credentials: { username: 'ops', password: 'secret' },
    };
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
