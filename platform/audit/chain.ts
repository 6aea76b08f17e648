// The chain of the audit trail: each sealed entry carries a hash over its content and the hash before it.
import { createHash } from 'node:crypto';
import type { AuditEntry } from './trail.ts';

/** The hashed content of an entry: every stored field. */
export type HashedEntry = Omit<AuditEntry, 'position' | 'previousHash' | 'hash'>;

export const entryColumns =
  'id, at, project_id AS projectId, actor_kind AS actorKind, actor_id AS actorId, actor_name AS actorName, action, subject_type AS subjectType, subject_id AS subjectId, outcome, code, request_id AS requestId, caller_request_id AS callerRequestId, details';

/** SHA-256, hexadecimal, over the previous hash, the position in the chain and the content. */
export function entryHash(entry: HashedEntry, position: number, previousHash: string): string {
  const content = JSON.stringify([
    previousHash,
    position,
    entry.id,
    entry.at.toISOString(),
    entry.projectId,
    entry.actorKind,
    entry.actorId,
    entry.actorName,
    entry.action,
    entry.subjectType,
    entry.subjectId,
    entry.outcome,
    entry.code,
    entry.requestId,
    entry.details,
    // Entries from before there was one have the hash that they had.
    ...(entry.callerRequestId === null ? [] : [entry.callerRequestId]),
  ]);
  return createHash('sha256').update(content).digest('hex');
}
