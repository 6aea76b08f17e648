// The database's final state: every operation with its mapping, and the operation of each idempotency key.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../platform/database/database.ts';
import type { JournalRow } from './verdict.ts';

const pollMs = 250;

/** Waits until every operation has ended. It stops at the deadline, and the judge reports operations that have not ended. */
export async function untilEnded(db: Database, deadlineMs: number): Promise<void> {
  const untilMs = performance.now() + deadlineMs;
  while (performance.now() < untilMs) {
    const open = await db.query("SELECT 1 FROM operation WHERE state IN ('PENDING', 'SENT') LIMIT 1");
    if (open.length === 0) return;
    await sleep(pollMs);
  }
}

/** All operations, or those of keys with this prefix. */
export async function readJournal(db: Database, prefix = ''): Promise<JournalRow[]> {
  const rows = await db.query<JournalRow & { sentAt: Date | null; deadlineAt: Date | null }>(
    `SELECT o.id, o.cmp_id AS \`key\`, o.state, o.error_code AS errorCode, o.settled_by AS settledBy, o.owner,
      o.sent_at AS sentAt, o.deadline_at AS deadlineAt, m.state AS mappingState
    FROM operation o LEFT JOIN mapping m ON m.operation_id = o.id
    WHERE o.cmp_id LIKE ? ORDER BY o.id`,
    [`${prefix}%`],
  );
  return rows.map(({ sentAt, deadlineAt, ...row }) => ({
    ...row,
    sentAtMs: sentAt?.getTime() ?? null,
    deadlineAtMs: deadlineAt?.getTime() ?? null,
  }));
}

/** The operation of each of these keys. */
export async function readKeys(db: Database, keys: Iterable<string>): Promise<Map<string, string>> {
  const rows = await db.query<{ hash: string; callId: string }>(
    'SELECT key_hash AS hash, call_id AS callId FROM idempotency_key WHERE call_id IS NOT NULL',
  );
  const byHash = new Map(rows.map((row) => [row.hash, row.callId]));
  const found = new Map<string, string>();
  for (const key of keys) {
    const callId = byHash.get(createHash('sha256').update(key).digest('hex'));
    if (callId !== undefined) found.set(key, callId);
  }
  return found;
}
