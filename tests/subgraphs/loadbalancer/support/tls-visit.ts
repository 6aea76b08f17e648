// One request to a TLS listener on its own connection, with or without a session and a certificate.
import { connect, type SecureVersion } from 'node:tls';
import type { CertificateAndKey } from '../../../../platform/net/certificates.ts';

const waitMs = 5_000;

interface Visit {
  /** The status line, or the reason why there is none. */
  readonly answer: string;
  readonly resumed: boolean;
  /** The newest session from the server. */
  readonly session: Buffer | undefined;
}

interface Shown {
  readonly session?: Buffer | undefined;
  readonly shown?: CertificateAndKey | undefined;
}

export function visit(port: number, version: SecureVersion, { session, shown }: Shown = {}): Promise<Visit> {
  return new Promise((resolve) => {
    let [text, given, resumed] = ['', session, false];
    const socket = connect({
      ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false, timeout: waitMs },
      ...{ minVersion: version, maxVersion: version },
      ...(session === undefined ? {} : { session }),
      ...(shown === undefined ? {} : { cert: shown.cert, key: shown.key }),
    });
    socket.on('session', (next) => {
      given = next;
    });
    socket.on('secureConnect', () => {
      resumed = socket.isSessionReused();
      socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', (chunk) => {
      text += chunk;
    });
    socket.on('error', (error) => {
      text ||= `refused: ${error.message}`;
    });
    socket.on('timeout', () => socket.destroy());
    socket.on('close', () => resolve({ answer: text.split('\r\n')[0] || 'refused: closed', resumed, session: given }));
  });
}
