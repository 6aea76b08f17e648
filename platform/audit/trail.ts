// Reads the audit trail: pages, and a full export, oldest first. The export includes the hashes, so it can be
// verified elsewhere.

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import type { Identity } from '../caller/identity.ts';
import { always, type Sql } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import type { ListTable } from '../pages/entity-list.ts';

export interface AuditEntry {
  readonly id: number;
  /** Place in the sealed chain; null until it is sealed. */
  readonly position: number | null;
  readonly at: Date;
  /** UUID. */
  readonly projectId: string | null;
  readonly actorKind: Identity['kind'] | 'host' | 'anonymous';
  readonly actorId: string | null;
  readonly actorName: string;
  readonly action: string;
  readonly subjectType: string | null;
  /** UUID. */
  readonly subjectId: string | null;
  readonly outcome: 'ACCEPTED' | 'REFUSED';
  readonly code: string | null;
  readonly requestId: string | null;
  readonly callerRequestId: string | null;
  /** JSON text. */
  readonly details: string;
  readonly previousHash: string | null;
  readonly hash: string | null;
}

const columns = `id, position, at, project_id AS projectId, actor_kind AS actorKind, actor_id AS actorId,
  actor_name AS actorName, action, subject_type AS subjectType, subject_id AS subjectId, outcome, code,
  request_id AS requestId, caller_request_id AS callerRequestId, details, previous_hash AS previousHash, hash`;

const exportPageSize = 1_000;

/** Entries without a project are only in the list of all. */
export const auditList: ListTable = {
  ...{ table: 'audit_entry', numeric: true, shown: always },
  all: { time: 'PRIMARY' },
  ofProject: { time: 'audit_entry_project_idx' },
};

/** The entries of one object, of all projects: few belong to others. */
export const auditOfSubjectList: ListTable = {
  ...{ table: 'audit_entry', numeric: true, shown: always },
  all: { time: 'audit_entry_subject_idx' },
};

/** By id. */
export async function readAuditEntries(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, AuditEntry>> {
  const rows = await db.query<AuditEntry>(
    `SELECT ${columns} FROM audit_entry WHERE id IN (${marksFor(ids)})`,
    ids.map(Number),
  );
  return new Map(rows.map((row) => [String(row.id), row]));
}

/**
 * Writes the entries with `from` <= at < `to`, oldest first, one JSON object a line. Respects back-pressure; does not end the
 * stream. Returns how many were written.
 *
 * A locking read, which waits for entries that are not committed yet. Without it, an entry from before `to` that is committed later
 * would be in neither this export nor the next.
 */
export async function exportAudit(
  db: Sql,
  writable: Writable,
  range: { readonly from?: Date; readonly to?: Date; readonly signal?: AbortSignal } = {},
): Promise<number> {
  const { from, to, signal } = range;
  let written = 0;
  let lastId = 0;
  for (;;) {
    signal?.throwIfAborted();
    const entries = await db.query<AuditEntry>(
      `SELECT ${columns} FROM audit_entry WHERE id > ? ORDER BY id LIMIT ? LOCK IN SHARE MODE`,
      [lastId, exportPageSize],
    );
    for (const entry of entries) {
      lastId = entry.id;
      if ((from !== undefined && entry.at < from) || (to !== undefined && entry.at >= to)) continue;
      if (!writable.write(`${JSON.stringify({ ...entry, details: JSON.parse(entry.details) })}\n`))
        await once(writable, 'drain', signal === undefined ? {} : { signal });
      written += 1;
    }
    if (entries.length < exportPageSize) return written;
  }
}
