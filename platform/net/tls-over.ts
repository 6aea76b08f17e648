// TLS on a connected socket: nothing is dialled here.
import type { Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';

/** Throws when the options can't be used. `host` is for checking the certificate. */
export function tlsOver(socket: Socket, options: Omit<ConnectionOptions, 'socket' | 'port' | 'path'>): TLSSocket {
  return connect({ ...options, socket });
}
