// Mutual TLS between gateways and subgraphs: both show a certificate of the same private authority.
import { isIPv4 } from 'node:net';

/** PEM texts. `ca` is the authority whose certificates are accepted. */
export interface MutualTls {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** True for names and addresses that can't be reached from another host. */
export function isLoopback(host: string): boolean {
  return (
    host === 'localhost' ||
    host === '::1' ||
    (isIPv4(host) && host.startsWith('127.')) ||
    host.startsWith('::ffff:127.')
  );
}
