// Last known state of each server. A failed server is skipped until it answers again, so that it delays no other server. When it returns, it receives
// the changes it missed, and only then do names count as published again. A server without a row has never failed.
import { createHash } from 'node:crypto';
import type { Database, Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import { appendStatus } from '../../platform/events/append.ts';
import { owe } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import { type DnsError, type DnsErrorCode, dnsErrors } from '../servers/dns-error.ts';
import type { RecordServer } from '../servers/record-server.ts';
import { dnsEvents } from './events.ts';

/** Owed for a failed server (UUID) until it has caught up. */
export const serverKind = 'dns-server';

export type ServerState = 'SERVING' | 'FAILING' | 'RETURNING';

export interface ServerRow {
  readonly id: string;
  /** Null for a server in the settings. */
  readonly backendId: string | null;
  readonly place: string;
  readonly state: ServerState;
  readonly epoch: number;
  readonly seenAt: Date | null;
  readonly failingSince: Date | null;
  readonly errorCode: string | null;
  readonly error: string | null;
}

/** A server with its row's id. */
export interface KnownServer {
  readonly id: string;
  readonly backendId: string | null;
  readonly server: RecordServer;
  /** It is the server of that timeline's primary, and counts as long as the timeline. */
  readonly epoch?: number;
}

/** Errors of the server as a whole. Others concern one name or one zone. */
const serverFaults: ReadonlySet<DnsErrorCode> = new Set<DnsErrorCode>([
  ...(['UNREACHABLE', 'TIMED_OUT', 'BAD_KEY', 'BAD_SIGNATURE', 'BAD_TIME', 'EGRESS_DENIED'] as const),
  ...(['UNAUTHORIZED', 'BAD_CERTIFICATE'] as const),
]);

export function isServerFault({ code }: DnsError): boolean {
  return serverFaults.has(code);
}

/** Deterministic (RFC 9562 version 8), so that no process has to create the row first. */
export function serverId(backendId: string | null, place: string): string {
  const hex = createHash('sha256')
    .update(`${backendId ?? ''}\n${place}`)
    .digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

export function knownServers(backendId: string | null, servers: readonly RecordServer[]): readonly KnownServer[] {
  return servers.map((server) => ({ id: serverId(backendId, server.name), backendId, server }));
}

const columns = `id, backend_id AS backendId, place, state, epoch, seen_at AS seenAt, failing_since AS failingSince,
  error_code AS errorCode, error`;

/** Servers that have ever failed, by id. */
export async function readServers(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, ServerRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<ServerRow>(`SELECT ${columns} FROM dns_server WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, row]));
}

/** The server has failed. The work on its return is owed if that is news. */
export async function recordServerFailure(
  db: Database,
  wake: Wake,
  { id, backendId, server }: KnownServer,
  failure: DnsError,
): Promise<void> {
  await db.transaction(async (tx) => {
    const text = `${failure.message}. ${dnsErrors[failure.code]}`.slice(0, 1024);
    // Locks the row, and creates it before its first failure.
    await tx.execute(
      `INSERT INTO dns_server (id, backend_id, place, state) VALUES (?, ?, ?, 'SERVING') ON DUPLICATE KEY UPDATE place = VALUES(place)`,
      [id, backendId, server.name],
    );
    await tx.execute(
      `UPDATE dns_server SET epoch = epoch + 1, failing_since = COALESCE(failing_since, NOW(3)), error_code = ?, error = ? WHERE id = ?`,
      [failure.code, text, id],
    );
    await moveTo(tx, wake, id, 'FAILING', text);
    await owe(tx, serverKind, id, {}, wake);
  });
}

/** The server answers again. From now on it gets every change, but does not count yet. Returns its row. Undefined if it has not failed. */
export async function beginReturn(db: Database, wake: Wake, id: string): Promise<ServerRow | undefined> {
  return db.transaction(async (tx) => {
    const { affectedRows } = await tx.execute(
      "UPDATE dns_server SET seen_at = NOW(3) WHERE id = ? AND state IN ('FAILING', 'RETURNING')",
      [id],
    );
    if (affectedRows > 0) await moveTo(tx, wake, id, 'RETURNING');
    return (await readServers(tx, [id])).get(id);
  });
}

/** The server has caught up. False if it failed again since `beginReturn`. */
export async function endReturn(
  tx: Transaction,
  wake: Wake,
  { id, epoch }: Pick<ServerRow, 'id' | 'epoch'>,
): Promise<boolean> {
  const { affectedRows } = await tx.execute(
    `UPDATE dns_server SET seen_at = NOW(3), failing_since = NULL, error_code = NULL, error = NULL
      WHERE id = ? AND state = 'RETURNING' AND epoch = ?`,
    [id, epoch],
  );
  if (affectedRows === 1) await moveTo(tx, wake, id, 'SERVING');
  return affectedRows === 1;
}

/** Emits one event if the state changes. Runs in the transaction that has locked the row. */
async function moveTo(tx: Transaction, wake: Wake, id: string, to: ServerState, why?: string): Promise<void> {
  const [row] = await tx.query<{ state: ServerState; place: string; version: number }>(
    'SELECT state, place, version FROM dns_server WHERE id = ?',
    [id],
  );
  if (row === undefined || row.state === to) return;
  await tx.execute('UPDATE dns_server SET state = ?, version = version + 1 WHERE id = ?', [to, id]);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version + 1 };
  const reason = why === undefined ? row.place : `${row.place}: ${why}`;
  await appendStatus(
    tx,
    dnsEvents,
    [{ ...subject, kind: 'dnsBackendServer.state', from: row.state, to, reason }],
    wake,
  );
}

export async function deleteServer(tx: Transaction, id: string): Promise<void> {
  await tx.execute('DELETE FROM dns_server WHERE id = ?', [id]);
}

/** Number of failing servers, and the error of the one that has failed the longest. */
export async function failingServers(
  db: Sql,
): Promise<{ readonly count: number; readonly reason: string | undefined }> {
  const failing = "FROM dns_server WHERE state <> 'SERVING'";
  const [row] = await db.query<{ count: number }>(`SELECT COUNT(*) AS count ${failing}`);
  const [first] = await db.query<{ place: string; error: string }>(
    `SELECT place, error ${failing} ORDER BY failing_since LIMIT 1`,
  );
  return { count: row?.count ?? 0, reason: first === undefined ? undefined : `${first.place}: ${first.error}` };
}
