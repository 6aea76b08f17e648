// Owed work: the database remembers it, a queue only carries it. Lost, duplicate or late jobs do no harm: claiming and finishing
// are conditional updates by a token, in the effect's own transaction.

import { createHash } from 'node:crypto';
import type { Database, Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { isLockWaitTimeout } from '../errors/database-errors.ts';
import { invariant } from '../errors/errors.ts';
import { appendStatus } from '../events/append.ts';
import { platformEvents } from '../events/platform-events.ts';
import { newToken } from '../values/ids.ts';
import type { Wake } from '../work/wake.ts';

export interface OwedJob {
  readonly kind: string;
  readonly key: string;
  /** How often it was owed when it was claimed: finishing covers only that many, not later ones. */
  readonly wanted: number;
  readonly leaseToken: string;
}

/** A job in the hands of its carrier. */
export interface ClaimedJob extends OwedJob {
  /** Including this one, since the last success or since it was owed again. */
  readonly attempts: number;
  /**
   * How often, since the last success, the job was taken over from a process that had not finished it. Effects that such a process
   * began may still be under way.
   */
  readonly takeovers: number;
  /**
   * Whether it is certain, by this process's own clock, that nobody else has the job. Ask right before an effect that nothing else
   * fences.
   */
  readonly isHeld: () => boolean;
}

/** How a job that failed is tried again. */
export interface RetryPolicy {
  /** The first retry's delay, doubled with each. */
  readonly firstMs: number;
  /** The longest delay. */
  readonly mostMs: number;
  /** If false, the job becomes a dead letter after `deadAfterAttempts`. If true, it is retried as long as it fails. */
  readonly forever: boolean;
}

export const usualRetry: RetryPolicy = { firstMs: 1_000, mostMs: 300_000, forever: false };

/**
 * For work that reconciles towards a wanted state. A retry reads the current state, so an early retry is best and giving up is
 * never right.
 */
export const reconcilingRetry: RetryPolicy = { firstMs: 100, mostMs: 5_000, forever: true };

/**
 * After this many attempts, a job becomes a dead letter if its policy allows that. A dead letter is tried once an hour, and is
 * visible in status events.
 */
export const deadAfterAttempts = 10;

/** No work is owed further ahead, and no dead letter tried later. */
const longestDueMs = 3_600_000;

/** A due row, for the carrier. */
export interface DueRow {
  readonly kind: string;
  readonly key: string;
  readonly wanted: number;
  readonly attempts: number;
}

/** A row that will be due. */
interface AwaitedRow extends DueRow {
  /** The work is due if this is 0 or less. */
  readonly dueInMs: number;
}

/** The claim is lost (its lease expired and another process took it): roll the effect back. */
export class OwedWorkLostError extends Error {
  constructor(job: OwedJob) {
    super(`the claim on ${job.kind} ${job.key} is gone: its effect is rolled back`);
    this.name = 'OwedWorkLostError';
  }
}

/** Work that is due later than any could be was owed before the clock was set back. */
const isDue = `(due_at <= NOW(3) OR due_at > NOW(3) + INTERVAL ${longestDueMs + 60_000} * 1000 MICROSECOND)`;
/** Most keys of one statement. */
const keysAtOnce = 500;

/** The earlier of two times, of which the first may be null. */
const earlier = (one: string, other: string) => `LEAST(COALESCE(${one}, ${other}), ${other})`;

export interface OwedKey {
  readonly key: string;
  /** At most an hour; default 0. */
  readonly dueInMs?: number;
}

/** Owes work, in the transaction that causes it, at most an hour ahead. Owing it again while it runs makes it run once more, when due. */
export async function owe(
  tx: Transaction,
  kind: string,
  key: string,
  options: { readonly dueInMs?: number } = {},
  wake?: Wake,
): Promise<void> {
  await oweAll(tx, kind, [{ key, ...options }], wake);
}

/** `owe` for many keys of a kind, each once, in few statements. */
export async function oweAll(tx: Transaction, kind: string, keys: readonly OwedKey[], wake?: Wake): Promise<void> {
  invariant(
    keys.every(({ dueInMs = 0 }) => dueInMs <= longestDueMs),
    'work is owed at most an hour ahead',
  );
  // Sorted, so that two transactions that owe the same work do not deadlock.
  const sorted = keys.toSorted((one, other) => (one.key < other.key ? -1 : 1));
  for (let at = 0; at < sorted.length; at += keysAtOnce) {
    const page = sorted.slice(at, at + keysAtOnce);
    await tx.execute(
      `INSERT INTO owed_work (kind, \`key\`, due_at, owed_at)
      VALUES ${page.map(() => '(?, ?, NOW(3) + INTERVAL ? MICROSECOND, NOW(3))').join(', ')}
      ON DUPLICATE KEY UPDATE wanted = wanted + 1, attempts = 0,
        owed_at = IF(lease_token IS NULL, NOW(3), owed_at),
        due_at = IF(lease_token IS NULL, ${earlier('due_at', 'VALUES(due_at)')}, due_at),
        next_due_at = IF(lease_token IS NULL, NULL, ${earlier('next_due_at', 'VALUES(due_at)')})`,
      page.flatMap(({ key, dueInMs = 0 }) => [kind, key, dueInMs * 1000]),
    );
  }
  if (wake !== undefined && keys.length > 0) tx.afterCommit(() => wake.notify('owed'));
}

/** Keys of a kind that are due and that nobody has claimed, the longest due first. */
export async function dueKeys(db: Sql, kind: string, take: number): Promise<readonly string[]> {
  const rows = await db.query<{ key: string }>(
    `SELECT \`key\` FROM owed_work WHERE kind = ? AND ${isDue} AND lease_token IS NULL ORDER BY due_at LIMIT ?`,
    [kind, take],
  );
  return rows.map(({ key }) => key);
}

/**
 * Marks due, unclaimed work as done. Call it in the transaction of the work's effect, before the effect's reads: work that is owed
 * later is then done later. Use it only for work that may also be done twice, by a process that claims it. Takes at most as many
 * keys as a statement has room for.
 */
export async function takeOwed(tx: Transaction, kind: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(
    `UPDATE owed_work SET done = wanted, attempts = 0, takeovers = 0, last_error = NULL, due_at = NULL, next_due_at = NULL
    WHERE kind = ? AND \`key\` IN (${marksFor(keys)}) AND ${isDue} AND lease_token IS NULL`,
    [kind, ...keys],
  );
}

/** Marks a job done, in the transaction of its effect. Throws OwedWorkLostError (roll back) when the claim is lost. */
export async function finishOwed(tx: Transaction, job: OwedJob): Promise<void> {
  const { affectedRows } = await tx.execute(
    'UPDATE owed_work SET done = ?, attempts = 0, takeovers = 0, last_error = NULL, lease_token = NULL, lease_until = NULL, due_at = IF(wanted > ?, COALESCE(next_due_at, due_at), NULL), next_due_at = NULL WHERE kind = ? AND `key` = ? AND lease_token = ?',
    [job.wanted, job.wanted, job.kind, job.key, job.leaseToken],
  );
  if (affectedRows === 0) throw new OwedWorkLostError(job);
}

interface OwedWorkOptions {
  readonly db: Database;
  /** Lifetime of a claim that is not renewed; default 30000. */
  readonly claimMs?: number;
  /**
   * Each takeover doubles the lifetime, up to this: a process that renews too slowly for a claim can do the work all the same. Default
   * `claimMs`.
   */
  readonly longestClaimMs?: number;
  /** Default `usualRetry`. */
  readonly retry?: RetryPolicy;
}

const dueInMs = 'TIMESTAMPDIFF(MICROSECOND, NOW(3), due_at) DIV 1000';
const claimed = 'kind = ? AND `key` = ? AND lease_token = ?';
const released = 'lease_token = NULL, lease_until = NULL, last_error = ?';
/** The longer, the more often it was taken over. */
const claimUntil = 'NOW(3) + INTERVAL LEAST(? * POW(2, LEAST(takeovers, 20)), ?) * 1000 MICROSECOND';
/** A tenth is reserved for timers and statements that are late. */
const localPart = 0.9;
/** A claim that ends far later than usual was made before the clock was set back. */
const unclaimed = '(lease_until IS NULL OR lease_until <= NOW(3) OR lease_until > NOW(3) + INTERVAL ? MICROSECOND)';

export class OwedWork {
  readonly #db: Database;
  readonly #claimMs: number;
  readonly #longestClaimMs: number;
  readonly #retry: RetryPolicy;
  /** The end of each claim, by `performance.now()`. */
  readonly #heldUntilMs = new WeakMap<OwedJob, number>();

  constructor(options: OwedWorkOptions) {
    this.#db = options.db;
    this.#claimMs = options.claimMs ?? 30_000;
    this.#longestClaimMs = options.longestClaimMs ?? this.#claimMs;
    this.#retry = options.retry ?? usualRetry;
  }

  /** Due rows without a claim, the longest due first. */
  async dueRows(options: { readonly kinds?: readonly string[]; readonly limit: number }): Promise<DueRow[]> {
    const { kinds, limit } = options;
    const only = kinds === undefined ? '' : `AND kind IN (${marksFor(kinds)})`;
    return this.#db.query<DueRow>(
      `SELECT kind, \`key\`, wanted, attempts FROM owed_work WHERE ${isDue} AND ${unclaimed} ${only} ORDER BY due_at LIMIT ?`,
      [2 * this.#longestClaimMs * 1000, ...(kinds ?? []), limit],
    );
  }

  /** The row, if it is owed and not claimed. */
  async awaited(kind: string, key: string): Promise<AwaitedRow | undefined> {
    const [row] = await this.#db.query<AwaitedRow>(
      `SELECT kind, \`key\`, wanted, attempts, IF(${isDue}, 0, ${dueInMs}) AS dueInMs FROM owed_work
      WHERE kind = ? AND \`key\` = ? AND due_at IS NOT NULL AND ${unclaimed}`,
      [kind, key, 2 * this.#longestClaimMs * 1000],
    );
    return row === undefined ? undefined : { ...row, dueInMs: Number(row.dueInMs) };
  }

  /** How long until the next row of these kinds becomes due. Undefined if none does within that time. */
  async nextDueInMs(kinds: readonly string[], withinMs: number): Promise<number | undefined> {
    const [row] = await this.#db.query<{ dueInMs: number }>(
      `SELECT ${dueInMs} AS dueInMs FROM owed_work WHERE due_at > NOW(3) AND due_at < NOW(3) + INTERVAL ? MICROSECOND
        AND lease_token IS NULL AND kind IN (${marksFor(kinds)}) ORDER BY due_at LIMIT 1`,
      [withinMs * 1000, ...kinds],
    );
    return row === undefined ? undefined : Number(row.dueInMs);
  }

  /**
   * Makes due what waits for a time of before the database's clock was set back: it was owed in the future. If the step is shorter than the
   * longest wait, its time alone does not show that. Returns how many jobs these are.
   */
  async takeUpAfterStepBack(): Promise<number> {
    const isOfFuture = `due_at > NOW(3) AND owed_at > NOW(3) + INTERVAL 1 SECOND AND ${unclaimed}`;
    const longest = 2 * this.#longestClaimMs * 1000;
    const rows = await this.#db.query<{ kind: string; key: string }>(
      `SELECT kind, \`key\` FROM owed_work WHERE ${isOfFuture} LIMIT ${keysAtOnce}`,
      [longest],
    );
    let found = 0;
    for (const { kind, key } of rows) {
      const { affectedRows } = await this.#db.execute(
        `UPDATE owed_work SET due_at = NOW(3), owed_at = NOW(3) WHERE kind = ? AND \`key\` = ? AND ${isOfFuture}`,
        [kind, key, longest],
      );
      found += affectedRows;
    }
    return found;
  }

  /** The kinds that have a due row, claimed or not. */
  async dueKinds(kinds: readonly string[]): Promise<ReadonlySet<string>> {
    const sql = `SELECT DISTINCT kind FROM owed_work WHERE ${isDue} AND kind IN (${marksFor(kinds)})`;
    return new Set((await this.#db.query<{ kind: string }>(sql, kinds)).map(({ kind }) => kind));
  }

  /** Claims a due row; undefined when it does not exist, is done, or is claimed by another process. */
  async claim(kind: string, key: string): Promise<ClaimedJob | undefined> {
    const leaseToken = newToken();
    const startedMs = performance.now();
    // In this order: each assignment sees the ones before it.
    const { affectedRows } = await this.#db.execute(
      `UPDATE owed_work SET takeovers = takeovers + (lease_token IS NOT NULL), lease_token = ?, lease_until = ${claimUntil},
        attempts = attempts + 1, next_due_at = NULL WHERE kind = ? AND \`key\` = ? AND ${isDue} AND ${unclaimed}`,
      [leaseToken, this.#claimMs, this.#longestClaimMs, kind, key, 2 * this.#longestClaimMs * 1000],
    );
    if (affectedRows === 0) return undefined;
    const sql = 'SELECT wanted, attempts, takeovers FROM owed_work WHERE kind = ? AND `key` = ? AND lease_token = ?';
    const [row] = await this.#db.query<Pick<ClaimedJob, 'wanted' | 'attempts' | 'takeovers'>>(sql, [
      ...[kind, key, leaseToken],
    ]);
    if (row === undefined) return undefined;
    const isHeld = () => performance.now() < (this.#heldUntilMs.get(job) ?? 0);
    const job: ClaimedJob = { kind, key, leaseToken, ...row, isHeld };
    this.#heldFrom(job, startedMs);
    return job;
  }

  /**
   * Renews the claim of a job that still runs. Returns false if the claim is lost. Does not wait for a row that another transaction
   * has locked to owe the work again. The claim then stays as it was.
   */
  async renew(job: ClaimedJob): Promise<boolean> {
    const startedMs = performance.now();
    try {
      const { affectedRows } = await this.#db.execute(
        `SET STATEMENT innodb_lock_wait_timeout = 0 FOR UPDATE owed_work SET lease_until = ${claimUntil} WHERE ${claimed}`,
        [this.#claimMs, this.#longestClaimMs, job.kind, job.key, job.leaseToken],
      );
      if (affectedRows > 0) this.#heldFrom(job, startedMs);
      return affectedRows > 0;
    } catch (error) {
      if (isLockWaitTimeout(error)) return true;
      throw error;
    }
  }

  #heldFrom(job: ClaimedJob, startedMs: number): void {
    const lifetimeMs = Math.min(this.#claimMs * 2 ** Math.min(job.takeovers, 20), this.#longestClaimMs);
    this.#heldUntilMs.set(job, startedMs + lifetimeMs * localPart);
  }

  /** Releases a claim after a failure: due again after a delay that grows with each attempt, or when it was owed again for. */
  async fail(job: OwedJob, error: unknown): Promise<void> {
    const retry = 'NOW(3) + INTERVAL LEAST(? * POW(2, LEAST(attempts, 20) - 1), ?) * 1000 MICROSECOND';
    const delay = [this.#retry.firstMs, this.#retry.mostMs];
    await this.#db.execute(
      `UPDATE owed_work SET ${released}, due_at = ${earlier('next_due_at', retry)}, owed_at = NOW(3), next_due_at = NULL WHERE ${claimed}`,
      [excerpt(error), ...delay, ...delay, job.kind, job.key, job.leaseToken],
    );
  }

  /**
   * Releases a claim as a dead letter: due in an hour, with a status event the first time. Work that was owed during the attempt is
   * new: it is due when it was owed for.
   */
  async bury(job: ClaimedJob, error: unknown, wake: Wake): Promise<void> {
    await this.#db.transaction(async (tx) => {
      const inAnHour = `UPDATE owed_work SET ${released}, due_at = NOW(3) + INTERVAL 1 HOUR, owed_at = NOW(3) WHERE ${claimed} AND wanted = ?`;
      const values = [excerpt(error), job.kind, job.key, job.leaseToken];
      if ((await tx.execute(inAnHour, [...values, job.wanted])).affectedRows === 0) {
        const asOwed = 'due_at = COALESCE(next_due_at, due_at), next_due_at = NULL';
        await tx.execute(`UPDATE owed_work SET ${released}, ${asOwed} WHERE ${claimed}`, values);
        return;
      }
      if (job.attempts !== deadAfterAttempts) return;
      const event = {
        projectId: null,
        kind: 'owedWork.state' as const,
        subjectId: owedWorkId(job.kind, job.key),
        subjectName: `${job.kind} ${job.key}`,
        subjectVersion: job.wanted,
        from: 'DUE' as const,
        to: 'DEAD' as const,
        reason: `${job.kind} ${job.key} failed ${job.attempts} times: ${excerpt(error)}`,
      };
      await appendStatus(tx, platformEvents, [event], wake);
    });
  }

  /** How long the oldest due row of these kinds has waited for a claim. Returns 0 if none waits. */
  async oldestWaitMs(kinds: readonly string[]): Promise<number> {
    if (kinds.length === 0) return 0;
    const [row] = await this.#db.query<{ waitMs: number | null }>(
      `SELECT TIMESTAMPDIFF(MICROSECOND, MIN(due_at), NOW(3)) DIV 1000 AS waitMs FROM owed_work
        WHERE due_at <= NOW(3) AND ${unclaimed} AND kind IN (${marksFor(kinds)})`,
      [2 * this.#longestClaimMs * 1000, ...kinds],
    );
    return Number(row?.waitMs ?? 0);
  }

  /** Rows owed now, the wait of the longest due one, and dead letters; for metrics. */
  async figures(): Promise<{ readonly due: number; readonly oldestMs: number; readonly dead: number }> {
    const [row] = await this.#db.query<{ due: number; oldestMs: number | null }>(
      `SELECT COUNT(*) AS due, TIMESTAMPDIFF(MICROSECOND, MIN(due_at), NOW(3)) DIV 1000 AS oldestMs FROM owed_work WHERE ${isDue}`,
    );
    const [buried] = await this.#db.query<{ dead: number }>(
      'SELECT COUNT(*) AS dead FROM owed_work WHERE due_at IS NOT NULL AND attempts >= ?',
      [deadAfterAttempts],
    );
    return { due: row?.due ?? 0, oldestMs: Math.max(0, row?.oldestMs ?? 0), dead: buried?.dead ?? 0 };
  }
}

function excerpt(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1024);
}

/** A row of owed work has no id: its kind and key determine one, the same each time (RFC 9562 version 8). */
function owedWorkId(kind: string, key: string): string {
  const hex = createHash('sha256').update(`${kind}\n${key}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
