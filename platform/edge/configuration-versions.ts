// The history of an object's settings: a row for each change, written in the transaction of the change. So no change lacks its row, and no row
// tells of a change that was rolled back. A subgraph says how the settings of its kinds are read (`ConfigurationReaders`).
import type { Identity } from '../caller/identity.ts';
import type { Sql, SqlValue, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { trustedNow } from '../leases/trusted-clock.ts';
import { newUuid } from '../values/ids.ts';
import { canonicalJson, type JsonObject } from '../values/json.ts';

/** The settings of one object as they are in the transaction. */
export interface Configuration {
  /** Its type in the graph. */
  readonly subject: string;
  /** UUID. */
  readonly id: string;
  /** UUID of the object whose history shows it: the load balancer of a pool. Default: its own. */
  readonly rootId?: string;
  /** UUID. Null if the object belongs to the installation. */
  readonly projectId: string | null;
  readonly name: string;
  /** What `expectedVersion` of its mutations is compared with. 0 if that also counts changes of status, which nobody records here. */
  readonly version: number;
  /** The input that would create it, without secrets. Null if it was deleted. */
  readonly settings: JsonObject | null;
}

/**
 * Reads the settings of the object with this UUID, and of its parts that the transaction may have changed. An object that is not
 * among them no longer exists.
 */
export type ConfigurationReader = (sql: Sql, id: string) => Promise<Configuration[]>;
/** By type in the graph. */
export type ConfigurationReaders = Readonly<Record<string, ConfigurationReader>>;

/** Who made the change, and with which request. */
export interface ChangeOrigin {
  readonly identity: Pick<Identity, 'kind' | 'id' | 'name'> | null;
  /** Null for settings that were found before the first recorded change. */
  readonly mutation: string | null;
  readonly requestId: string | null;
  /** Secret fields that the change sets. */
  readonly secretsSet: readonly string[];
}

/** Most versions that are kept of one object: the oldest are deleted. */
const mostVersions = 100;
const rowsAtOnce = 200;
const nobody = { kind: 'anonymous', id: null, name: '' };

interface Latest extends Configuration {
  readonly number: number;
}

/** Records an object's present settings if it has no version yet: its history then begins before its first recorded change. */
export async function keepFirstVersion(
  tx: Transaction,
  reader: ConfigurationReader,
  { subject, id }: Pick<Configuration, 'subject' | 'id'>,
): Promise<void> {
  const [known] = await tx.query(
    'SELECT 1 FROM configuration_version WHERE subject_id = ? AND subject_type = ? LIMIT 1',
    [id, subject],
  );
  if (known !== undefined) return;
  const found = (await reader(tx, id)).filter(
    (each) => each.id === id && each.subject === subject && each.settings !== null,
  );
  const origin = { identity: null, mutation: null, requestId: null, secretsSet: [] };
  await insertVersions(
    tx,
    found.map((each) => rowOf(each, 1, origin)),
  );
}

/** Records what a mutation changed. Call it after the effect, in the same transaction, under the locks of the effect. */
export async function keepVersions(
  tx: Transaction,
  reader: ConfigurationReader,
  { subject, id }: Pick<Configuration, 'subject' | 'id'>,
  origin: ChangeOrigin,
): Promise<void> {
  const isNamed = (each: Configuration) => each.id === id && each.subject === subject;
  const found = await reader(tx, id);
  const isGone = !found.some((each) => isNamed(each) && each.settings !== null);
  const latest = new Map(
    (await latestOf(tx, [id, ...found.map((each) => each.id)])).map((each) => [keyOf(each), each]),
  );
  const known = new Set(found.map(keyOf));
  for (const each of isGone ? await liveBelow(tx, id) : []) {
    latest.set(keyOf(each), each);
    if (!known.has(keyOf(each))) found.push({ ...each, settings: null });
  }
  const before = (each: Configuration) => latest.get(keyOf(each));
  // Secrets are set on the object that the mutation names. Their change is one even if nothing else changed.
  const changed = found.filter(
    (each) => isChange(each, before(each)) || (isNamed(each) && each.settings !== null && origin.secretsSet.length > 0),
  );
  // The named object comes first: what its parts were before its deletion is older than that.
  changed.sort((one, other) => Number(isNamed(other)) - Number(isNamed(one)));
  const rows = changed.map((each) =>
    rowOf(each, (before(each)?.number ?? 0) + 1, isNamed(each) ? origin : { ...origin, secretsSet: [] }),
  );
  await insertVersions(tx, rows);
  // Written again with the same settings: what is recorded holds for the new version of the object.
  for (const each of found.filter((found) => !changed.includes(found) && found.settings !== null)) {
    const last = before(each);
    if (last !== undefined && last.version !== each.version)
      await tx.execute(
        'UPDATE configuration_version SET object_version = ? WHERE subject_id = ? AND subject_type = ? AND number = ?',
        [each.version, each.id, each.subject, last.number],
      );
  }
  for (const { each, number } of rows)
    if (number > mostVersions)
      await tx.execute('DELETE FROM configuration_version WHERE subject_id = ? AND subject_type = ? AND number <= ?', [
        ...[each.id, each.subject, number - mostVersions],
      ]);
}

/** Deletes up to `most` versions that are older, but for the newest of each object that exists. Returns how many. */
export async function purgeVersions(sql: Sql, keptMs: number, most: number): Promise<number> {
  const rows = await sql.query<{ id: string }>(
    `SELECT v.id FROM configuration_version v WHERE v.at < ${trustedNow} - INTERVAL ? SECOND AND (v.settings IS NULL OR EXISTS (
      SELECT 1 FROM configuration_version n WHERE n.subject_id = v.subject_id AND n.subject_type = v.subject_type AND n.number > v.number
    )) ORDER BY v.at LIMIT ?`,
    [keptMs / 1000, most],
  );
  const ids = rows.map(({ id }) => id);
  if (ids.length > 0) await sql.execute(`DELETE FROM configuration_version WHERE id IN (${marksFor(ids)})`, ids);
  return ids.length;
}

/** With the project ends the history of its objects. */
export async function forgetVersionsOf(tx: Transaction, projectId: string): Promise<void> {
  await tx.execute('DELETE FROM configuration_version WHERE project_id = ?', [projectId]);
}

function keyOf({ subject, id }: Pick<Configuration, 'subject' | 'id'>): string {
  return `${subject}:${id}`;
}

function isChange({ settings }: Configuration, latest: Latest | undefined): boolean {
  if (settings === null || latest === undefined) return settings !== null || latest?.settings != null;
  return canonicalJson(settings) !== canonicalJson(latest.settings);
}

async function latestOf(tx: Transaction, ids: readonly string[]): Promise<readonly Latest[]> {
  const different = [...new Set(ids)];
  return selectLatest(tx, `subject_id IN (${marksFor(different)})`, different);
}

/** The object and its parts, as they were before they were deleted. */
async function liveBelow(tx: Transaction, id: string): Promise<readonly Latest[]> {
  const parts = await tx.query<{ id: string }>(
    'SELECT DISTINCT subject_id AS id FROM configuration_version WHERE subject_id = ? OR root_id = ?',
    [id, id],
  );
  if (parts.length === 0) return [];
  const found = await latestOf(
    tx,
    parts.map((each) => each.id),
  );
  return found.filter(({ settings }) => settings !== null);
}

async function selectLatest(tx: Transaction, where: string, values: readonly SqlValue[]): Promise<readonly Latest[]> {
  const rows = await tx.query<Omit<Latest, 'settings'> & { readonly settings: string | null }>(
    `SELECT v.subject_type AS subject, v.subject_id AS id, v.number, v.root_id AS rootId, v.project_id AS projectId, v.name,
      v.object_version AS version, v.settings
    FROM configuration_version v JOIN (
      SELECT subject_id, subject_type, MAX(number) AS number FROM configuration_version WHERE ${where} GROUP BY subject_id, subject_type
    ) l ON l.subject_id = v.subject_id AND l.subject_type = v.subject_type AND l.number = v.number`,
    values,
  );
  return rows.map((row) => ({
    ...row,
    settings: row.settings === null ? null : (JSON.parse(row.settings) as JsonObject),
  }));
}

interface Row {
  readonly each: Configuration;
  readonly number: number;
  readonly values: readonly SqlValue[];
}

function rowOf(found: Configuration, number: number, origin: ChangeOrigin): Row {
  const { subject, id, rootId = id, projectId, name, version, settings } = found;
  const { identity, mutation, requestId, secretsSet } = origin;
  const actor = identity ?? nobody;
  return {
    ...{ each: found, number },
    values: [
      ...[newUuid(), subject, id, number, rootId, projectId, name, version],
      ...[settings === null ? null : canonicalJson(settings), secretsSet.join(), mutation],
      ...[actor.kind, actor.id, actor.name, requestId],
    ],
  };
}

async function insertVersions(tx: Transaction, rows: readonly Row[]): Promise<void> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) {
    const some = rows.slice(at, at + rowsAtOnce);
    const marks = some.map(({ values }) => `(${marksFor(values)})`).join(', ');
    await tx.execute(
      `INSERT INTO configuration_version (id, subject_type, subject_id, number, root_id, project_id, name, object_version, settings,
        secrets_set, mutation, actor_kind, actor_id, actor_name, request_id) VALUES ${marks}`,
      some.flatMap(({ values }) => values),
    );
  }
}
