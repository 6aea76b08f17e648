// SQL for the publisher: the desired record sets, and the recorded results.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { type ClaimedJob, owe } from '../../platform/owed/owed-work.ts';
import type { Wake } from '../../platform/work/wake.ts';
import type { RecordSet } from '../records/record-set.ts';
import { columns, oweFollowUp, publishKind, type Raw, textOf, toRecordSet } from '../records/record-store.ts';
import { type DnsError, dnsErrors } from '../servers/dns-error.ts';
import type { WantedName } from '../servers/record-server.ts';

export async function readById(db: Sql, id: string): Promise<RecordSet | undefined> {
  const [raw] = await db.query<Raw>(`SELECT ${columns} FROM dns_record_set WHERE id = ?`, [id]);
  return raw === undefined ? undefined : toRecordSet(raw);
}

async function lockById(tx: Transaction, id: string): Promise<RecordSet | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM dns_record_set WHERE id = ? FOR UPDATE`, [id]);
  return raw === undefined ? undefined : toRecordSet(raw);
}

export interface ZoneRow {
  readonly name: string;
  readonly writer: string;
  readonly backendId: string | null;
  readonly lookedTo: string | null;
}

export async function readZone(db: Sql, name: string): Promise<ZoneRow | undefined> {
  const sql = 'SELECT name, writer, backend_id AS backendId, looked_to AS lookedTo FROM dns_zone WHERE name = ?';
  return (await db.query<ZoneRow>(sql, [name]))[0];
}

export async function zoneNames(db: Sql): Promise<readonly string[]> {
  return (await db.query<{ name: string }>('SELECT name FROM dns_zone ORDER BY name')).map(({ name }) => name);
}

export async function zonesOfBackend(db: Sql, backendId: string | null): Promise<readonly string[]> {
  const sql = 'SELECT name FROM dns_zone WHERE backend_id <=> ? ORDER BY name';
  return (await db.query<{ name: string }>(sql, [backendId])).map(({ name }) => name);
}

/** Names that not all servers have, in order. */
export async function pageOfUnpublished(
  db: Sql,
  zone: string,
  after: string | null,
  take: number,
): Promise<readonly { readonly id: string; readonly name: string }[]> {
  const sql =
    'SELECT id, name FROM dns_record_set WHERE zone = ? AND name > ? AND published_generation < generation ORDER BY name LIMIT ?';
  return db.query(sql, [zone, after ?? '', take]);
}

/** Owes the publication of all names of a zone that not all servers have. */
export async function oweUnpublished(tx: Transaction, wake: Wake, zone: string): Promise<void> {
  const sql = 'SELECT id FROM dns_record_set WHERE zone = ? AND published_generation < generation';
  for (const { id } of await tx.query<{ id: string }>(sql, [zone])) await owePublication(tx, wake, id);
}

export async function recordDriftCheck(tx: Transaction, zone: string, lookedTo: string | null): Promise<void> {
  await tx.execute('UPDATE dns_zone SET looked_to = ? WHERE name = ?', [lookedTo, zone]);
}

/** Names that the servers know, in order. */
export async function pageOfSets(db: Sql, zone: string, after: string | null, take: number): Promise<RecordSet[]> {
  const sql = `SELECT ${columns} FROM dns_record_set WHERE zone = ? AND name > ? AND generation > 0 ORDER BY name LIMIT ?`;
  return (await db.query<Raw>(sql, [zone, after ?? '', take])).map(toRecordSet);
}

/** Desired state of a server, read from `set` at `readAtMs` (Unix milliseconds). `job`: the job that may change the server. */
export function wantedOf(
  set: RecordSet,
  writer: string,
  readAtMs: number,
  job?: Pick<ClaimedJob, 'isHeld'>,
): WantedName {
  const { zone, name, owner, generation, records, ttlSeconds, publishedRecords } = set;
  const earlierRecords = publishedRecords;
  return {
    zone,
    name,
    writer,
    owner,
    generation,
    records,
    ttlSeconds,
    earlierRecords,
    readAtMs,
    isHeld: job?.isHeld ?? (() => false),
  };
}

/** All servers that have not failed answer that generation. `lacking`: the reason why a failed one does not. */
export async function recordAnswered(
  tx: Transaction,
  wake: Wake,
  id: string,
  { generation }: WantedName,
  lacking: DnsError,
): Promise<void> {
  const sql = 'UPDATE dns_record_set SET answered_generation = ? WHERE id = ? AND answered_generation < ?';
  const { affectedRows } = await tx.execute(sql, [generation, id, generation]);
  await recordFailure(tx, wake, id, lacking, affectedRows > 0);
}

/** All servers answer that generation. The owner's follow-up work is owed if that is news. */
export async function recordPublished(
  tx: Transaction,
  wake: Wake,
  id: string,
  { generation, records }: WantedName,
): Promise<void> {
  const set = await lockById(tx, id);
  if (set === undefined) return;
  const isNews = generation > set.publishedGeneration;
  if (!isNews && set.error === null) return;
  if (isNews)
    await tx.execute(
      `UPDATE dns_record_set SET published_generation = ?, published_records = ?, published_at = NOW(3),
        answered_generation = GREATEST(answered_generation, ?) WHERE id = ?`,
      [generation, textOf(records), generation, id],
    );
  await tx.execute('UPDATE dns_record_set SET error_code = NULL, error = NULL, failing_since = NULL WHERE id = ?', [
    id,
  ]);
  await oweFollowUp(tx, wake, set);
}

/** Records a failed attempt. The owner's follow-up work is owed when the reason changed, or other news exists. */
export async function recordFailure(
  tx: Transaction,
  wake: Wake,
  id: string,
  failure: DnsError,
  isNews = false,
): Promise<void> {
  const set = await lockById(tx, id);
  if (set === undefined) return;
  await tx.execute(
    'UPDATE dns_record_set SET error_code = ?, error = ?, failing_since = COALESCE(failing_since, NOW(3)) WHERE id = ?',
    [failure.code, `${failure.message}. ${dnsErrors[failure.code]}`.slice(0, 1024), id],
  );
  if (isNews || set.error?.code !== failure.code) await oweFollowUp(tx, wake, set);
}

/** Called when a server has a newer generation than the database, after a failover that lost writes: ours becomes the newest. */
export async function overtake(tx: Transaction, id: string, generation: number): Promise<void> {
  const sql = 'UPDATE dns_record_set SET generation = ? WHERE id = ? AND generation < ?';
  await tx.execute(sql, [generation + 1, id, generation]);
}

/** Deletes the row of a name that no server has any more, unless it was declared again. */
export async function deleteWithdrawn(tx: Transaction, { id, generation }: RecordSet): Promise<void> {
  await tx.execute('DELETE FROM dns_record_set WHERE id = ? AND generation = ? AND withdrawn = 1', [id, generation]);
}

/** Time since a withdrawn name was published as such, by the database's clock. */
export async function withdrawnForMs(db: Sql, id: string): Promise<number> {
  const sql = 'SELECT TIMESTAMPDIFF(MICROSECOND, published_at, NOW(3)) DIV 1000 AS ms FROM dns_record_set WHERE id = ?';
  return (await db.query<{ ms: number | null }>(sql, [id]))[0]?.ms ?? 0;
}

/** Number of names that could not be published at the last attempt, and the error of the longest-waiting one. */
export async function failingNames(db: Sql): Promise<{ readonly count: number; readonly reason: string | undefined }> {
  const failing = 'FROM dns_record_set WHERE failing_since IS NOT NULL';
  const [row] = await db.query<{ count: number }>(`SELECT COUNT(*) AS count ${failing}`);
  const [first] = await db.query<{ error: string }>(`SELECT error ${failing} ORDER BY failing_since LIMIT 1`);
  return { count: row?.count ?? 0, reason: first?.error };
}

export function owePublication(tx: Transaction, wake: Wake, id: string, dueInMs = 0): Promise<void> {
  return owe(tx, publishKind, id, { dueInMs }, wake);
}
