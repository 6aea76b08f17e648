// Whether a request comes from a program on this host.
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from './address-block.ts';
import { hostOf } from './origin.ts';

/**
 * Directly from this host, and with one of its names: a page elsewhere whose name resolves to 127.0.0.1 (DNS rebinding) has its
 * own name in `Host`. `address`: of the connected client.
 */
export function isFromThisHost(address: string | undefined, headers: IncomingHttpHeaders): boolean {
  const { host, 'x-forwarded-for': forwarded } = headers;
  const named = URL.parse(`http://${host ?? ''}`);
  return forwarded === undefined && isLoopback(address ?? '') && named !== null && isLoopback(hostOf(named));
}
