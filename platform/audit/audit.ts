// The audit trail: one entry for each mutation, written in the mutation's transaction and never changed. A separate process
// chains the entries by hashes (audit/sealer.ts), because chaining in each transaction would make writers queue.

import { createHash } from 'node:crypto';
import type { Identity } from '../caller/identity.ts';
import type { Sql, SqlValue } from '../database/database.ts';
import { isSecretName } from '../values/secret-names.ts';

interface HostActor {
  readonly kind: 'host';
  readonly id: null;
  /** `user@host`, or the host. */
  readonly name: string;
}

export interface AuditRecord {
  /** Null before login. `host` means that the action was requested on a host of the cluster, not in the graph. */
  readonly identity: Pick<Identity, 'kind' | 'id' | 'name'> | HostActor | null;
  /** The mutation's name. */
  readonly action: string;
  /** UUID. */
  readonly projectId: string | null;
  readonly subjectType?: string;
  /** UUID. */
  readonly subjectId?: string;
  readonly outcome: 'ACCEPTED' | 'REFUSED';
  /** The first error's code, when refused. */
  readonly code?: string;
  readonly requestId: string;
  readonly callerRequestId?: string | undefined;
  /** The input; secrets are taken out here. */
  readonly details: unknown;
}

const longestText = 1_024;
const longestDetails = 65_536;
/** Refusals cost the sender nothing, so their number is limited: they must not fill the disk. */
const longestRefused = 2_048;
const excerptLength = 1_024;
const deepest = 12;
const secret = '•••';

/** Writes an entry: inside the mutation's transaction if the mutation is accepted, outside if it is refused. */
export async function audit(sql: Sql, record: AuditRecord): Promise<void> {
  await sql.execute(`${insert} ${row}`, valuesOf(record));
}

/** Writes several entries in one statement: one request may change several subjects. */
export async function auditAll(sql: Sql, records: readonly AuditRecord[]): Promise<void> {
  if (records.length === 0) return;
  await sql.execute(`${insert} ${records.map(() => row).join(', ')}`, records.flatMap(valuesOf));
}

const insert =
  'INSERT INTO audit_entry (project_id, actor_kind, actor_id, actor_name, action, subject_type, subject_id, outcome, code, request_id, caller_request_id, details) VALUES';
const row = '(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)';

function valuesOf(record: AuditRecord): SqlValue[] {
  const { identity } = record;
  return [
    record.projectId,
    identity?.kind ?? 'anonymous',
    identity?.id ?? null,
    identity?.name ?? '',
    record.action,
    record.subjectType ?? null,
    record.subjectId ?? null,
    record.outcome,
    record.code ?? null,
    record.requestId.slice(0, 64),
    record.callerRequestId ?? null,
    detailsText(record.details, record.outcome),
  ];
}

/** A copy of an input for the audit trail: secrets replaced, long texts cut, depth bounded. */
export function redactInput(input: unknown): unknown {
  return redact(input, 0);
}

function redact(value: unknown, depth: number): unknown {
  if (typeof value === 'string')
    return value.length > longestText ? `${value.slice(0, longestText)}… (${value.length} characters)` : value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (depth >= deepest) return '… (too deep)';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      isSecretName(name) && member !== null && member !== undefined ? secret : redact(member, depth + 1),
    ]),
  );
}

function detailsText(details: unknown, outcome: AuditRecord['outcome']): string {
  const text = JSON.stringify(redactInput(details)) ?? 'null';
  if (text.length <= (outcome === 'REFUSED' ? longestRefused : longestDetails)) return text;
  // The hash covers the redacted copy: it identifies equal requests and reveals no secret.
  const sha256 = createHash('sha256').update(text).digest('hex');
  return JSON.stringify({ excerpt: text.slice(0, excerptLength), characters: text.length, sha256 });
}
