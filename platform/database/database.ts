// The database as the rest sees it: Prisma for the model, typed SQL for the hot paths, both on one pool; every transaction
// READ COMMITTED, retried on a deadlock, and honest about a commit whose fate is not known.
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import { createPool, type Pool, type PoolConfig, type PoolConnection } from 'mariadb';
import { Prisma, PrismaClient } from '../../generated/prisma/client.ts';
import { invariant } from '../errors.ts';
import { CommitUncertainError, isConnectionLost, isDeadlock, isReadOnly } from './errors.ts';

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
  /** Most connections at once, half of them for transactions; default 10. */
  readonly connectionLimit?: number;
  /** How long to wait for a free connection, in milliseconds; default 5000. */
  readonly acquireTimeoutMs?: number;
  /** Asked before each transaction; throws when nothing may be written now. */
  readonly checkWritable?: () => void;
}

export type SqlValue = string | number | bigint | boolean | Date | Buffer | null;

/** What may stand in a WHERE, with its values. */
export interface Condition {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export const always: Condition = { sql: '1 = 1', values: [] };

export interface WriteResult {
  readonly affectedRows: number;
  /** Of the first row with an auto-increment column; 0 when there is none. */
  readonly insertId: number;
}

export interface QueryOptions {
  /**
   * Parsed once on a connection and kept there, as a few are: worth its memory (half a megabyte for a dozen statements in one)
   * for a long text that is sent often and differs in its values only.
   */
  readonly prepared?: boolean;
}

export interface TransactionQueryOptions extends QueryOptions {
  /** For a transaction's last text, which ends it with COMMIT itself: that saves the round trip of a COMMIT of its own. */
  readonly commits?: boolean;
}

/** Text-protocol SQL with `?` placeholders. Integers come back as numbers, DATETIME as Date in UTC, JSON as text. */
export interface Sql {
  query<Row>(sql: string, values?: readonly SqlValue[], options?: QueryOptions): Promise<Row[]>;
  execute(sql: string, values?: readonly SqlValue[]): Promise<WriteResult>;
}

export interface Transaction extends Sql {
  query<Row>(sql: string, values?: readonly SqlValue[], options?: TransactionQueryOptions): Promise<Row[]>;
  /** Runs once after the commit was acknowledged (not after a rollback): wake-ups. Must not throw. */
  afterCommit(action: () => void): void;
}

/** Prisma's client inside a transaction. */
export type PrismaTransaction = Prisma.TransactionClient;

const deadlockRetries = 6;
/** Statements that one connection keeps prepared. */
const preparedKept = 8;
const sessionSetup = [
  "SET time_zone = '+00:00'",
  'SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED',
  // A process that is paused in a transaction keeps its locks (a lease's fence, an object's row) from others: the server
  // ends it after this many seconds, which no step of a transaction of ours takes.
  'SET SESSION idle_transaction_timeout = 8',
];

/** The driver's options for a location; also for tools that make a single connection. */
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
  readonly #pool: Pool;
  /** For `transaction`: without autocommit the first statement begins one, which saves a round trip. */
  readonly #transactions: Pool;
  readonly #checkWritable: (() => void) | undefined;
  /** For the model: reads and plain writes. Hot paths use SQL. */
  readonly prisma: PrismaClient;
  readonly name: string;

  constructor(options: DatabaseOptions) {
    this.name = options.connection.database;
    this.#checkWritable = options.checkWritable;
    const half = Math.max(1, Math.ceil((options.connectionLimit ?? 10) / 2));
    const poolOptions: PoolConfig = {
      ...connectionOptions(options.connection),
      connectionLimit: half,
      minimumIdle: 1,
      idleTimeout: 60,
      acquireTimeout: options.acquireTimeoutMs ?? 5_000,
      prepareCacheLength: preparedKept,
      resetAfterUse: false,
    };
    this.#pool = createPool(poolOptions);
    this.#transactions = createPool({ ...poolOptions, initSql: [...sessionSetup, 'SET autocommit = 0'] });
    this.prisma = new PrismaClient({
      adapter: new PrismaMariaDb(this.#pool, { database: options.connection.database }),
      transactionOptions: {
        maxWait: 5_000,
        timeout: 15_000,
        isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted,
      },
    });
  }

  async query<Row>(sql: string, values: readonly SqlValue[] = [], { prepared }: QueryOptions = {}): Promise<Row[]> {
    const pool = this.#pool;
    return (await (prepared === true ? pool.execute(sql, [...values]) : pool.query(sql, [...values]))) as Row[];
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    return toWriteResult(await this.#pool.query(sql, [...values]));
  }

  /**
   * Runs `work` in one transaction. What it throws rolls back and is thrown on. Deadlocks run `work` again, so it must
   * have no effect outside the transaction. Throws CommitUncertainError when the connection was lost during COMMIT.
   * `endsWork`: what it records has happened already, so it may use the room that is kept back on a disk nearly full.
   */
  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: { readonly endsWork?: boolean } = {},
  ): Promise<Result> {
    if (options.endsWork !== true) this.#checkWritable?.();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(work);
      } catch (error) {
        if (!isDeadlock(error) || attempt > deadlockRetries) throw error;
        await sleep(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  async #once<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const connection = await this.#transactions.getConnection();
    const actions: (() => void)[] = [];
    let usable = true;
    try {
      const tx = new ConnectionTransaction(connection, actions);
      const result = await work(tx);
      if (!tx.committed) await tx.query('COMMIT', [], { commits: true });
      for (const action of actions) action();
      return result;
    } catch (error) {
      // A demoted server's connection is given up, so that the pool finds the new primary.
      usable = usable && !isConnectionLost(error) && !isReadOnly(error);
      if (usable)
        usable = await connection.query('ROLLBACK').then(
          () => true,
          () => false,
        );
      throw error;
    } finally {
      // Nothing is in flight here: destroying an idle connection sends no KILL.
      if (usable) await connection.release();
      else connection.destroy();
    }
  }

  /** Connections in use and all open ones, for metrics. */
  poolFigures(): { readonly active: number; readonly total: number; readonly waiting: number } {
    const pools = [this.#pool, this.#transactions];
    const sum = (figure: (pool: Pool) => number) => pools.reduce((total, pool) => total + figure(pool), 0);
    return {
      active: sum((pool) => pool.activeConnections()),
      total: sum((pool) => pool.totalConnections()),
      waiting: sum((pool) => pool.taskQueueSize()),
    };
  }

  async close(): Promise<void> {
    await this.prisma.$disconnect();
    await Promise.all([this.#pool, this.#transactions].map((pool) => pool.end().catch(() => undefined)));
  }
}

class ConnectionTransaction implements Transaction {
  readonly #connection: PoolConnection;
  readonly #actions: (() => void)[];
  #committed = false;

  constructor(connection: PoolConnection, actions: (() => void)[]) {
    this.#connection = connection;
    this.#actions = actions;
  }

  get committed(): boolean {
    return this.#committed;
  }

  async query<Row>(
    sql: string,
    values: readonly SqlValue[] = [],
    options: TransactionQueryOptions = {},
  ): Promise<Row[]> {
    this.#mustBeOpen();
    const connection = this.#connection;
    const { prepared, commits } = options;
    try {
      const answer = await (prepared === true
        ? connection.execute(sql, [...values])
        : connection.query(sql, [...values]));
      if (commits === true) this.#committed = true;
      return answer as Row[];
    } catch (error) {
      throw commits === true && isConnectionLost(error) ? new CommitUncertainError(error) : error;
    }
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    this.#mustBeOpen();
    return toWriteResult(await this.#connection.query(sql, [...values]));
  }

  #mustBeOpen(): void {
    invariant(!this.#committed, 'the transaction is over');
  }

  afterCommit(action: () => void): void {
    this.#actions.push(action);
  }
}

function toWriteResult(result: unknown): WriteResult {
  const { affectedRows, insertId } = result as { affectedRows: number; insertId: number };
  return { affectedRows, insertId: Number(insertId) };
}
