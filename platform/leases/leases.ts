// Leases in the database elect the process that works on something. A lease is not a fence (its holder may be paused past its end
// without knowing): the fence is its token, checked with `checkLease` in the transaction that writes the result.

import type { Condition, Database, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { isDiskFull, isLockWaitTimeout } from '../errors/database-errors.ts';
import type { Logger } from '../log/log.ts';
import { newToken } from '../values/ids.ts';

export interface HeldLease {
  readonly name: string;
  /** A fresh UUID at each acquisition. */
  readonly token: string;
  /** Aborted when the lease is lost or released. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** Results of a lost lease must not be written: another process holds it now. */
export class LeaseLostError extends Error {
  constructor(name: string) {
    super(`the lease ${name} is no longer held: what was done under it is not written`);
    this.name = 'LeaseLostError';
  }
}

const heldSql = 'SELECT 1 FROM lease WHERE name = ? AND token = ? LOCK IN SHARE MODE';

/**
 * The fence: throws LeaseLostError unless the token still holds the lease, and keeps the lease from being taken or renewed until
 * the transaction ends. In a transaction that is long or may wait for other rows, call it last: nothing is committed without it,
 * and the lease can't be lost between the check and the commit. The lock is shared, so that results under one lease can be written
 * concurrently.
 */
export async function checkLease(
  tx: Transaction,
  lease: { readonly name: string; readonly token: string },
): Promise<void> {
  const rows = await tx.query(heldSql, [lease.name, lease.token]);
  if (rows.length === 0) throw new LeaseLostError(lease.name);
}

/** Like checkLease, for the WHERE of the statement that writes the result: holds the lease until the transaction ends. */
export function leaseHeld(lease: { readonly name: string; readonly token: string }): Condition {
  return { sql: `EXISTS (${heldSql})`, values: [lease.name, lease.token] };
}

const mostNamed = 5;

/** No lease lasts longer without renewal. */
export const longestTtlMs = 5_000;

export interface LeasesOptions {
  readonly db: Database;
  /** UUID of this incarnation of the process. */
  readonly owner: string;
  /** The data host that runs this process. Undefined if there is none. */
  readonly host?: string | undefined;
  readonly log: Logger;
  /** A lease's lifetime without renewal, at most `longestTtlMs`; default 5000. */
  readonly ttlMs?: number;
  /** How often all leases are renewed; default 1500. */
  readonly renewMs?: number;
}

interface Entry {
  readonly name: string;
  readonly token: string;
  readonly controller: AbortController;
  /** By the monotonic clock: before this time the lease can't have expired in the database. */
  validUntilMs: number;
  /** A renewal that waits for the lock on the lease's row. */
  queued: Promise<void> | undefined;
}

export class Leases {
  readonly #db: Database;
  readonly #owner: string;
  readonly #host: string | null;
  readonly #log: Logger;
  readonly #ttlMs: number;
  readonly #renewMs: number;
  readonly #held = new Map<string, Entry>();
  /** Of leases that ended without a renewal: whether another process took them. */
  readonly #asking = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #watch: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;
  #stopped = false;
  /** The database was not available for the last renewal. */
  #failing = false;
  #losses = 0;
  /** Each renews all leases; for metrics. */
  readonly renewals = { written: 0, failed: 0 };
  /** By `performance.now()`: the last lease that was taken or renewed. */
  #writtenMs = performance.now();

  constructor(options: LeasesOptions) {
    this.#db = options.db;
    this.#owner = options.owner;
    this.#host = options.host ?? null;
    this.#log = options.log;
    this.#ttlMs = Math.min(options.ttlMs ?? longestTtlMs, longestTtlMs);
    this.#renewMs = options.renewMs ?? 1_500;
  }

  get owner(): string {
    return this.#owner;
  }

  /** Leases held now, and the number ever lost to another process, or while the database did not answer; for metrics. */
  figures(): { readonly held: number; readonly lost: number } {
    return { held: this.#held.size, lost: this.#losses };
  }

  /** How long ago a lease was last taken or renewed, which is a write. */
  get writtenAgoMs(): number {
    return performance.now() - this.#writtenMs;
  }

  /** Takes a lease that is free or has expired; undefined when another process (or this one) holds it. */
  async acquire(name: string): Promise<HeldLease | undefined> {
    if (this.#stopped || this.#held.has(name)) return undefined;
    const token = newToken();
    // Taken before the statement: the database's clock starts later, so this process's time ends first.
    const startedMs = performance.now();
    if (!(await this.#take(name, token))) return undefined;
    this.#writtenMs = performance.now();
    const entry: Entry = {
      name,
      token,
      controller: new AbortController(),
      validUntilMs: startedMs + this.#localTtlMs(),
      queued: undefined,
    };
    if (this.#stopped || this.#held.has(name) || performance.now() >= entry.validUntilMs) {
      await this.#giveUp(entry);
      return undefined;
    }
    this.#held.set(name, entry);
    this.#schedule();
    return { name, token, signal: entry.controller.signal, release: () => this.#release(entry) };
  }

  /** The holder of a lease, by the database's clock. Undefined if nobody has ever held it. */
  async holder(
    name: string,
  ): Promise<{ readonly owner: string; readonly expiresAt: Date; readonly live: boolean } | undefined> {
    const sql = 'SELECT owner, expires_at AS expiresAt, expires_at > NOW(3) AS live FROM lease WHERE name = ?';
    const [row] = await this.#db.query<{ owner: string; expiresAt: Date; live: number }>(sql, [name]);
    return row === undefined ? undefined : { ...row, live: row.live === 1 };
  }

  /** The live leases whose names begin with `prefix` (at most 10,000), by the database's clock. `leftMs`: until they end unless renewed. */
  async live(prefix: string): Promise<{ readonly name: string; readonly owner: string; readonly leftMs: number }[]> {
    const pattern = `${prefix.replaceAll(/[\\%_]/g, '\\$&')}%`;
    const sql =
      'SELECT name, owner, TIMESTAMPDIFF(MICROSECOND, NOW(3), expires_at) DIV 1000 AS leftMs FROM lease WHERE name LIKE ? AND expires_at > NOW(3) ORDER BY name LIMIT 10000';
    const rows = await this.#db.query<{ name: string; owner: string; leftMs: number }>(sql, [pattern]);
    return rows.map(({ leftMs, ...row }) => ({ ...row, leftMs: Number(leftMs) }));
  }

  /** Releases all leases and takes no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#watch);
    await this.#renewing;
    await Promise.all([...this.#held.values()].map((entry) => entry.queued));
    await Promise.all([...this.#held.values()].map((entry) => this.#release(entry)));
    await Promise.all(this.#asking);
  }

  /** A tenth is reserved for timers that fire late. */
  #localTtlMs(): number {
    return this.#ttlMs * 0.9;
  }

  async #take(name: string, token: string): Promise<boolean> {
    const until = 'NOW(3) + INTERVAL ? MICROSECOND';
    const values = [token, this.#owner, this.#host, this.#ttlMs * 1000, name];
    const soon = 'SET STATEMENT innodb_lock_wait_timeout = 2 FOR';
    try {
      const taken = await this.#db.execute(
        `${soon} UPDATE lease SET token = ?, owner = ?, host = ?, epoch = epoch + 1, beat = 0, expires_at = ${until} WHERE name = ? AND expires_at <= NOW(3)`,
        values,
      );
      if (taken.affectedRows === 1) return true;
      const made = await this.#db.execute(
        `${soon} INSERT IGNORE INTO lease (token, owner, host, expires_at, name) VALUES (?, ?, ?, ${until}, ?)`,
        values,
      );
      return made.affectedRows === 1;
    } catch (error) {
      // Its last holder is still writing a result under it.
      if (isLockWaitTimeout(error)) return false;
      throw error;
    }
  }

  /** `tookMs`: of the last renewal. */
  #schedule(tookMs = 0): void {
    // The database may return at once, and a renewal may take long: waiting another whole period would lose the leases.
    const soonMs = this.#renewMs / 5;
    const pauseMs = this.#failing ? soonMs : Math.max(soonMs, this.#renewMs - tookMs);
    if (this.#timer === undefined && this.#held.size > 0 && !this.#stopped)
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        const startedMs = performance.now();
        this.#renewing ??= this.#renew().finally(() => {
          this.#renewing = undefined;
          this.#schedule(performance.now() - startedMs);
        });
      }, pauseMs);
    this.#scheduleWatch();
  }

  /** The database may hang: a lease that is not renewed in time is given up by this process's own clock. */
  #scheduleWatch(): void {
    clearTimeout(this.#watch);
    if (this.#held.size === 0 || this.#stopped) return;
    const first = Math.min(...[...this.#held.values()].map((entry) => entry.validUntilMs));
    // If this process stood still, the timer is ahead of the answer to a renewal, which setImmediate lets pass.
    const wait = () => void setImmediate(() => this.#endExpired());
    this.#watch = setTimeout(wait, Math.max(1, first - performance.now()));
  }

  #endExpired(): void {
    const nowMs = performance.now();
    const ended = this.#drop([...this.#held.values()].filter((entry) => entry.validUntilMs <= nowMs));
    if (ended.length > 0) {
      const asking = this.#sayEnded(ended).finally(() => this.#asking.delete(asking));
      this.#asking.add(asking);
    }
    this.#scheduleWatch();
  }

  /** This process may have stood still without anybody else to take them. Then nothing is lost, and it takes them again. */
  async #sayEnded(entries: readonly Entry[]): Promise<void> {
    const names = entries.map(({ name }) => name);
    const sql = `SELECT name FROM lease WHERE name IN (${marksFor(names)}) AND owner <> ?`;
    try {
      const taken = await this.#db.query<{ name: string }>(sql, [...names, this.#owner]);
      const lost = taken.map(({ name }) => name);
      const rest = names.filter((name) => !lost.includes(name));
      if (lost.length > 0) this.#countLost(lost, 'not renewed in time, and taken by another process');
      if (rest.length > 0)
        this.#log.info(
          { leases: rest.slice(0, mostNamed), ended: rest.length },
          'leases ended without a renewal, and no other process took them',
        );
    } catch {
      this.#countLost(names, 'not renewed in time: the database does not answer');
    }
  }

  async #renew(): Promise<void> {
    const entries = [...this.#held.values()];
    if (entries.length === 0) return;
    const startedMs = performance.now();
    const wasFailing = this.#failing;
    this.#failing = false;
    try {
      const { renewed, ours } = await this.#renewRows(entries);
      if (renewed.size > 0) this.#writtenMs = performance.now();
      this.renewals.written += 1;
      for (const entry of entries) {
        if (renewed.has(entry.token)) entry.validUntilMs = startedMs + this.#localTtlMs();
        else if (ours.has(entry.token)) this.#renewBusy(entry);
      }
      const lost = this.#drop(entries.filter(({ token }) => !ours.has(token)));
      this.#countLost(
        lost.map(({ name }) => name),
        'taken by another process',
      );
    } catch (error) {
      // A full disk is logged once, by the guard of the database.
      if (!wasFailing && !isDiskFull(error))
        this.#log.warn({ err: error }, 'leases could not be renewed: trying again');
      this.#failing = true;
      this.renewals.failed += 1;
    }
  }

  /** A lease with continuous writes of results is always locked, so its renewal must queue with the results. */
  #renewBusy(entry: Entry): void {
    const startedMs = performance.now();
    const sql =
      'SET STATEMENT innodb_lock_wait_timeout = 1 FOR UPDATE lease SET beat = beat + 1, expires_at = NOW(3) + INTERVAL ? MICROSECOND WHERE name = ? AND token = ? AND expires_at > NOW(3)';
    entry.queued ??= this.#db
      .execute(sql, [this.#ttlMs * 1000, entry.name, entry.token])
      .then(
        ({ affectedRows }) => {
          if (affectedRows === 1) entry.validUntilMs = startedMs + this.#localTtlMs();
        },
        (error: unknown) => this.#log.warn({ err: error, lease: entry.name }, 'lease not renewed yet'),
      )
      .finally(() => {
        entry.queued = undefined;
      });
  }

  async #renewRows(entries: readonly Entry[]): Promise<{ renewed: ReadonlySet<string>; ours: ReadonlySet<string> }> {
    const names = entries.map((entry) => entry.name);
    const tokens = entries.map((entry) => entry.token);
    const marks = marksFor(names);
    const mine = `name IN (${marks}) AND token IN (${marks})`;
    if (await this.#renewAtOnce(mine, [...names, ...tokens], entries.length)) {
      const all = new Set(tokens);
      return { renewed: all, ours: all };
    }
    const renew = async (tx: Transaction) => {
      // SKIP LOCKED: a result being written holds its lease's row; it must not delay the renewal of the others.
      const free = await tx.query<{ name: string; token: string }>(
        `SELECT name, token FROM lease WHERE ${mine} AND expires_at > NOW(3) FOR UPDATE SKIP LOCKED`,
        [...names, ...tokens],
      );
      if (free.length > 0)
        await tx.execute(
          `UPDATE lease SET beat = beat + 1, expires_at = NOW(3) + INTERVAL ? MICROSECOND WHERE name IN (${marksFor(free)})`,
          [this.#ttlMs * 1000, ...free.map((row) => row.name)],
        );
      const renewed = new Set(free.map((row) => row.token));
      if (renewed.size === entries.length) return { renewed, ours: renewed };
      const left = await tx.query<{ token: string }>(`SELECT token FROM lease WHERE ${mine}`, [...names, ...tokens]);
      return { renewed, ours: new Set(left.map((row) => row.token)) };
    };
    // Also on a disk that is nearly full: running work must be able to finish.
    return this.#db.transaction(renew, { endsWork: true });
  }

  /** In one statement: a busy process reads each further answer late. False if a row is locked, or is not ours. */
  async #renewAtOnce(mine: string, values: readonly string[], count: number): Promise<boolean> {
    const sql = `SET STATEMENT innodb_lock_wait_timeout = 0 FOR UPDATE lease SET beat = beat + 1, expires_at = NOW(3) + INTERVAL ? MICROSECOND WHERE ${mine} AND expires_at > NOW(3)`;
    try {
      return (await this.#db.execute(sql, [this.#ttlMs * 1000, ...values])).affectedRows === count;
    } catch (error) {
      if (isLockWaitTimeout(error)) return false;
      throw error;
    }
  }

  /** Ends the leases for this process, and returns those that it still held. */
  #drop(entries: readonly Entry[]): readonly Entry[] {
    const dropped = entries.filter((entry) => this.#held.get(entry.name) === entry);
    for (const { name } of dropped) this.#held.delete(name);
    for (const { name, controller } of dropped) controller.abort(new LeaseLostError(name));
    return dropped;
  }

  #countLost(names: readonly string[], why: string): void {
    if (names.length === 0) return;
    this.#losses += names.length;
    this.#log.warn({ leases: names.slice(0, mostNamed), lost: names.length, why }, 'leases lost');
  }

  async #release(entry: Entry): Promise<void> {
    if (this.#held.get(entry.name) !== entry) return;
    this.#held.delete(entry.name);
    entry.controller.abort(new LeaseLostError(entry.name));
    await this.#giveUp(entry);
  }

  /** With a new token, so that results under the old one can no longer be written. */
  async #giveUp(entry: Entry): Promise<void> {
    const sql = 'UPDATE lease SET token = ?, expires_at = NOW(3) - INTERVAL 1 SECOND WHERE name = ? AND token = ?';
    await this.#db.execute(sql, [newToken(), entry.name, entry.token]).catch((error: unknown) => {
      this.#log.warn({ err: error, lease: entry.name }, 'lease not released: it ends by itself');
    });
  }
}
