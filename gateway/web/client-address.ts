// Whose address a request counts for: behind proxies that pass connections on (PROXY protocol) or requests (X-Forwarded-For).
import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { isInBlock, isLoopback, withoutMapping } from '../../platform/net/address-block.ts';

export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;
type Request = Pick<IncomingMessage, 'headers'> & { readonly socket: Peer };

export class ClientAddresses {
  readonly #trusted: readonly string[];
  /** What the PROXY protocol said of the connections that are open, by the proxy's address and port. */
  readonly #said = new Map<string, string>();

  /** `trustedProxies`: addresses and blocks of proxies that are believed. */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedProxies;
  }

  isTrusted(address: string): boolean {
    return this.#trusted.some((block) => isInBlock(address, block));
  }

  /** Notes whose connection a proxy passed on, until it closes. Undefined: the proxy did not say. */
  note(connection: Socket, address: string | undefined): void {
    const key = keyOf(connection);
    this.#said.set(key, address ?? '');
    connection.once('close', () => this.#said.delete(key));
  }

  /** Who connected: this end's neighbour, or whom the PROXY protocol named. Undefined: not known, or the connection is gone. */
  connected(socket: Peer): string | undefined {
    const address = this.#said.get(keyOf(socket)) ?? socket.remoteAddress;
    return address ? withoutMapping(address) : undefined;
  }

  /** The last hop that is not a trusted proxy: what it says of those before it, it may have invented. */
  of({ socket, headers }: Request): string | undefined {
    const forwarded = headers['x-forwarded-for'] ?? [];
    const hops = (Array.isArray(forwarded) ? forwarded : [forwarded]).flatMap((each) => each.split(','));
    let client = this.connected(socket);
    while (client !== undefined && this.isTrusted(client)) {
      const hop = hops.pop()?.trim() ?? '';
      if (isIP(hop) === 0) break;
      client = withoutMapping(hop);
    }
    return client;
  }

  /**
   * Directly from this host, and under a name of it: a page elsewhere whose name resolves to 127.0.0.1 (DNS rebinding) has its
   * own name in `Host`.
   */
  isThisHost({ socket, headers }: Request): boolean {
    const { host, 'x-forwarded-for': forwarded } = headers;
    const named = URL.parse(`http://${host ?? ''}`)?.hostname.replace(/^\[|\]$/g, '') ?? '';
    return forwarded === undefined && isLoopback(this.connected(socket) ?? '') && isLoopback(named);
  }
}

/** The same for a connection and the TLS in it. */
function keyOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
