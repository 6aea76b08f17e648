// mariadb 3.4.5 leaves a rejection unhandled when a connection breaks while its session is being set up (lib/connection.js, the end
// of authSucceedHandler; the caller gets the error separately). Node ends a process for that, so a database killed at the wrong
// moment would end every process that is just connecting to it. It also has no listener any more when the server ends a connection
// during the TLS handshake: it removes its listeners at the end of the socket, and the socket's error comes after that.

import type { SqlError } from 'mariadb';

/** Ignores these two errors. Any other error without a listener still ends the process. Call it once, at the start of a program. */
export function toleratesBrokenConnects(program: NodeJS.Process): void {
  program.on('unhandledRejection', (reason) => {
    if (isBrokenConnect(reason)) return;
    // Becomes an uncaught exception: the default for an unhandled rejection.
    throw reason;
  });
  program.on('uncaughtException', (error) => {
    if (isBrokenHandshake(error)) return;
    // From here it ends the process, as without this listener.
    throw error;
  });
}

/** Node reports this error for any socket (lib/internal/tls/wrap.js, onConnectEnd). No connection was made, and nothing was sent. */
function isBrokenHandshake(error: unknown): boolean {
  const { code, message } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  return code === 'ECONNRESET' && message === handshakeEnded;
}

const handshakeEnded = 'Client network socket disconnected before secure TLS connection was established';

/**
 * Fatal: the connection is lost too. Recognised by shape, not by class: the reason may come from another realm, and is the program's own
 * error, to which the connector adds these, when it has destroyed the socket with it.
 */
export function isBrokenConnect(reason: unknown): boolean {
  const { fatal, sqlState } = (reason ?? {}) as Partial<SqlError>;
  return fatal === true && typeof sqlState === 'string';
}
