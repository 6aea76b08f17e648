// NETCONF as a transport (RFC 6242): an SSH connection of its own with one session. There is one at a time for a backend: two would lock
// each other out.

import { openNetconf } from './netconf-session.ts';
import type { Endpoint, Transport, TransportOptions } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { login } from './ssh-login.ts';

/** Connects only when a slot is requested. Carries calls of kind `netconf` only. */
export function createNetconfTransport(endpoint: Endpoint, options: TransportOptions): Transport {
  const { egress, connectTimeoutMs = 10_000, idleCloseMs = 60_000, keepaliveMs = 10_000 } = options;
  const where = `${endpoint.host}:${endpoint.port}`;
  return new SessionPool({
    where,
    concurrency: 1,
    connectTimeoutMs,
    idleCloseMs,
    open: async (lost, signal) => {
      const startedMs = performance.now();
      const result = await login(endpoint, { egress, timeoutMs: connectTimeoutMs, keepaliveMs, signal });
      if (!result.ok) return result;
      const { client, socket } = result;
      const timeoutMs = Math.max(connectTimeoutMs - (performance.now() - startedMs), 1);
      return openNetconf({ client, socket, where, timeoutMs, signal, lost });
    },
  });
}
