// The connections of this process to one server. No pool has two servers: the connector knows connections by their thread ids, which
// servers share.
import { type NetConnectOpts, Socket } from 'node:net';
import { setImmediate as afterInput } from 'node:timers/promises';
import { createConnection, createPool, type Pool, type PoolConfig } from 'mariadb';
import { isConnectTimeout, isSlowToOpen } from '../errors/database-errors.ts';

/** Where the database is: a unix socket, or host and port (with TLS when `tls` is given). */
export interface DatabaseLocation {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

interface PoolSizes {
  readonly connectionLimit: number;
  readonly acquireTimeoutMs: number;
  readonly preparedKept: number;
  /** Applies to reads of users. Other reads have no such limit. */
  readonly readTimeoutMs: number;
  /** The server refuses everything else. Default: no. */
  readonly readsOnly?: boolean;
}

/** A server of several: its pools are for one timeline, and can be cut. */
export interface OneOfSeveral {
  /** Connections are made only while the server is writable and on this timeline. 0 if the database has no timeline yet. */
  readonly epoch: number;
  /** Called when one of its connections ends. */
  readonly onEnd: () => void;
}

export const usualIdleSeconds = 8;
const sessionSetup = [
  "SET time_zone = '+00:00'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  // A process that is paused in a transaction keeps its locks (a lease's fence, an object's row): the server ends its transaction
  // after this many seconds, longer than any step of a transaction here takes.
  idleLimit(usualIdleSeconds),
];
/** The connector ends busy connections with KILL, over a new connection, 10 s after the end of their pool. */
const endMs = 8_000;

export function idleLimit(seconds: number): string {
  return `SET SESSION idle_transaction_timeout = ${seconds}`;
}

/** The driver's options for a location; also for tools with a single connection. */
export function connectionOptions(location: DatabaseLocation): PoolConfig {
  const { tls, ...rest } = location;
  // The host is set here because the connector gives Node only the socket. For an IP address Node would not know the host, and the
  // certificate would not match.
  const ssl = { ...tls, host: location.host ?? 'localhost', rejectUnauthorized: true };
  return {
    ...rest,
    ...(tls === undefined ? {} : { ssl }),
    timezone: 'Z',
    charset: 'utf8mb4',
    collation: 'UTF8MB4_BIN',
    bigIntAsNumber: true,
    insertIdAsNumber: true,
    decimalAsNumber: true,
    checkNumberRange: true,
    connectTimeout: 5_000,
    socketTimeout: 60_000,
    initSql: sessionSetup,
  };
}

/** The connector removes all listeners of a socket before it ends it, so only the socket itself can report its end. */
class WatchedSocket extends Socket {
  readonly #onEnd: () => void;

  constructor(onEnd: () => void) {
    super();
    this.#onEnd = onEnd;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#onEnd();
    super._destroy(error, done);
  }
}

/** Makes the sockets to one server, and ends them all at once, without a word to it. */
export class Sockets {
  readonly #location: DatabaseLocation;
  readonly #onEnd: () => void;
  readonly #open = new Set<Socket>();
  #isHere = false;
  #isCut = false;

  /** `onEnd`: called when one of the sockets has ended. */
  constructor(location: DatabaseLocation, onEnd: () => void = () => undefined) {
    this.#location = location;
    this.#onEnd = onEnd;
  }

  /** The server was on this host when a connection was made last: both its ends had the same address. */
  get isHere(): boolean {
    return this.#isHere;
  }

  /** The connector's options for connections over them. */
  options(): PoolConfig {
    const { socketPath: _, ...options } = connectionOptions(this.#location);
    return { ...options, stream: () => this.#connect() };
  }

  /** Breaks all connections. Running work fails as after a lost connection. */
  reset(): void {
    for (const socket of [...this.#open]) {
      // The connector notices a destroyed socket only through an error. But a TLS socket passes its error on to a socket that the
      // connector no longer listens to, which ends the process.
      socket.emit('end');
      socket.destroy();
    }
  }

  /** Like `reset`, and makes no more connections. */
  cut(): void {
    this.#isCut = true;
    this.reset();
  }

  #connect(): Socket {
    const { socketPath, host = 'localhost', port = 3306 } = this.#location;
    const socket = new WatchedSocket(() => {
      this.#open.delete(socket);
      this.#onEnd();
    });
    const to: NetConnectOpts = socketPath === undefined ? { host, port } : { path: socketPath };
    this.#open.add(socket);
    socket.once('connect', () => {
      this.#isHere = socket.localAddress === socket.remoteAddress;
    });
    return this.#isCut ? socket.destroy(connectionCut()) : socket.connect(to);
  }
}

/** Makes an error that looks like a lost connection. */
export function connectionCut(): Error {
  return Object.assign(new Error('the connection was cut: its server is not the primary, or is silent'), {
    code: 'ECONNRESET',
  });
}

export type PoolName = 'reads' | 'ownReads' | 'writes' | 'transactions';

const parts: Readonly<Record<PoolName, number>> = { reads: 0.2, ownReads: 0.15, writes: 0.15, transactions: 0.5 };

/** Connections of a pool. */
export function poolSize(name: PoolName, connectionLimit: number): number {
  return Math.max(1, Math.round(connectionLimit * parts[name]));
}

export class ServerPools implements Readonly<Record<PoolName, Pool>> {
  /** Reads of users, including reads through Prisma. The server ends a statement that takes too long. */
  readonly reads: Pool;
  /** Work of the process itself: streams, credentials, machines and tasks. */
  readonly ownReads: Pool;
  readonly writes: Pool;
  /** For `transaction`: without autocommit the first statement starts a transaction, which saves a round trip. */
  readonly transactions: Pool;
  readonly #sockets: Sockets;
  readonly #acquireTimeoutMs: number;

  constructor(location: DatabaseLocation, sizes: PoolSizes, several?: OneOfSeveral) {
    this.#sockets = new Sockets(location, several?.onEnd);
    this.#acquireTimeoutMs = sizes.acquireTimeoutMs;
    const base = this.#sockets.options();
    const setup = [
      ...(several === undefined ? [] : [mustBePrimary(several.epoch)]),
      ...sessionSetup,
      ...(sizes.readsOnly === true ? ['SET SESSION TRANSACTION READ ONLY'] : []),
    ];
    const pool = (name: PoolName, initSql: string[]) =>
      createPool({
        ...base,
        connectionLimit: poolSize(name, sizes.connectionLimit),
        minimumIdle: 1,
        idleTimeout: 60,
        acquireTimeout: sizes.acquireTimeoutMs,
        prepareCacheLength: sizes.preparedKept,
        resetAfterUse: false,
        initSql,
      });
    this.reads = pool('reads', [...setup, `SET SESSION max_statement_time = ${sizes.readTimeoutMs / 1_000}`]);
    this.ownReads = pool('ownReads', setup);
    this.writes = pool('writes', setup);
    this.transactions = pool('transactions', [...setup, 'SET autocommit = 0']);
  }

  get #all(): readonly Pool[] {
    return [this.reads, this.ownReads, this.writes, this.transactions];
  }

  /** Connections in use and open, and requests that wait for one. */
  figures(): { readonly active: number; readonly total: number; readonly waiting: number } {
    const sum = (figure: (pool: Pool) => number) => this.#all.reduce((total, pool) => total + figure(pool), 0);
    return {
      active: sum((pool) => pool.activeConnections()),
      total: sum((pool) => pool.totalConnections()),
      waiting: sum((pool) => pool.taskQueueSize()),
    };
  }

  /** Opens a connection of each pool. */
  async connect(): Promise<void> {
    try {
      await Promise.all(this.#all.map(async (pool) => (await pool.getConnection()).release()));
    } catch (error) {
      if (isSlowToOpen(error)) await this.#throwRefusal();
      throw error;
    }
  }

  /** A pool tells its first error as long as it has no connection: that the server was slow, although it refuses since. */
  async #throwRefusal(): Promise<void> {
    try {
      const alone = await createConnection({ ...this.#sockets.options(), connectTimeout: this.#acquireTimeoutMs });
      alone.on('error', () => undefined);
      alone.destroy();
    } catch (error) {
      if (!isConnectTimeout(error)) throw error;
    }
  }

  /** Ends all connections at once. */
  cut(): Promise<void> {
    return cutPools(this.#sockets, this.#all);
  }

  /** Waits for running statements, a few seconds. */
  async end(): Promise<void> {
    const cutting = setTimeout(() => this.#sockets.cut(), endMs);
    await endPools(this.#all);
    clearTimeout(cutting);
  }
}

/** Ends pools over these sockets at once, without a word to the server. */
export async function cutPools(sockets: Sockets, pools: readonly Pool[]): Promise<void> {
  sockets.cut();
  // The connector must notice first: its pools would wait for the goodbye of a connection that they think is alive.
  await afterInput();
  await endPools(pools);
}

async function endPools(pools: readonly Pool[]): Promise<void> {
  await Promise.all(pools.map((pool) => pool.end().catch(() => undefined)));
}

/** Refuses a new connection to a server that was demoted, or began a new timeline, since it was last looked at. */
function mustBePrimary(epoch: number): string {
  const other = epoch === 0 ? '' : ` OR (SELECT MAX(epoch) FROM db_timeline) <> ${epoch}`;
  return `BEGIN NOT ATOMIC IF @@read_only = 1${other} THEN
    SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not the primary of timeline ${epoch}'; END IF; END`;
}
