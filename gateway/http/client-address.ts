// The client address of a request, behind proxies that forward connections (PROXY protocol) or requests (X-Forwarded-For).
import type { IncomingMessage } from 'node:http';
import { isIP, type Socket } from 'node:net';
import { isInBlock, withoutMapping } from '../../platform/net/address-block.ts';
import { isFromThisHost } from '../../platform/net/this-host.ts';

export type Peer = Pick<Socket, 'remoteAddress' | 'remotePort'>;
type Request = Pick<IncomingMessage, 'headers'> & { readonly socket: Peer };

export class ClientAddresses {
  readonly #trusted: readonly string[];
  /** Client addresses from the PROXY protocol for open connections, by the proxy's address and port. */
  readonly #said = new Map<string, string>();

  /** `trustedProxies`: addresses and blocks of trusted proxies. */
  constructor(trustedProxies: readonly string[]) {
    this.#trusted = trustedProxies;
  }

  isTrusted(address: string): boolean {
    return this.#trusted.some((block) => isInBlock(address, block));
  }

  /** Records the client of a connection that a proxy has forwarded, until it closes. Undefined if the proxy did not name it. */
  note(connection: Socket, address: string | undefined): void {
    const key = keyOf(connection);
    this.#said.set(key, address ?? '');
    connection.once('close', () => this.#said.delete(key));
  }

  /** The connected client: the peer, or the client from the PROXY protocol. Undefined if it is unknown, or the connection is gone. */
  connected(socket: Peer): string | undefined {
    const address = this.#said.get(keyOf(socket)) ?? socket.remoteAddress;
    return address ? withoutMapping(address) : undefined;
  }

  /** The last hop that is not a trusted proxy. It may have invented the earlier hops. */
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

  isThisHost({ socket, headers }: Request): boolean {
    return isFromThisHost(this.connected(socket), headers);
  }
}

/** The same for a connection and the TLS session in it. */
export function keyOf({ remoteAddress, remotePort }: Peer): string {
  return `${remoteAddress} ${remotePort}`;
}
