// Deletes rows older than their retention period, oldest first, in small transactions that block nobody.

import type { AuditKeys } from '../audit/ends.ts';
import { purgeAudit } from '../audit/purge.ts';
import { commitRecordKeptMs } from '../database/commits.ts';
import type { Database } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { purgeVersions } from '../edge/configuration-versions.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import type { Logger } from '../log/log.ts';
import { batchSize, type Deleted, inBatches } from './batches.ts';
import { oldRowsStep } from './old-rows.ts';
import type { RetentionStep } from './retention-step.ts';

interface RetentionOptions {
  readonly db: Database;
  readonly log: Logger;
  /** How long status events are kept. */
  readonly eventMs: number;
  /** How long sealed audit entries are kept, and earlier settings of objects. */
  readonly auditMs: number;
  readonly auditKeys: AuditKeys;
  /**
   * Which of these calls (UUIDs) have ended: an expired key is kept until its call has ended. Without it the keys of calls are
   * kept.
   */
  readonly endedCalls?: (callIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

/** Limit per run and kind: the rest is deleted by the next, which is due at once. */
const mostBatches = 200;
const leaseKeptHours = 24;
const dayMs = 86_400_000;

/** The steps for the tables of the platform. Keys are last, because those of deleted calls may be deleted too. */
export function platformRetention(options: RetentionOptions): readonly RetentionStep[] {
  const { db, eventMs, auditMs } = options;
  const batches = (batch: () => Promise<number>) => (signal: AbortSignal) => inBatches(batch, signal, { mostBatches });
  return [
    { name: 'events', tables: ['status_change'], run: batches(() => runBlock(db, deleteEvents, eventMs)) },
    { name: 'audit entries', tables: ['audit_entry'], run: (signal) => deleteAudit(options, signal) },
    {
      ...{ name: 'versions of settings', tables: ['configuration_version'] },
      run: batches(() => purgeVersions(db, auditMs, batchSize)),
    },
    // A day longer than tokens are answered, so that "purged" is never taken for "lost".
    oldRowsStep(db, {
      ...{ name: 'commit records', table: 'commit_record', column: 'at', keptMs: commitRecordKeptMs + dayMs },
    }),
    // There are as many as things that processes hold: they need no index by time.
    { name: 'leases', tables: ['lease'], run: batches(() => deleteLeases(db)) },
    { name: 'idempotency keys', tables: ['idempotency_key'], run: (signal) => deleteKeys(options, signal) },
  ];
}

/** Runs the steps one after the other. */
export async function runRetention(
  steps: readonly RetentionStep[],
  signal: AbortSignal = new AbortController().signal,
): Promise<Readonly<Record<string, Deleted>>> {
  const done: Record<string, Deleted> = {};
  for (const { name, run } of steps) done[name] = await run(signal);
  return done;
}

/** A broken audit trail is kept unchanged; the other steps continue. */
async function deleteAudit({ db, log, auditKeys, auditMs }: RetentionOptions, signal: AbortSignal): Promise<Deleted> {
  try {
    return await inBatches(() => purgeAudit(db, auditKeys, auditMs), signal, { mostBatches });
  } catch (error) {
    log.error({ err: error }, 'the audit trail was not purged');
    return { rows: 0, more: false };
  }
}

interface ExpiredKey {
  readonly at: string;
  readonly scope: string;
  readonly operation: string;
  readonly keyHash: string;
  readonly callId: string | null;
}

/**
 * In order of expiry. Keys of calls that have not ended are skipped: each run reads them once. Without `endedCalls` all keys of calls are kept.
 */
async function deleteKeys({ db, endedCalls }: RetentionOptions, signal: AbortSignal): Promise<Deleted> {
  let rows = 0;
  let after: readonly string[] = ['0001-01-01', '', '', ''];
  for (let batch = 0; batch < mostBatches && !signal.aborted; batch += 1) {
    const page = await db.query<ExpiredKey>(
      `SELECT CAST(expires_at AS CHAR) AS at, scope, operation, key_hash AS keyHash, call_id AS callId FROM idempotency_key
        WHERE expires_at >= ? AND (expires_at > ? OR (scope, operation, key_hash) > (?, ?, ?)) AND expires_at < ${trustedNow}
        ORDER BY expires_at, scope, operation, key_hash LIMIT ${batchSize}`,
      [after[0] ?? '', ...after],
    );
    const [first, last] = [page[0], page.at(-1)];
    if (first !== undefined && last !== undefined) {
      const calls = page.flatMap(({ callId }) => (callId === null ? [] : [callId]));
      const ended = endedCalls === undefined || calls.length === 0 ? [] : [...(await endedCalls(calls))];
      const ofEnded = ended.length === 0 ? '' : ` OR call_id IN (${marksFor(ended)})`;
      const sql = `DELETE FROM idempotency_key WHERE expires_at >= ? AND expires_at <= ? AND expires_at < ${trustedNow}
        AND (call_id IS NULL${ofEnded})`;
      rows += (await db.execute(sql, [first.at, last.at, ...ended])).affectedRows;
      after = [last.at, last.scope, last.operation, last.keyHash];
    }
    if (page.length < batchSize) return { rows, more: false };
  }
  return { rows, more: true };
}

async function deleteLeases(db: Database): Promise<number> {
  const sql = `DELETE FROM lease WHERE expires_at < ${trustedNow} - INTERVAL ? HOUR ORDER BY name LIMIT ?`;
  return (await db.execute(sql, [leaseKeptHours, batchSize])).affectedRows;
}

/*
 * Input is the age in seconds; up to 1,000 rows are deleted from the old end on, up to the first younger one (a gap would look
 * like a loss); their number is selected. One statement, run by the server: a client that pauses in the middle would hold the
 * lock that the sequencer needs.
 *
 * Must hold: oldest_seq rises with the deletion. The newest event stays, however old: it proves the position of readers.
 */
const deleteEvents = block(
  `SELECT oldest_seq, next_seq - 1 INTO first, past FROM status_sequencer WHERE id = 1 FOR UPDATE;
  SELECT MIN(seq) INTO young FROM (SELECT seq, at FROM status_change WHERE seq >= first AND seq < past ORDER BY seq LIMIT ${batchSize}) page`,
  `UPDATE status_sequencer SET oldest_seq = cut WHERE id = 1;
    DELETE FROM status_change WHERE seq >= first AND seq < cut;`,
);

function block(find: string, apply: string): string {
  return `SET STATEMENT innodb_lock_wait_timeout = 2 FOR BEGIN NOT ATOMIC
  DECLARE first, past, young, cut BIGINT UNSIGNED;
  DECLARE deleted INT DEFAULT 0;
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN ROLLBACK; RESIGNAL; END;
  START TRANSACTION;
  ${find} WHERE at >= ${trustedNow} - INTERVAL ? SECOND;
  SET cut = COALESCE(young, LEAST(first + ${batchSize}, past));
  IF cut > first THEN
    ${apply}
    SET deleted = ROW_COUNT();
  END IF;
  COMMIT;
  SELECT deleted;
END`;
}

async function runBlock(db: Database, sql: string, keptMs: number): Promise<number> {
  const answer = (await db.write<unknown>(sql, [keptMs / 1000])) as unknown as [{ deleted: number }[], unknown];
  return answer[0][0]?.deleted ?? 0;
}
