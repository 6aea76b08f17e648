// HTTPS as a transport: the client of platform/net, with the login of the backend's driver.
import { HttpsClient } from '../../../platform/net/https-client.ts';
import type { BackendContext } from '../drivers/driver.ts';
import { sessionSecrets } from './redact.ts';
import type { Endpoint, Transport, TransportOptions } from './session.ts';
import { otherOriginsOf, tlsEndpointOf } from './tls-backend.ts';

/** Connects only when a slot is requested. */
export function createHttpsTransport(endpoint: Endpoint, options: TransportOptions): Transport {
  const { egress, concurrency, connectTimeoutMs, idleCloseMs, https, learn } = options;
  const backend: BackendContext = options.backend ?? { transport: 'https', options: {}, softwareVersion: null };
  const own = tlsEndpointOf(endpoint);
  return new HttpsClient({
    endpoint: own,
    egress,
    others: otherOriginsOf(own, backend.options),
    concurrency,
    connectTimeoutMs,
    idleCloseMs,
    sessions: https && {
      async open(exchange) {
        const login = await https.open(exchange, endpoint.credentials, backend);
        if (login.ok) learn?.(sessionSecrets(login));
        return login;
      },
      refusedSession: (reply) => https.refusedSession(reply),
    },
  });
}
