// Access to the database: Prisma for the model, typed SQL for the hot paths. Reads have connections of their own: writes that wait,
// for a full disk or a lock, do not hold them up. Every transaction is READ COMMITTED, retried on a deadlock, and reports a commit
// with an unknown outcome as such.
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { createPool, type Pool, type PoolConfig, type PoolConnection } from 'mariadb';
import { Prisma, PrismaClient } from '../../generated/prisma/client.ts';
import { invariant } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { DiskSpace } from './disk-space.ts';
import {
  CommittedError,
  CommitUncertainError,
  DiskFullError,
  isCommitUncertain,
  isConnectionLost,
  isDeadlock,
  isReadOnly,
} from './errors.ts';
import { WriteGuard } from './write-guard.ts';

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

export interface DatabaseOptions {
  readonly connection: DatabaseLocation;
  /** Most connections at once: half for transactions, three tenths for reads, the others for single writes; default 10. */
  readonly connectionLimit?: number;
  /** How long to wait for a free connection, in milliseconds; default 5000. */
  readonly acquireTimeoutMs?: number;
  /** The disk of a database on this host. */
  readonly disk?: DiskSpace;
  readonly log?: Logger;
  /** Prepared statements kept per connection; default 8. */
  readonly preparedKept?: number;
}

export type SqlValue = string | number | bigint | boolean | Date | Buffer | null;

/** A condition for WHERE, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export const always: Condition = { sql: '1 = 1', values: [] };

export interface WriteResult {
  readonly affectedRows: number;
  /** The id of the first row with an auto-increment column; 0 when there is none. */
  readonly insertId: number;
}

export interface QueryOptions {
  /**
   * Prepared once per connection and kept there. Only for long texts that are sent often with different values: each takes memory
   * (half a megabyte for a batch of a dozen statements).
   */
  readonly prepared?: boolean;
}

export interface TransactionQueryOptions extends QueryOptions {
  /** For a transaction's last text when it ends with COMMIT itself: that saves the round trip of a separate COMMIT. */
  readonly commits?: boolean;
}

/** Text-protocol SQL with `?` placeholders. Integers come back as numbers, DATETIME as Date in UTC, JSON as text. */
export interface Sql {
  /** A read, outside of a transaction. */
  query<Row>(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<Row[]>;
  execute(sql: string, values?: readonly SqlValue[]): Promise<WriteResult>;
}

export interface Transaction extends Sql {
  query<Row>(sql: string, values?: readonly SqlValue[], options?: TransactionQueryOptions): Promise<Row[]>;
  /** Runs once after the commit was acknowledged (not after a rollback), for wake-ups. Must not throw. */
  afterCommit(action: () => void): void;
}

/** Prisma's client inside a transaction. */
export type PrismaTransaction = Prisma.TransactionClient;

export interface TransactionOptions {
  /** It records what has already happened, and may use the reserved space on a disk that is nearly full. */
  readonly endsWork?: boolean;
  /**
   * The server ends the transaction of a process that is paused in it after so long; default 8. Shorter for what is done again anyway,
   * and whose locks others wait for. A round trip when the connection's last transaction had another.
   */
  readonly idleSeconds?: number;
}

const deadlockRetries = 6;
const usuallyPreparedKept = 8;
const usualIdleSeconds = 8;
const sessionSetup = [
  "SET time_zone = '+00:00'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  // A process that is paused in a transaction keeps its locks (a lease's fence, an object's row): the server ends its transaction
  // after this many seconds, longer than any step of a transaction here takes.
  idleLimit(usualIdleSeconds),
];

function idleLimit(seconds: number): string {
  return `SET SESSION idle_transaction_timeout = ${seconds}`;
}

const tryWriteSql = `INSERT INTO lease (name, token, owner, expires_at) VALUES ('database/space', UUID(), 'probe', NOW(3))
  ON DUPLICATE KEY UPDATE beat = beat + 1`;

/** The driver's options for a location; also for tools with a single connection. */
export function connectionOptions(location: DatabaseLocation): PoolConfig {
  const { tls, ...rest } = location;
  return {
    ...rest,
    ...(tls === undefined ? {} : { ssl: { ...tls, rejectUnauthorized: true } }),
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

export class Database implements Sql {
  /** Prisma's too. */
  readonly #reads: Pool;
  readonly #writes: Pool;
  /** For `transaction`: without autocommit the first statement starts a transaction, which saves a round trip. */
  readonly #transactions: Pool;
  /** By physical connection; one that is not in it has the usual one. */
  readonly #idleLimits = new WeakMap<object, number>();
  readonly #guard: WriteGuard;
  /** For reads of the model. Hot paths use SQL. */
  readonly prisma: PrismaClient;
  readonly name: string;

  constructor(options: DatabaseOptions) {
    const { connection, connectionLimit = 10, acquireTimeoutMs = 5_000, disk, log } = options;
    const { preparedKept = usuallyPreparedKept } = options;
    this.name = connection.database;
    const share = (part: number) => Math.max(1, Math.round(connectionLimit * part));
    const pool = (limit: number, initSql = sessionSetup) =>
      createPool({
        ...connectionOptions(connection),
        connectionLimit: limit,
        minimumIdle: 1,
        idleTimeout: 60,
        acquireTimeout: acquireTimeoutMs,
        prepareCacheLength: preparedKept,
        resetAfterUse: false,
        initSql,
      });
    this.#reads = pool(share(0.3));
    this.#writes = pool(share(0.2));
    this.#transactions = pool(share(0.5), [...sessionSetup, 'SET autocommit = 0']);
    this.#guard = new WriteGuard({
      ...(disk === undefined ? {} : { disk }),
      ...(log === undefined ? {} : { log }),
      threadStates: async () => {
        const threads = await this.query<{ State: string | null }>('SHOW PROCESSLIST');
        return threads.map(({ State }) => State ?? '');
      },
      tryWrite: () => this.#writes.query(tryWriteSql),
    });
    this.prisma = new PrismaClient({
      adapter: new PrismaMariaDb(this.#reads, { database: connection.database }),
      transactionOptions: {
        maxWait: 5_000,
        timeout: 15_000,
        isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted,
      },
    });
  }

  /** A read. What writes and gives rows is for `write`. */
  async query<Row>(sql: string, values: readonly SqlValue[] = [], options: QueryOptions = {}): Promise<Row[]> {
    return run<Row>(this.#reads, sql, values, options);
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    return toWriteResult(await this.#write(() => this.#writes.query(sql, [...values])));
  }

  /** A statement or block that writes, commits by itself and gives rows. Refused like `execute`. */
  write<Row>(sql: string, values: readonly SqlValue[] = [], options: QueryOptions = {}): Promise<Row[]> {
    return this.#write(() => run<Row>(this.#writes, sql, values, options));
  }

  /** Throws DiskFullError while the database accepts no new work. */
  checkWritable(): void {
    this.#guard.check();
  }

  async #write<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#guard.check({ endsWork: true });
    try {
      return await this.#guard.watch(work);
    } catch (error) {
      if (this.#guard.isToldFull && isConnectionLost(error))
        throw new DiskFullError("the database's disk is full: a write waited for space in vain", { cause: error });
      throw error;
    }
  }

  /**
   * Runs `work` in one transaction. An error from `work` rolls back and is thrown. Deadlocks run `work` again, so it must have no
   * effect outside the transaction. Throws CommitUncertainError when the connection was lost during COMMIT, or when `work` failed
   * after a text that commits.
   */
  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    this.#guard.check(options);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#guard.watch(() => this.#once(work, options.idleSeconds));
      } catch (error) {
        if (error instanceof CommitUncertainError || !isDeadlock(error) || attempt > deadlockRetries) throw error;
        await sleep(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  async #once<Result>(work: (tx: Transaction) => Promise<Result>, idleSeconds = usualIdleSeconds): Promise<Result> {
    const connection = await this.#transactions.getConnection();
    const actions: (() => void)[] = [];
    let usable = true;
    try {
      await this.#limitIdle(connection, idleSeconds);
      const tx = new ConnectionTransaction(connection, actions);
      const result = await work(tx).catch(async (error: unknown) => {
        if (!(await tx.committed())) throw error;
        for (const action of actions) action();
        throw new CommittedError(error);
      });
      if (!(await tx.committed())) await tx.query('COMMIT', [], { commits: true });
      for (const action of actions) action();
      return result;
    } catch (error) {
      // The connection to a demoted server is closed, so that the pool finds the new primary.
      usable = usable && !isConnectionLost(error) && !isReadOnly(error);
      if (usable)
        usable = await connection.query('ROLLBACK').then(
          () => true,
          () => false,
        );
      throw error;
    } finally {
      // The connection is idle: destroying it sends no KILL.
      if (usable) await connection.release();
      else connection.destroy();
    }
  }

  async #limitIdle(connection: PoolConnection, seconds: number): Promise<void> {
    // Another object for each physical connection, which the pool's own is not.
    const { info } = connection;
    if (info !== null && (this.#idleLimits.get(info) ?? usualIdleSeconds) === seconds) return;
    await connection.query(idleLimit(seconds));
    if (info !== null) this.#idleLimits.set(info, seconds);
  }

  /** Connections in use and open, for metrics. */
  poolFigures(): { readonly active: number; readonly total: number; readonly waiting: number } {
    const pools = [this.#reads, this.#writes, this.#transactions];
    const sum = (figure: (pool: Pool) => number) => pools.reduce((total, pool) => total + figure(pool), 0);
    return {
      active: sum((pool) => pool.activeConnections()),
      total: sum((pool) => pool.totalConnections()),
      waiting: sum((pool) => pool.taskQueueSize()),
    };
  }

  async close(): Promise<void> {
    this.#guard.close();
    await this.prisma.$disconnect();
    await Promise.all([this.#reads, this.#writes, this.#transactions].map((pool) => pool.end().catch(() => undefined)));
  }
}

async function run<Row>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[],
  { prepared }: QueryOptions,
): Promise<Row[]> {
  return (await (prepared === true ? pool.execute(sql, [...values]) : pool.query(sql, [...values]))) as Row[];
}

class ConnectionTransaction implements Transaction {
  readonly #connection: PoolConnection;
  readonly #actions: (() => void)[];
  /** The text that commits, once it was sent: nothing may follow it unless it fails. */
  #ending: Promise<unknown> | undefined;

  constructor(connection: PoolConnection, actions: (() => void)[]) {
    this.#connection = connection;
    this.#actions = actions;
  }

  /** Waits for the text that commits, if one was sent; true when it has. Throws CommitUncertainError. */
  async committed(): Promise<boolean> {
    if (this.#ending === undefined) return false;
    try {
      await this.#ending;
      return true;
    } catch (error) {
      if (error instanceof CommitUncertainError) throw error;
      return false;
    }
  }

  async query<Row>(
    sql: string,
    values: readonly SqlValue[] = [],
    { prepared, commits }: TransactionQueryOptions = {},
  ): Promise<Row[]> {
    this.#mustBeOpen();
    const connection = this.#connection;
    const answer: Promise<Row[]> =
      prepared === true ? connection.execute(sql, [...values]) : connection.query(sql, [...values]);
    if (commits !== true) return answer;
    const ending = answer.catch((error: unknown) => {
      if (isCommitUncertain(error, sql)) throw new CommitUncertainError(error);
      this.#ending = undefined;
      throw error;
    });
    this.#ending = ending;
    return ending;
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    this.#mustBeOpen();
    return toWriteResult(await this.#connection.query(sql, [...values]));
  }

  #mustBeOpen(): void {
    invariant(this.#ending === undefined, 'the transaction is over');
  }

  afterCommit(action: () => void): void {
    this.#actions.push(action);
  }
}

function toWriteResult(result: unknown): WriteResult {
  const { affectedRows, insertId } = result as { affectedRows: number; insertId: number };
  return { affectedRows, insertId: Number(insertId) };
}
