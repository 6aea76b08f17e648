// The command line of a device as a transport: a pool of interactive shells, each on an SSH connection of its own, since
// many devices give a connection one session only.

import type { CliDialect } from '../drivers/driver.ts';
import type { Endpoint, Transport, TransportOptions } from './session.ts';
import { SessionPool } from './session-pool.ts';
import { openCliShell } from './ssh-cli.ts';
import { login } from './ssh-login.ts';

/** Connects nothing until it is asked for a slot. Takes calls of kind `cli` only. */
export function createSshCliTransport(endpoint: Endpoint, options: TransportOptions, dialect: CliDialect): Transport {
  const { concurrency, connectTimeoutMs = 10_000, idleCloseMs = 60_000, keepaliveMs = 10_000 } = options;
  const where = `${endpoint.host}:${endpoint.port}`;
  return new SessionPool({
    where,
    concurrency,
    connectTimeoutMs,
    idleCloseMs,
    open: async (lost, signal) => {
      const result = await login(endpoint, { timeoutMs: connectTimeoutMs, keepaliveMs, signal });
      if (!result.ok) return result;
      const { client, socket } = result;
      return openCliShell({ client, socket, dialect, where, timeoutMs: connectTimeoutMs, signal, lost });
    },
  });
}
