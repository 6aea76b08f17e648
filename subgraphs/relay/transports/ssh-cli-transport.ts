// A device's command line as a transport: a pool of interactive shells, each on its own SSH connection, since many devices allow
// only one session per connection.

import type { CliDialect } from '../drivers/driver.ts';
import type { Endpoint, Transport, TransportOptions } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { openCliShell } from './ssh-cli.ts';
import { login } from './ssh-login.ts';

/** Connects only when a slot is requested. Carries calls of kind `cli` only. */
export function createSshCliTransport(endpoint: Endpoint, options: TransportOptions, dialect: CliDialect): Transport {
  const { egress, concurrency, connectTimeoutMs = 10_000, idleCloseMs = 60_000, keepaliveMs = 10_000, hide } = options;
  const where = `${endpoint.host}:${endpoint.port}`;
  return new SessionPool({
    where,
    concurrency,
    connectTimeoutMs,
    idleCloseMs,
    open: async (lost, signal) => {
      const result = await login(endpoint, { egress, timeoutMs: connectTimeoutMs, keepaliveMs, signal });
      if (!result.ok) return result;
      const { client, socket } = result;
      const plain = { client, socket, dialect, where, timeoutMs: connectTimeoutMs, signal, lost };
      return openCliShell(hide === undefined ? plain : { ...plain, hide });
    },
  });
}
