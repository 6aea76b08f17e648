// mariadb 3.4.5 lets errors of lost connections end the process. It leaves a rejection unhandled when a connection breaks while its
// session is being set up (lib/connection.js, the end of authSucceedHandler). It throws the error of a connection that has no listener
// and no command from the socket's own event (fatalError). And it removes its listeners from a socket whose error is still to come, so
// that Node reports it for a socket that nobody listens to. In all three cases the caller learns of the loss separately.

import type { SqlError } from 'mariadb';

/** Ignores errors that only say that a connection is lost. Any other error without a listener still ends the process. Call it once. */
export function toleratesBrokenConnects(program: NodeJS.Process): void {
  program.on('unhandledRejection', (reason) => {
    if (isBrokenConnect(reason)) return;
    // Becomes an uncaught exception: the default for an unhandled rejection.
    throw reason;
  });
  program.on('uncaughtException', (error) => {
    if (isBrokenConnect(error) || isLostSocket(error)) return;
    // From here it ends the process, as without this listener.
    throw error;
  });
}

/**
 * A socket without a listener lost its peer: amid a TLS handshake (lib/internal/tls/wrap.js, onConnectEnd), or at a read or write. The
 * socket may be any of the process, and no work waits for one that nobody listens to.
 */
function isLostSocket(error: unknown): boolean {
  const { code, message, syscall } = (error ?? {}) as Partial<NodeJS.ErrnoException>;
  if (code === 'ECONNRESET' && message === handshakeEnded) return true;
  return (code === 'EPIPE' || code === 'ECONNRESET') && (syscall === 'read' || syscall === 'write');
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
