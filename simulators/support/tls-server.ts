// The HTTPS side of a simulated device: complete requests in, answers out, with TLS and connection faults: other versions, a
// different or an expired certificate, truncated replies.

import { once } from 'node:events';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { type CertificateAndKey, makeCertificate } from '../../platform/net/certificates.ts';

export interface DeviceRequest {
  readonly method: string;
  /** Without the query, unchanged: still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: ReadonlyMap<string, string>;
  readonly body: string;
  readonly remoteAddress: string;
  /** Breaks the connection. */
  cut(): void;
}

export interface DeviceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string;
  /** Sends only this much of a body that was announced in full length, then breaks the connection. */
  readonly cutAfterBytes?: number;
}

/** Undefined for no answer: the handler has broken the connection, or leaves it silent. */
export type RequestHandler = (request: DeviceRequest) => Promise<DeviceAnswer | undefined>;

export interface TlsServerOptions {
  /** Default: a free one. */
  readonly port?: number;
  /** Default: a new one for 127.0.0.1. */
  readonly certificate?: CertificateAndKey;
  /** Default TLSv1.2. */
  readonly minVersion?: SecureVersion;
  /** Default TLSv1.3. */
  readonly maxVersion?: SecureVersion;
  /** OpenSSL's cipher list; below TLS 1.2 the default lowers OpenSSL's security level, which would refuse them. */
  readonly ciphers?: string;
}

const maxBodyBytes = 4 * 1024 * 1024;

export class TlsServer {
  readonly host = '127.0.0.1';
  /** TLS connections since the start. */
  connections = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #certificate: CertificateAndKey;

  private constructor(handler: RequestHandler, certificate: CertificateAndKey, options: TlsServerOptions) {
    this.#certificate = certificate;
    const { minVersion = 'TLSv1.2', maxVersion = 'TLSv1.3' } = options;
    const ciphers = options.ciphers ?? (minVersion < 'TLSv1.2' ? 'DEFAULT@SECLEVEL=0' : undefined);
    this.#server = createServer(
      { ...this.#keyPair(), minVersion, maxVersion, ...(ciphers === undefined ? {} : { ciphers }) },
      (request, response) => void this.#serve(request, response, handler),
    );
    this.#server.on('secureConnection', () => {
      this.connections += 1;
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('tlsClientError', () => {});
  }

  /** Listens on the loopback. */
  static async start(handler: RequestHandler, options: TlsServerOptions = {}): Promise<TlsServer> {
    const { certificate = await makeCertificate({ commonName: 'device', names: ['127.0.0.1'] }) } = options;
    const server = new TlsServer(handler, certificate, options);
    server.#server.listen(options.port ?? 0, server.host);
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get certificate(): CertificateAndKey {
    return this.#certificate;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  /** Presents another certificate from now on, like after a replacement of the device; open connections are cut. */
  present(certificate: CertificateAndKey): void {
    this.#certificate = certificate;
    this.#server.setSecureContext(this.#keyPair());
    this.cutAll();
  }

  /** Cuts every connection, and continues to listen. */
  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cutAll();
    await closed;
  }

  #keyPair(): { cert: string; key: string } {
    return { cert: this.#certificate.cert, key: this.#certificate.key };
  }

  async #serve(request: IncomingMessage, response: ServerResponse, handler: RequestHandler): Promise<void> {
    response.on('error', () => {});
    const body = await readBody(request);
    if (body === undefined) return void request.socket.destroy();
    const answer = await handler(toDeviceRequest(request, body));
    if (!answer || response.destroyed) return;
    const bytes = Buffer.from(answer.body ?? '', 'utf8');
    for (const [name, value] of Object.entries(answer.headers ?? {})) response.setHeader(name, value);
    response.setHeader('content-length', bytes.length);
    response.writeHead(answer.status);
    if (answer.cutAfterBytes === undefined) return void response.end(bytes);
    response.write(bytes.subarray(0, answer.cutAfterBytes), () => request.socket.destroy());
  }
}

/** Undefined if it was interrupted, or is longer than any real call. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > maxBodyBytes) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function toDeviceRequest(request: IncomingMessage, body: string): DeviceRequest {
  const [path = '/', query = ''] = (request.url ?? '/').split(/\?(.*)/s);
  return {
    method: request.method ?? 'GET',
    path,
    query: new URLSearchParams(query),
    headers: request.headers,
    cookies: readCookies(request.headers.cookie ?? ''),
    body,
    remoteAddress: request.socket.remoteAddress ?? '',
    cut: () => request.socket.destroy(),
  };
}

/** RFC 6265 section 4.2.1; a quoted value keeps its quotes. */
function readCookies(header: string): ReadonlyMap<string, string> {
  const pairs = header.split(';').map((pair) => pair.trim().split(/=(.*)/s));
  return new Map(pairs.map(([name = '', value = '']) => [name, value]));
}
