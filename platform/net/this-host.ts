// Whether a request comes from a program on this host.
import type { IncomingHttpHeaders } from 'node:http';
import { isLoopback } from './address-block.ts';
import { hostOf } from './origin.ts';

/** A proxy adds at least one of them (RFC 7239; RFC 9110, section 7.6.3; the usual ones of nginx, HAProxy, Envoy, Traefik and CDNs). */
export const proxyHeaders = [
  ...['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-forwarded-port'],
  ...['x-forwarded-server', 'x-real-ip', 'x-client-ip', 'x-original-forwarded-for', 'x-envoy-external-address'],
  ...['cf-connecting-ip', 'true-client-ip', 'fastly-client-ip'],
] as const;

/**
 * Directly from this host, and with one of its names: a page elsewhere whose name resolves to 127.0.0.1 (DNS rebinding) has its
 * own name in `Host`. `address`: of the connected client.
 */
export function isFromThisHost(address: string | undefined, headers: IncomingHttpHeaders): boolean {
  const named = URL.parse(`http://${headers.host ?? ''}`);
  if (proxyHeaders.some((name) => headers[name] !== undefined)) return false;
  return isLoopback(address ?? '') && named !== null && isLoopback(hostOf(named));
}
