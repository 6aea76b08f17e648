// The connections to the endpoint. Their number is limited, in total and per network. At a limit, a new connection replaces the oldest one that no
// logged-in user is using for a request or a socket. So idle connections displace no user, and an ordinary client has its answer long before its
// connection is the oldest.
import type { Server, Socket } from 'node:net';
import { clientNetwork } from '../../platform/net/address-block.ts';
import type { ConnectionLimits } from '../access/limits.ts';
import { type ClientAddresses, keyOf, type Peer } from './client-address.ts';

interface Connection {
  readonly key: string;
  readonly socket: Socket;
  /** Undefined if it comes from a trusted proxy that did not name the client. */
  readonly network: string | undefined;
  /** Number of current uses, because requests may be pipelined. */
  uses: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #addresses: ClientAddresses;
  readonly #all = new Map<string, Connection>();
  /** Connections that may be closed, oldest first. */
  readonly #spare = new Set<Connection>();
  readonly #spareOfNetwork = new Map<string, Set<Connection>>();

  constructor(limits: ConnectionLimits, addresses: ClientAddresses) {
    this.#limits = limits;
    this.#addresses = addresses;
  }

  /** Counts the connections of `server` from now on. */
  watch(server: Server): void {
    server.on('connection', (socket: Socket) => this.#enter(socket));
  }

  /** Marks a connection as used by a logged-in user, until `release`. The peer may be its TLS session. */
  hold(peer: Peer): void {
    const connection = this.#all.get(keyOf(peer));
    if (connection === undefined) return;
    connection.uses += 1;
    this.#unspare(connection);
  }

  /** Called once for each `hold`. The connection is then the newest one that may be closed. */
  release(peer: Peer): void {
    const connection = this.#all.get(keyOf(peer));
    if (connection === undefined || connection.uses === 0) return;
    connection.uses -= 1;
    if (connection.uses === 0) this.#addSpare(connection);
  }

  #enter(socket: Socket): void {
    const address = this.#addresses.connected(socket);
    // It is already closed.
    if (address === undefined) return;
    const network = this.#addresses.isTrusted(address) ? undefined : clientNetwork(address);
    const neighbours = network === undefined ? undefined : this.#spareOfNetwork.get(network);
    if (neighbours !== undefined && neighbours.size >= this.#limits.mostOfNetwork) this.#close(neighbours);
    if (this.#all.size >= this.#limits.most && !this.#close(this.#spare)) {
      socket.destroy();
      return;
    }
    const connection: Connection = { key: keyOf(socket), socket, network, uses: 0 };
    this.#all.set(connection.key, connection);
    this.#addSpare(connection);
    socket.once('close', () => this.#forget(connection));
  }

  /** Closes the oldest. False if there is none. */
  #close(connections: ReadonlySet<Connection>): boolean {
    const [oldest] = connections;
    if (oldest === undefined) return false;
    this.#forget(oldest);
    oldest.socket.destroy();
    return true;
  }

  #forget(connection: Connection): void {
    // The port may have been reused.
    if (this.#all.get(connection.key) === connection) this.#all.delete(connection.key);
    this.#unspare(connection);
  }

  #addSpare(connection: Connection): void {
    this.#spare.add(connection);
    const { network } = connection;
    if (network === undefined) return;
    const neighbours = this.#spareOfNetwork.get(network) ?? new Set();
    this.#spareOfNetwork.set(network, neighbours.add(connection));
  }

  #unspare(connection: Connection): void {
    this.#spare.delete(connection);
    const { network } = connection;
    if (network === undefined) return;
    const neighbours = this.#spareOfNetwork.get(network);
    neighbours?.delete(connection);
    if (neighbours?.size === 0) this.#spareOfNetwork.delete(network);
  }
}
