// OVSDB as a transport: a pool of connections over mutual TLS, each for one transact at a time. A connection costs the server
// little, and a call past its deadline, alone on its connection, can be cut off without affecting others.

import type { ReserveFailure } from '../../../platform/net/send.ts';
import { connectTlsEndpoint } from '../../../platform/net/tls-endpoint.ts';
import { OvsdbSession } from './ovsdb-session.ts';
import type { Endpoint, Transport, TransportOptions } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { tlsEndpointOf } from './tls-backend.ts';

/** Connects only when a slot is requested. Carries calls of kind `ovsdb` only. */
export function createOvsdbTransport(endpoint: Endpoint, options: TransportOptions): Transport {
  const { egress, concurrency, connectTimeoutMs = 10_000, idleCloseMs = 60_000 } = options;
  const server = tlsEndpointOf(endpoint);
  const where = `${server.host}:${server.port}`;
  return new SessionPool({
    where,
    concurrency,
    connectTimeoutMs,
    idleCloseMs,
    open: async (lost, signal) => {
      const startedMs = performance.now();
      const connection = await connectTlsEndpoint(server, { egress, timeoutMs: connectTimeoutMs, signal });
      if (!connection.ok) return connection;
      const session = new OvsdbSession({ socket: connection.socket, lost });
      const giveUp = () => session.destroy();
      signal.addEventListener('abort', giveUp, { once: true });
      const proof = await session.prove(Math.max(connectTimeoutMs - (performance.now() - startedMs), 1));
      signal.removeEventListener('abort', giveUp);
      if (proof === 'accepted') return { ok: true, session };
      session.destroy();
      await session.closed;
      return { ok: false, failure: notOpened(proof, where, endpoint) };
    },
  });
}

function notOpened(proof: 'refused' | 'no answer', where: string, { credentials }: Endpoint): ReserveFailure {
  if (proof === 'no answer') {
    return { kind: 'NOT_SENT', code: 'CONNECT_FAILED', message: `${where} does not answer as an OVSDB server.` };
  }
  const shown =
    credentials.clientCertificate === undefined ? 'a client without a certificate' : 'the client certificate';
  return {
    kind: 'NOT_SENT',
    code: 'AUTH_FAILED',
    message: `${where} refused ${shown}.`,
  };
}
