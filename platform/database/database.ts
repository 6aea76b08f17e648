// Access to the database: Prisma for the model, typed SQL for the hot paths. Reads have their own connections, so writes that wait
// for a full disk or a lock don't delay them. Callers share connections fairly. None of them can take the connections that are
// reserved for the process itself (its streams, credentials and machines). Every transaction is READ COMMITTED, retried on a
// deadlock, and reports a commit with an unknown outcome as such. If there are several servers, it uses the primary. While there is
// no primary, requests wait a few seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { PrismaMariaDb } from '@prisma/adapter-mariadb';
import type { Pool, PoolConnection } from 'mariadb';
import { Prisma, PrismaClient } from '../../generated/prisma/client.ts';
import { currentShare } from '../caller/caller.ts';
import {
  CommittedError,
  CommitUncertainError,
  DiskFullError,
  isCommitUncertain,
  isConnectionLost,
  isDeadlock,
  isLockWaitTimeout,
  isNeverSent,
  isNoneFree,
  isReadOnly,
  isTooSlow,
  NoConnectionFreeError,
  OneCopyError,
  OutdatedError,
  ReadTooSlowError,
  ResultLostError,
} from '../errors/database-errors.ts';
import { invariant, refuseQuietly } from '../errors/errors.ts';
import { CountedLine } from '../log/counted-line.ts';
import type { Logger } from '../log/log.ts';
import { newUuid } from '../values/ids.ts';
import { FairTurns } from '../work/fair-turns.ts';
import { settleCommit } from './commit-record.ts';
import type { DatabaseTimes } from './database-times.ts';
import type { DiskSpace } from './disk-space.ts';
import { type LedBy, PrimaryFinder } from './primary-finder.ts';
import { reads } from './reads.ts';
import {
  connectionCut,
  type DatabaseLocation,
  idleLimit,
  type PoolName,
  poolSize,
  ServerPools,
  usualIdleSeconds,
} from './server-pools.ts';
import { WriteGuard } from './write-guard.ts';

export type { LedBy } from './primary-finder.ts';
export type { DatabaseLocation } from './server-pools.ts';

export interface DatabaseOptions {
  /** If there are several servers, the primary is found repeatedly. */
  readonly connection: DatabaseLocation | readonly DatabaseLocation[];
  /** There may be other servers later (`setServers`): also a single one now is found as the primary of its timeline. */
  readonly followsList?: boolean;
  /**
   * Most connections at once; default 10. Half are for transactions, a fifth for the reads of users, and the others in equal parts for
   * the reads of the process itself and for single writes.
   */
  readonly connectionLimit?: number;
  /** How long to wait for a free connection, in milliseconds; default 5000. */
  readonly acquireTimeoutMs?: number;
  /** How long a read of a user may run in the database, in milliseconds; default 5000. */
  readonly readTimeoutMs?: number;
  /** With several servers: how long a request waits for a primary, in milliseconds; default 5000. */
  readonly primaryTimeoutMs?: number;
  /** With several servers: new work is refused while commits are on the primary only. */
  readonly strict?: boolean;
  /** Every write is refused with QUIET_MODE, and by the server, too. */
  readonly readsOnly?: boolean;
  /** The disk of a database on this host. With several servers, it counts while its server is the primary. */
  readonly disk?: DiskSpace;
  readonly log?: Logger;
  /** Measures statements, and their waits for a connection. */
  readonly times?: DatabaseTimes;
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

export function both(one: Condition, other: Condition): Condition {
  return { sql: `(${one.sql}) AND (${other.sql})`, values: [...one.values, ...other.values] };
}

/** A committed row of commit_record. */
export interface CommitPoint {
  /** UUID. */
  readonly id: string;
  /** Its timeline. */
  readonly epoch: number;
}

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

interface TransactionQueryOptions extends QueryOptions {
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
  /**
   * The transaction writes this row of commit_record. If the connection is lost during COMMIT, the row shows whether the
   * transaction was committed. If `epoch` (the row's timeline) is given, the row becomes the `lastCommit` of the database.
   */
  provenBy(recordId: string, epoch?: number): void;
}

export interface TransactionOptions {
  /** The transaction records work that has already been done, so it may use the reserved space on a nearly full disk. */
  readonly endsWork?: boolean;
  /**
   * The server ends the transaction if its process is paused for this long. Default: 8. Use a shorter time for work that is
   * repeated anyway and whose locks block others. Costs a round trip if the connection's last transaction had a different value.
   */
  readonly idleSeconds?: number;
}

const deadlockRetries = 6;
const usuallyPreparedKept = 8;
const usualReadTimeoutMs = 5_000;
/** Requests that wait for a connection of one pool. */
const mostWaiting = 1_000;
const mostSqlLogged = 200;
const tryWriteSql = `INSERT INTO lease (name, token, owner, expires_at) VALUES ('database/space', UUID(), 'probe', NOW(3))
  ON DUPLICATE KEY UPDATE beat = beat + 1`;

const mostRepeats = 10;
const mostSettleTries = 4;

/** One run of a transaction. */
interface Trial<Result> {
  actions: (() => void)[];
  recordId: string | undefined;
  /** One of its statements met a lost connection, or a server that is read-only. */
  isLost: boolean;
  /** The fate of its commit is unknown. */
  uncertain: CommitUncertainError | undefined;
  /** The work has ended. */
  done: { readonly result: Result } | undefined;
}

/** Work of a request on the pools of the primary, and whether it may be repeated after an error on the way. */
type OnPrimary<Result> = (pools: ServerPools) => Promise<Result>;
type MayRepeat = (error: unknown) => boolean;

const reading: MayRepeat = (error) => isConnectionLost(error) || isReadOnly(error);
const writing: MayRepeat = (error) => isNeverSent(error) || isReadOnly(error) || error instanceof OutdatedError;
/** The work's own connections, to others than the database, fail with the same errors. */
const inTransaction =
  (trial: Trial<unknown>): MayRepeat =>
  (error) =>
    !(error instanceof CommitUncertainError) && (isNeverSent(error) || (trial.isLost && reading(error)));

function newTrial(): Trial<never> {
  return { actions: [], recordId: undefined, isLost: false, uncertain: undefined, done: undefined };
}

export class Database implements Sql {
  /** Undefined if there are several servers. */
  readonly #only: ServerPools | undefined;
  readonly #finder: PrimaryFinder | undefined;
  readonly #primaryTimeoutMs: number;
  readonly #strict: boolean;
  /** By physical connection. A connection that is not in the map has the usual value. */
  readonly #idleLimits = new WeakMap<object, number>();
  readonly #guard: WriteGuard;
  readonly #turns: Readonly<Record<PoolName, FairTurns>>;
  readonly #times: DatabaseTimes | undefined;
  readonly #noneFree: CountedLine | undefined;
  readonly #tooSlow: CountedLine | undefined;
  readonly #onPrimary: ((led: LedBy) => void)[] = [];
  #lastCommit: CommitPoint | undefined;
  #foundCommit: CommitPoint | undefined;
  readonly #onCommit: ((point: CommitPoint) => void)[] = [];
  readonly #onDoubt: (() => void)[] = [];
  /** For reads of the model. Hot paths use SQL. */
  readonly prisma: PrismaClient;
  readonly name: string;
  /** Whether every write is refused. */
  readonly readsOnly: boolean;

  constructor(options: DatabaseOptions) {
    const { connectionLimit = 10, acquireTimeoutMs = 5_000, primaryTimeoutMs = 5_000, disk, log } = options;
    const { preparedKept = usuallyPreparedKept, strict = false, readsOnly = false } = options;
    const locations = [options.connection].flat();
    const [first, ...others] = locations;
    invariant(first !== undefined, 'a database has a location');
    this.name = first.database;
    this.#primaryTimeoutMs = primaryTimeoutMs;
    this.#strict = strict;
    this.readsOnly = readsOnly;
    this.#times = options.times;
    const readTimeoutMs = options.readTimeoutMs ?? usualReadTimeoutMs;
    const sizes = { connectionLimit, acquireTimeoutMs, preparedKept, readTimeoutMs, readsOnly };
    const turns = (pool: PoolName) =>
      new FairTurns({
        ...{ atOnce: poolSize(pool, connectionLimit), mostWaiting, waitMs: acquireTimeoutMs },
        refusal: () => new NoConnectionFreeError(),
      });
    this.#turns = {
      ...{ reads: turns('reads'), ownReads: turns('ownReads') },
      ...{ writes: turns('writes'), transactions: turns('transactions') },
    };
    this.#noneFree = log && new CountedLine(log, 'requests found no free connection to the database in time');
    this.#tooSlow = log && new CountedLine(log, 'reads took too long in the database and were ended');
    if (others.length === 0 && options.followsList !== true) this.#only = new ServerPools(first, sizes);
    else
      this.#finder = new PrimaryFinder({
        ...{ locations, log, countsCopies: strict },
        onPrimary: (led) => this.#onPrimary.forEach((each) => void each(led)),
        pools: (location, several) => new ServerPools(location, sizes, several),
      });
    this.#guard = new WriteGuard({
      disk: () => (this.#finder === undefined || this.#finder.isHere ? disk : undefined),
      ...(log === undefined ? {} : { log }),
      threadStates: async () => {
        const threads = await this.query<{ State: string | null }>('SHOW PROCESSLIST');
        return threads.map(({ State }) => State ?? '');
      },
      tryWrite: () => this.#on((pools) => pools.writes.query(tryWriteSql), writing),
    });
    this.prisma = new PrismaClient({
      adapter: new PrismaMariaDb(this.#readsForPrisma(), { database: this.name }),
      transactionOptions: {
        maxWait: 5_000,
        timeout: 15_000,
        isolationLevel: Prisma.TransactionIsolationLevel.ReadCommitted,
      },
    });
  }

  /** A read. Use `write` for a statement that writes and returns rows. */
  async query<Row>(sql: string, values: readonly SqlValue[] = [], options: QueryOptions = {}): Promise<Row[]> {
    return this.#read(sql, (pool) => run<Row>(pool, sql, values, options));
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    return this.#write(async (pools) => {
      const result = toWriteResult(await this.#inTurn(pools, 'writes', (pool) => pool.query(sql, [...values]), sql));
      // A standby that still follows has acknowledged every change. But "nothing to change" was only read, so it may be outdated.
      if (result.affectedRows === 0 && !this.#isCurrent(pools)) throw new OutdatedError();
      return result;
    });
  }

  /** A statement or block that writes, commits by itself and gives rows. Refused like `execute`. */
  write<Row>(sql: string, values: readonly SqlValue[] = [], options: QueryOptions = {}): Promise<Row[]> {
    return this.#write(async (pools) => {
      const rows = await this.#inTurn(pools, 'writes', (pool) => run<Row>(pool, sql, values, options), sql);
      // It may have changed something, and is not run again.
      if (!this.#isCurrent(pools)) throw connectionCut();
      return rows;
    });
  }

  /** Throws while the database accepts no new work: DiskFullError, or that its file system is read-only. */
  checkWritable(): void {
    this.#guard.mustBeWritable();
    this.#guard.check();
  }

  /** With several servers, the primary that was found last. Undefined if none has been found yet, or if there is a single server. */
  get ledBy(): LedBy | undefined {
    return this.#finder?.ledBy;
  }

  /** Called when there is another one, or the same again. Must not throw. */
  onPrimary(listener: (led: LedBy) => void): void {
    this.#onPrimary.push(listener);
  }

  /** The last commit of this process, or one that it has read later. */
  get lastCommit(): CommitPoint | undefined {
    return this.#lastCommit;
  }

  /**
   * Two commits: the last one, and the one that was present at the last check. If the database lacks either, it was set back. The
   * second is needed because a commit on a database that was set back would hide the gap.
   */
  get commitProofs(): readonly CommitPoint[] {
    return [this.#foundCommit, this.#lastCommit].filter((point) => point !== undefined);
  }

  noteCommit(point: CommitPoint): void {
    this.#lastCommit = point;
    for (const each of this.#onCommit) each(point);
  }

  /** The database has it. */
  foundCommit(point: CommitPoint): void {
    this.#foundCommit = point;
  }

  /** Called when there is a new `lastCommit`. Must not throw. */
  onCommit(listener: (point: CommitPoint) => void): void {
    this.#onCommit.push(listener);
  }

  /** A transaction met a database that lacks `lastCommit`. */
  doubt(): void {
    for (const each of this.#onDoubt) each();
  }

  /** Called when the database may have been set back. Must not throw. */
  onDoubt(listener: () => void): void {
    this.#onDoubt.push(listener);
  }

  /** Replaces the list of servers. Does nothing if there is a single location without followers. */
  setServers(locations: readonly DatabaseLocation[]): void {
    this.#finder?.setLocations(locations);
  }

  /** For a start: opens a connection of each kind, so that no later step waits for its first one. */
  connect(): Promise<void> {
    return this.#on((pools) => pools.connect(), reading);
  }

  /** From now on no request waits for a primary. */
  drain(): void {
    this.#finder?.endWaits();
  }

  /** With several servers: waits for the primary. If the primary is lost during the work, waits again if `mayRepeat` allows it. */
  async #on<Result>(work: OnPrimary<Result>, mayRepeat: MayRepeat): Promise<Result> {
    const finder = this.#finder;
    if (this.#only !== undefined) return work(this.#only);
    invariant(finder !== undefined, 'a database has a location');
    const sinceMs = performance.now();
    for (let repeats = 0; ; repeats += 1) {
      const pools = finder.pools ?? (await finder.wait(this.#primaryTimeoutMs, sinceMs));
      try {
        return await work(pools);
      } catch (error) {
        if (!reading(error) && !(error instanceof CommitUncertainError)) throw error;
        // The request has waited for a connection as long as it would wait for a primary. The load is too high, or the primary is
        // silent.
        if (isNoneFree(error)) throw finder.isHeard(pools) ? busy(error) : finder.none();
        finder.failed(pools, error);
        if (!mayRepeat(error) || repeats >= mostRepeats) throw error;
      }
    }
  }

  /**
   * If the server may no longer be the primary, the result is discarded and the read is repeated. Throws ReadTooSlowError if the
   * server ended a user's read.
   */
  async #read<Result>(sql: string, work: (pool: Pool) => Promise<Result>): Promise<Result> {
    const name = readPool();
    if (reads.hasSubscribers) reads.publish(sql);
    try {
      if (this.#only !== undefined) return await this.#inTurn(this.#only, name, work, sql);
      return await this.#on(async (pools) => {
        const result = await this.#inTurn(pools, name, work, sql);
        if (!this.#isCurrent(pools)) throw new OutdatedError();
        return result;
      }, reading);
    } catch (error) {
      if (name !== 'reads' || !isTooSlow(error)) throw error;
      this.#tooSlow?.add({ sql: sql.slice(0, mostSqlLogged), caller: currentShare().user });
      throw new ReadTooSlowError(error);
    }
  }

  /** On a connection of this pool when it is the caller's turn. `sql`: of a single statement. Throws NoConnectionFreeError. */
  async #inTurn<Result>(
    pools: ServerPools,
    name: PoolName,
    work: (pool: Pool) => Promise<Result>,
    sql?: string,
  ): Promise<Result> {
    const pool = pools[name];
    const times = this.#times;
    const waits = { sinceMs: performance.now(), sql };
    try {
      return await this.#turns[name].run(currentShare(), () =>
        times === undefined ? work(pool) : times.turn(name, waits, () => work(pool)),
      );
    } catch (error) {
      if (!(error instanceof NoConnectionFreeError)) throw error;
      // None is in use: none can be made.
      if (pool.totalConnections() === 0) throw connectionCut();
      this.#noneFree?.add({ pool: name, caller: currentShare().user });
      throw error;
    }
  }

  /** Whether their server was the primary until now. */
  #isCurrent(pools: ServerPools): boolean {
    return this.#only !== undefined || this.#finder?.pools === pools;
  }

  /** Used by Prisma's adapter, which accepts one pool. */
  #readsForPrisma(): Pool {
    const on = <Result>(text: { readonly sql: string }, work: (pool: Pool) => Promise<Result>) =>
      /^\s*SELECT\b/i.test(text.sql)
        ? this.#read(text.sql, work)
        : this.#on((pools) => this.#inTurn(pools, readPool(), work, text.sql), writing);
    const pool: Pick<Pool, 'query' | 'execute' | 'getConnection'> = {
      query: (sql: string | { readonly sql: string }, values?: unknown) => {
        const text = typeof sql === 'string' ? { sql } : sql;
        return on(text, (one) => one.query(text, values));
      },
      execute: (sql: string | { readonly sql: string }, values?: unknown) => {
        const text = typeof sql === 'string' ? { sql } : sql;
        return on(text, (one) => one.execute(text, values));
      },
      // For transactions of Prisma's own, which the product does not use.
      getConnection: () => this.#on((pools) => pools[readPool()].getConnection(), reading),
    };
    return pool as Pool;
  }

  #mayWrite(options: TransactionOptions): void {
    if (this.readsOnly) refuseQuietly();
    this.#guard.check(options);
  }

  async #write<Result>(work: OnPrimary<Result>): Promise<Result> {
    this.#mayWrite({ endsWork: true });
    try {
      return await this.#guard.watch(() => this.#on(work, writing));
    } catch (error) {
      if (this.#guard.isToldFull && isConnectionLost(error))
        throw new DiskFullError("the database's disk is full: a write waited for space in vain", { cause: error });
      throw error;
    }
  }

  /**
   * Runs `work` in one transaction. An error from `work` rolls back and is thrown. It runs again after a deadlock, after the loss of
   * the primary before the commit, and if a commit of unknown fate turns out not to have happened: it must have no effect outside the
   * transaction. Throws CommitUncertainError when the fate of the commit remains unknown, or when `work` failed after a text that
   * commits; ResultLostError when it was committed by such a text, whose answer was lost.
   */
  async transaction<Result>(
    work: (tx: Transaction) => Promise<Result>,
    options: TransactionOptions = {},
  ): Promise<Result> {
    this.#mayWrite(options);
    if (this.#strict && options.endsWork !== true && this.#finder?.isAlone === true) throw new OneCopyError();
    for (let attempt = 1; ; attempt += 1) {
      const trial: Trial<Result> = newTrial();
      try {
        const once = (pools: ServerPools) =>
          this.#inTurn(pools, 'transactions', (pool) => this.#once(pools, pool, work, trial, options.idleSeconds));
        return await this.#guard.watch(() => this.#on(once, inTransaction(trial)));
      } catch (error) {
        const { recordId, uncertain } = trial;
        if (attempt > deadlockRetries) throw error;
        if (uncertain !== undefined && error === uncertain && recordId !== undefined) {
          const epoch = await this.#settle(recordId, uncertain);
          if (epoch === undefined) continue;
          for (const action of trial.actions) action();
          if (trial.done === undefined) throw new ResultLostError(error, { id: recordId, epoch });
          return trial.done.result;
        }
        if (!isDeadlock(error)) throw error;
        await sleep(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  /** The timeline in which it was committed. Undefined if it was not committed. Throws `uncertain` if that remains unknown. */
  async #settle(recordId: string, uncertain: CommitUncertainError): Promise<number | undefined> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.transaction((tx) => settleCommit(tx, recordId, newUuid()), { endsWork: true });
      } catch (error) {
        const mayChange = error instanceof CommitUncertainError || isLockWaitTimeout(error);
        if (!mayChange || tries === mostSettleTries) throw uncertain;
      }
    }
  }

  async #once<Result>(
    pools: ServerPools,
    pool: Pool,
    work: (tx: Transaction) => Promise<Result>,
    trial: Trial<Result>,
    idleSeconds = usualIdleSeconds,
  ): Promise<Result> {
    const connection = await pool.getConnection();
    Object.assign(trial, newTrial());
    const onCommit = (point: CommitPoint) => this.noteCommit(point);
    const tx = new ConnectionTransaction(connection, { trial, onCommit, times: this.#times });
    let usable = true;
    try {
      await this.#limitIdle(connection, tx, idleSeconds);
      const result = await work(tx).catch(async (error: unknown) => {
        if (!(await tx.committed())) throw this.#isCurrent(pools) ? error : tx.cut();
        for (const action of trial.actions) action();
        throw new CommittedError(error);
      });
      trial.done = { result };
      if (!(await tx.committed())) {
        if (!this.#isCurrent(pools)) throw tx.cut();
        await tx.query('COMMIT', [], { commits: true });
      }
      for (const action of trial.actions) action();
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
      // An idle connection is destroyed without a KILL.
      await tx.idle();
      if (usable) await connection.release();
      else connection.destroy();
    }
  }

  async #limitIdle(connection: PoolConnection, tx: Transaction, seconds: number): Promise<void> {
    // Another object for each physical connection, which the pool's own is not.
    const { info } = connection;
    if (info !== null && (this.#idleLimits.get(info) ?? usualIdleSeconds) === seconds) return;
    await tx.query(idleLimit(seconds));
    if (info !== null) this.#idleLimits.set(info, seconds);
  }

  /** Connections in use and open, and requests that wait, for metrics. */
  poolFigures(): { readonly active: number; readonly total: number; readonly waiting: number } {
    const { active, total, waiting } = (this.#only ?? this.#finder?.pools)?.figures() ?? {
      active: 0,
      total: 0,
      waiting: 0,
    };
    const inLine = Object.values(this.#turns).reduce((sum, turns) => sum + turns.waiting, 0);
    return { active, total, waiting: waiting + inLine + (this.#finder?.waiting ?? 0) };
  }

  async close(): Promise<void> {
    this.#guard.close();
    this.#noneFree?.flush();
    this.#tooSlow?.flush();
    await this.prisma.$disconnect();
    await Promise.all([this.#only?.end(), this.#finder?.close()]);
  }
}

/** The pool for a read of the present work. */
function readPool(): 'reads' | 'ownReads' {
  return currentShare().lane === undefined ? 'reads' : 'ownReads';
}

function busy(error: unknown): NoConnectionFreeError {
  return error instanceof NoConnectionFreeError ? error : new NoConnectionFreeError(error);
}

async function run<Row>(
  pool: Pool,
  sql: string,
  values: readonly SqlValue[],
  { prepared }: QueryOptions,
): Promise<Row[]> {
  return (await (prepared === true ? pool.execute(sql, [...values]) : pool.query(sql, [...values]))) as Row[];
}

interface TransactionParts {
  readonly trial: Trial<unknown>;
  readonly onCommit: (point: CommitPoint) => void;
  readonly times: DatabaseTimes | undefined;
}

class ConnectionTransaction implements Transaction {
  readonly #connection: PoolConnection;
  readonly #trial: Trial<unknown>;
  readonly #onCommit: (point: CommitPoint) => void;
  readonly #times: DatabaseTimes | undefined;
  readonly #running = new Set<Promise<unknown>>();
  /** The text that commits, once it was sent: nothing may follow it unless it fails. */
  #ending: Promise<unknown> | undefined;

  constructor(connection: PoolConnection, { trial, onCommit, times }: TransactionParts) {
    this.#connection = connection;
    this.#trial = trial;
    this.#onCommit = onCommit;
    this.#times = times;
  }

  /** Waits for the statements that the work did not wait for. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#running);
  }

  /** Earlier reads of this transaction may be outdated. */
  cut(): Error {
    this.#trial.isLost = true;
    return connectionCut();
  }

  /** Waits for the text that commits, if one was sent. Returns true if it has committed. Throws CommitUncertainError. */
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
    const answer = this.#follow<Row[]>(sql, () =>
      prepared === true ? connection.execute(sql, [...values]) : connection.query(sql, [...values]),
    );
    if (commits !== true) return answer;
    const ending = answer.catch((error: unknown) => {
      if (isCommitUncertain(error, sql)) {
        this.#trial.uncertain = new CommitUncertainError(error);
        throw this.#trial.uncertain;
      }
      this.#ending = undefined;
      throw error;
    });
    this.#ending = ending;
    return ending;
  }

  async execute(sql: string, values: readonly SqlValue[] = []): Promise<WriteResult> {
    this.#mustBeOpen();
    return toWriteResult(await this.#follow(sql, () => this.#connection.query(sql, [...values])));
  }

  #follow<Answer>(sql: string, send: () => Promise<Answer>): Promise<Answer> {
    const sentMs = performance.now();
    const followed = send()
      .catch((error: unknown) => {
        this.#trial.isLost ||= reading(error);
        throw error;
      })
      .finally(() => {
        this.#running.delete(followed);
        this.#times?.answered('transactions', sql, sentMs);
      });
    this.#running.add(followed);
    return followed;
  }

  #mustBeOpen(): void {
    invariant(this.#ending === undefined, 'the transaction is over');
  }

  afterCommit(action: () => void): void {
    this.#trial.actions.push(action);
  }

  provenBy(recordId: string, epoch?: number): void {
    this.#trial.recordId = recordId;
    if (epoch !== undefined) this.afterCommit(() => this.#onCommit({ id: recordId, epoch }));
  }
}

function toWriteResult(result: unknown): WriteResult {
  const { affectedRows, insertId } = result as { affectedRows: number; insertId: number };
  return { affectedRows, insertId: Number(insertId) };
}
