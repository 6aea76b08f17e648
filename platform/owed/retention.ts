// Deletes rows older than their retention period, oldest first, in small transactions that block nobody.

import type { AuditKeys } from '../audit/ends.ts';
import { purgeAudit } from '../audit/purge.ts';
import { commitRecordKeptMs } from '../database/commits.ts';
import type { Database } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { purgeVersions } from '../edge/configuration-versions.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import type { Logger } from '../log/log.ts';
import { batchSize, inBatches } from './batches.ts';

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

interface Retained {
  readonly events: number;
  readonly auditEntries: number;
  readonly versions: number;
  readonly keys: number;
  readonly commitRecords: number;
  readonly leases: number;
}

/** Limit per run and kind: the rest waits for the next run. */
const mostBatches = 200;
const leaseKeptHours = 24;

export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Deletes the rows that are due. Returns the number for each step. */
  async runOnce(signal?: AbortSignal): Promise<Retained> {
    const { db, log, eventMs } = this.#options;
    const each = (batch: () => Promise<number>) => inBatches(batch, signal, mostBatches);
    const done = {
      events: await each(() => runBlock(db, deleteEvents, eventMs)),
      auditEntries: await this.#deleteAudit(signal),
      versions: await each(() => purgeVersions(db, this.#options.auditMs, batchSize)),
      keys: (await each(() => this.#deletePlainKeys())) + (await this.#deleteCallKeys(signal)),
      commitRecords: await each(() => this.#deleteCommitRecords()),
      leases: await each(() => this.#deleteLeases()),
    };
    log.info(done, 'retention');
    return done;
  }

  /** A broken audit trail is kept unchanged; the other steps continue. */
  async #deleteAudit(signal: AbortSignal | undefined): Promise<number> {
    const { db, log, auditKeys, auditMs } = this.#options;
    try {
      return await inBatches(() => purgeAudit(db, auditKeys, auditMs), signal, mostBatches);
    } catch (error) {
      log.error({ err: error }, 'the audit trail was not purged');
      return 0;
    }
  }

  async #deletePlainKeys(): Promise<number> {
    const sql = `DELETE FROM idempotency_key WHERE expires_at < ${trustedNow} AND call_id IS NULL LIMIT ?`;
    return (await this.#options.db.execute(sql, [batchSize])).affectedRows;
  }

  /** In order of expiry; keys of running calls are skipped. */
  async #deleteCallKeys(signal: AbortSignal | undefined): Promise<number> {
    const { db, endedCalls } = this.#options;
    if (endedCalls === undefined) return 0;
    let deleted = 0;
    let afterId = '';
    for (let batch = 0; batch < mostBatches && signal?.aborted !== true; batch += 1) {
      const rows = await db.query<{ callId: string }>(
        `SELECT call_id AS callId FROM idempotency_key WHERE call_id > ? AND expires_at < ${trustedNow} ORDER BY call_id LIMIT ?`,
        [afterId, batchSize],
      );
      const last = rows.at(-1);
      if (last === undefined) break;
      afterId = last.callId;
      const ended = [...(await endedCalls(rows.map((row) => row.callId)))];
      if (ended.length === 0) continue;
      const marks = marksFor(ended);
      const sql = `DELETE FROM idempotency_key WHERE call_id IN (${marks}) AND expires_at < ${trustedNow}`;
      deleted += (await db.execute(sql, ended)).affectedRows;
    }
    return deleted;
  }

  /** A day longer than tokens are answered, so that "purged" is never taken for "lost". */
  async #deleteCommitRecords(): Promise<number> {
    const sql = `DELETE FROM commit_record WHERE at < ${trustedNow} - INTERVAL ? SECOND - INTERVAL 1 DAY ORDER BY at LIMIT ?`;
    return (await this.#options.db.execute(sql, [commitRecordKeptMs / 1000, batchSize])).affectedRows;
  }

  async #deleteLeases(): Promise<number> {
    const sql = `DELETE FROM lease WHERE expires_at < ${trustedNow} - INTERVAL ? HOUR ORDER BY name LIMIT ?`;
    return (await this.#options.db.execute(sql, [leaseKeptHours, batchSize])).affectedRows;
  }
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
