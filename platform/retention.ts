// Deletes what is older than it has to be kept, oldest first, in small transactions that hold nobody up.
import { commitRecordKeptMs } from './commits.ts';
import type { Database, Transaction } from './database/database.ts';
import type { Logger } from './log.ts';

export interface RetentionOptions {
  readonly db: Database;
  readonly log: Logger;
  /** How long status events are kept. */
  readonly eventMs: number;
  /** How long sealed audit entries are kept. */
  readonly auditMs: number;
  /**
   * Which of these calls (UUIDs) have ended: an expired key is kept as long as its call has not. Without it the keys of
   * calls are kept.
   */
  readonly endedCalls?: (callIds: readonly string[]) => Promise<ReadonlySet<string>>;
}

export interface Retained {
  readonly events: number;
  readonly auditEntries: number;
  readonly keys: number;
  readonly commitRecords: number;
  readonly leases: number;
}

const batchSize = 1_000;
/** In one run, for each kind: the rest waits for the next run. */
const mostBatches = 200;
const leaseKeptHours = 24;

export class Retention {
  readonly #options: RetentionOptions;

  constructor(options: RetentionOptions) {
    this.#options = options;
  }

  /** Deletes what is due; returns how much of each. */
  async runOnce(signal?: AbortSignal): Promise<Retained> {
    const { db, log, eventMs, auditMs } = this.#options;
    const each = (batch: () => Promise<number>) => inBatches(batch, signal);
    const done = {
      // Also on a disk that is nearly full: this is what makes room.
      events: await each(() => db.transaction((tx) => deleteEvents(tx, eventMs), { endsWork: true })),
      auditEntries: await each(() => db.transaction((tx) => deleteAudit(tx, auditMs), { endsWork: true })),
      keys: (await each(() => this.#deletePlainKeys())) + (await this.#deleteCallKeys(signal)),
      commitRecords: await each(() => this.#deleteCommitRecords()),
      leases: await each(() => this.#deleteLeases()),
    };
    log.info(done, 'retention');
    return done;
  }

  async #deletePlainKeys(): Promise<number> {
    const sql = 'DELETE FROM idempotency_key WHERE expires_at < NOW(3) AND call_id IS NULL LIMIT ?';
    return (await this.#options.db.execute(sql, [batchSize])).affectedRows;
  }

  /** In order of expiry; a key whose call still goes on is passed over. */
  async #deleteCallKeys(signal: AbortSignal | undefined): Promise<number> {
    const { db, endedCalls } = this.#options;
    if (endedCalls === undefined) return 0;
    let deleted = 0;
    let afterId = '';
    for (let batch = 0; batch < mostBatches && signal?.aborted !== true; batch += 1) {
      const rows = await db.query<{ callId: string }>(
        'SELECT call_id AS callId FROM idempotency_key WHERE call_id > ? AND expires_at < NOW(3) ORDER BY call_id LIMIT ?',
        [afterId, batchSize],
      );
      const last = rows.at(-1);
      if (last === undefined) break;
      afterId = last.callId;
      const ended = [...(await endedCalls(rows.map((row) => row.callId)))];
      if (ended.length === 0) continue;
      const marks = ended.map(() => '?').join(', ');
      const sql = `DELETE FROM idempotency_key WHERE call_id IN (${marks}) AND expires_at < NOW(3)`;
      deleted += (await db.execute(sql, ended)).affectedRows;
    }
    return deleted;
  }

  /** A day longer than tokens are answered for, so that "purged" is never taken for "lost". */
  async #deleteCommitRecords(): Promise<number> {
    const sql = 'DELETE FROM commit_record WHERE at < NOW(3) - INTERVAL ? SECOND - INTERVAL 1 DAY ORDER BY at LIMIT ?';
    return (await this.#options.db.execute(sql, [commitRecordKeptMs / 1000, batchSize])).affectedRows;
  }

  async #deleteLeases(): Promise<number> {
    const sql = 'DELETE FROM lease WHERE expires_at < NOW(3) - INTERVAL ? HOUR ORDER BY name LIMIT ?';
    return (await this.#options.db.execute(sql, [leaseKeptHours, batchSize])).affectedRows;
  }
}

async function inBatches(batch: () => Promise<number>, signal: AbortSignal | undefined): Promise<number> {
  let total = 0;
  for (let count = 0; count < mostBatches && signal?.aborted !== true; count += 1) {
    const deleted = await batch();
    total += deleted;
    if (deleted < batchSize) break;
  }
  return total;
}

/**
 * Raises oldest_seq and deletes in one transaction, in order. The newest event stays, however old: it proves to readers
 * at the end of the stream that their place is what it was.
 */
async function deleteEvents(tx: Transaction, keptMs: number): Promise<number> {
  const [bounds] = await tx.query<{ oldest: number; next: number }>(
    'SELECT oldest_seq AS oldest, next_seq AS next FROM status_sequencer WHERE id = 1 FOR UPDATE',
  );
  if (bounds === undefined) return 0;
  const rows = await tx.query<{ seq: number; old: number }>(
    'SELECT seq, at < NOW(3) - INTERVAL ? SECOND AS old FROM status_change WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?',
    [keptMs / 1000, bounds.oldest, bounds.next - 1, batchSize],
  );
  // Up to the first that is still young: a gap in what is kept would look like a loss.
  const young = rows.findIndex((row) => row.old === 0);
  const last = rows.at((young === -1 ? rows.length : young) - 1);
  if (young === 0 || last === undefined) return 0;
  await tx.execute('UPDATE status_sequencer SET oldest_seq = ? WHERE id = 1', [last.seq + 1]);
  return (await tx.execute('DELETE FROM status_change WHERE seq >= ? AND seq <= ?', [bounds.oldest, last.seq]))
    .affectedRows;
}

/** The hash of the last entry deleted becomes the chain's base, so that what is left can still be verified. */
async function deleteAudit(tx: Transaction, keptMs: number): Promise<number> {
  const [chain] = await tx.query<{ first: number; next: number }>(
    'SELECT first_position AS first, next_position AS next FROM audit_chain WHERE id = 1 FOR UPDATE',
  );
  if (chain === undefined) return 0;
  const rows = await tx.query<{ position: number; hash: string; old: number }>(
    'SELECT position, hash, at < NOW(3) - INTERVAL ? SECOND AS old FROM audit_entry WHERE position >= ? AND position < ? ORDER BY position LIMIT ?',
    [keptMs / 1000, chain.first, chain.next, batchSize],
  );
  const young = rows.findIndex((row) => row.old === 0);
  const last = rows.at((young === -1 ? rows.length : young) - 1);
  if (young === 0 || last === undefined) return 0;
  await tx.execute('UPDATE audit_chain SET first_position = ?, base_hash = ? WHERE id = 1', [
    last.position + 1,
    last.hash,
  ]);
  const sql = 'DELETE FROM audit_entry WHERE position >= ? AND position <= ?';
  return (await tx.execute(sql, [chain.first, last.position])).affectedRows;
}
