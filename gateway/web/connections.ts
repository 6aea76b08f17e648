// The connections to the endpoint. Their number has limits, in all and for one network. At a limit the oldest connection is closed
// for a new one, except those that a logged-in user has in use at the moment: a request that is being answered, or a socket. So
// connections that do nothing take the places of no user, and an ordinary client has its answer long before it is the oldest.
import type { Server, Socket } from 'node:net';
import { clientNetwork } from '../../platform/net/address-block.ts';
import type { ConnectionLimits } from '../access/limits.ts';
import { type ClientAddresses, keyOf, type Peer } from './client-address.ts';

interface Connection {
  readonly key: string;
  readonly socket: Socket;
  /** Undefined: of a trusted proxy that did not say whose it is. */
  readonly network: string | undefined;
  /** How often it is in use: requests may be pipelined. */
  uses: number;
}

export class Connections {
  readonly #limits: ConnectionLimits;
  readonly #addresses: ClientAddresses;
  readonly #all = new Map<string, Connection>();
  /** Those that may be closed; the oldest first. */
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

  /** A logged-in user has it in use, until `release`. The peer may be TLS in it. */
  hold(peer: Peer): void {
    const connection = this.#all.get(keyOf(peer));
    if (connection === undefined) return;
    connection.uses += 1;
    this.#unspare(connection);
  }

  /** Once for each `hold`. Then it is the newest of those that may be closed. */
  release(peer: Peer): void {
    const connection = this.#all.get(keyOf(peer));
    if (connection === undefined || connection.uses === 0) return;
    connection.uses -= 1;
    if (connection.uses === 0) this.#addSpare(connection);
  }

  #enter(socket: Socket): void {
    const address = this.#addresses.connected(socket);
    // It is gone already.
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

  /** Closes the oldest; false: there is none. */
  #close(connections: ReadonlySet<Connection>): boolean {
    const [oldest] = connections;
    if (oldest === undefined) return false;
    this.#forget(oldest);
    oldest.socket.destroy();
    return true;
  }

  #forget(connection: Connection): void {
    // The port may have a successor.
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
