// Listeners that only a successful attack connects to or sends data to. The egress policy allows connections to the allowed port, and
// denies them to the denied one.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { makeCertificate } from '../../platform/net/certificates.ts';

export interface Decoys {
  readonly allowed: {
    readonly host: string;
    /** Speaks HTTPS and keeps all input. */
    readonly port: number;
    /** A port without a listener. */
    readonly closedPort: number;
    readonly certificateSha256: string;
    /** All its input. */
    heard(): string;
  };
  readonly denied: {
    readonly port: number;
    connections(): number;
  };
  stop(): Promise<void>;
}

const allowedHost = '127.0.67.1';
/** It listens on all addresses of this machine, because it does not matter which one was dialled. */
const deniedHost = '::';
/** Longer than any secret. */
const mostHeardBytes = 64 * 1024 * 1024;

export async function startDecoys(): Promise<Decoys> {
  const { cert, key, sha256 } = await makeCertificate({ commonName: 'decoy', names: [allowedHost] });
  const heard: Buffer[] = [];
  let heardBytes = 0;
  const allowed = createTlsServer({ cert, key }, (socket) => {
    socket
      .on('error', () => undefined)
      .on('data', (bytes: Buffer) => {
        if (heardBytes < mostHeardBytes) heard.push(bytes);
        heardBytes += bytes.length;
        socket.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n');
      });
  });
  let connections = 0;
  const denied = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  const closed = createServer();
  await Promise.all([listen(allowed, allowedHost), listen(denied, deniedHost), listen(closed, allowedHost)]);
  const closedPort = portOf(closed);
  await close(closed);
  return {
    allowed: {
      ...{ host: allowedHost, port: portOf(allowed), closedPort, certificateSha256: sha256 },
      heard: () => Buffer.concat(heard).toString('latin1'),
    },
    denied: { port: portOf(denied), connections: () => connections },
    async stop() {
      await Promise.all([close(allowed), close(denied)]);
    },
  };
}

async function listen(server: Server, host: string): Promise<void> {
  server.listen(0, host);
  await once(server, 'listening');
}

async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  await closed;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
