// SQL for backends, their labels and their sealed credentials.

import { newestTimelineSql } from '../../../../platform/database/commits.ts';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import type { CryptoProfile } from '../../../../platform/net/tls-profiles.ts';
import { mayRepeatLostSql } from '../../../../platform/restore/timelines.ts';
import type { Sealed } from '../../../../platform/secrets/seal.ts';
import type { Family } from '../../drivers/driver.ts';
import type { BackendRow } from './backend.ts';

const columns = `b.id, b.project_id AS projectId, b.name, b.family, b.driver, b.ordinal, b.site, b.host, b.port,
  b.concurrency, b.queue_limit AS queueLimit, b.deadline_ms AS deadlineMs, b.crypto_profile AS cryptoProfile,
  b.allow_init AS allowInit, b.separate_objects AS separateObjects, b.host_key_sha256 AS hostKeySha256,
  b.certificate_sha256 AS certificateSha256, b.ca_certificates AS caCertificates, b.options,
  b.presented_kind AS presentedKind, b.presented_sha256 AS presentedSha256, b.provisioning_status AS provisioningStatus,
  b.operating_status AS operatingStatus, b.checked_at AS checkedAt, b.latency_ms AS latencyMs,
  b.replay_lifted_epoch AS replayLiftedEpoch, b.software_version AS softwareVersion, b.serial, b.health_message AS healthMessage, b.circuit_state AS circuitState,
  b.circuit_since AS circuitSince, b.circuit_reason AS circuitReason, b.circuit_lasting AS circuitLasting,
  TIMESTAMPDIFF(MICROSECOND, b.circuit_since, NOW(3)) DIV 1000 AS circuitAgeMs, b.version, b.settings_version AS settingsVersion, b.created_at AS createdAt, b.updated_at AS updatedAt,
  ${newestTimelineSql} AS timeline`;

/** TINYINT(1) is returned as a number. */
type Raw = Omit<BackendRow, 'allowInit' | 'circuitLasting' | 'separateObjects'> & {
  readonly allowInit: number;
  readonly separateObjects: number;
  readonly circuitLasting: number;
};

function toRow(raw: Raw): BackendRow {
  const { allowInit, separateObjects, circuitLasting } = raw;
  return {
    ...raw,
    allowInit: allowInit === 1,
    separateObjects: separateObjects === 1,
    circuitLasting: circuitLasting === 1,
  };
}

export async function readBackend(sql: Sql, id: string): Promise<BackendRow | undefined> {
  return (await readBackends(sql, [id])).get(id);
}

export interface BackendCount extends Pick<BackendRow, 'driver' | 'operatingStatus' | 'circuitState'> {
  readonly count: number;
}

/** Of enabled backends. */
export function countBackends(sql: Sql): Promise<BackendCount[]> {
  return sql.query<BackendCount>(
    `SELECT driver, operating_status AS operatingStatus, circuit_state AS circuitState, COUNT(*) AS count
     FROM backend WHERE provisioning_status = 'ENABLED' GROUP BY driver, operating_status, circuit_state`,
  );
}

/** Including deleted ones. */
export async function readBackends(sql: Sql, ids: readonly string[]): Promise<Map<string, BackendRow>> {
  if (ids.length === 0) return new Map();
  const rows = await sql.query<Raw>(`SELECT ${columns} FROM backend b WHERE b.id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((row) => [row.id, toRow(row)]));
}

/** Whether calls may repeat ones that the database lost. */
export async function readReplayUncertain(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, boolean>> {
  const rows = await sql.query<{ id: string; uncertain: number }>(
    `SELECT id, ${mayRepeatLostSql('backend.replay_lifted_epoch')} AS uncertain FROM backend WHERE id IN (${marksFor(ids)})`,
    ids,
  );
  return new Map(rows.map(({ id, uncertain }) => [id, uncertain === 1]));
}

/** Whether no other backend has calls that may repeat lost ones. */
export async function lastOfTimeline(tx: Transaction, backendId: string): Promise<boolean> {
  const [row] = await tx.query<{ others: number }>(
    `SELECT EXISTS (SELECT 1 FROM backend WHERE id <> ? AND provisioning_status <> 'DELETED'
      AND ${mayRepeatLostSql('backend.replay_lifted_epoch')}) AS others`,
    [backendId],
  );
  return row?.others === 0;
}

export async function lockBackend(tx: Transaction, id: string): Promise<BackendRow | undefined> {
  const rows = await tx.query<Raw>(`SELECT ${columns} FROM backend b WHERE b.id = ? FOR UPDATE`, [id]);
  return rows[0] && toRow(rows[0]);
}

/** The conditions of a call's selector. */
interface BackendFilter {
  readonly projects: 'all' | readonly string[];
  readonly id?: string | undefined;
  readonly name?: string | undefined;
  readonly family?: string | undefined;
  readonly ordinal?: number | undefined;
  readonly site?: string | undefined;
  readonly label?: { readonly name: string; readonly value: string } | undefined;
  /** Only backends with mappings of this CMP object. */
  readonly livesThere?: { readonly namespace: string; readonly type: string; readonly externalId: string } | undefined;
  readonly take: number;
}

/** By name; without deleted ones. */
export async function matchingBackends(sql: Sql, filter: BackendFilter): Promise<BackendRow[]> {
  const where: string[] = ["b.provisioning_status <> 'DELETED'"];
  const values: SqlValue[] = [];
  const and = (condition: string, ...given: readonly (SqlValue | undefined)[]) => {
    if (given.some((value) => value === undefined)) return;
    where.push(condition);
    values.push(...(given as SqlValue[]));
  };
  if (filter.projects !== 'all') {
    if (filter.projects.length === 0) return [];
    and(`b.project_id IN (${marksFor(filter.projects)})`, ...filter.projects);
  }
  and('b.id = ?', filter.id);
  and('b.name = ?', filter.name);
  and('b.family = ?', filter.family);
  and('b.ordinal = ?', filter.ordinal);
  and('b.site = ?', filter.site);
  and(
    'EXISTS (SELECT 1 FROM backend_label l WHERE l.backend_id = b.id AND l.name = ? AND l.value = ?)',
    filter.label?.name,
    filter.label?.value,
  );
  and(
    `EXISTS (SELECT 1 FROM mapping m WHERE m.backend_id = b.id AND m.namespace = ? AND m.cmp_type = ? AND m.cmp_id = ?
      AND m.project_id = b.project_id AND m.state IN ('ACTIVE', 'UNVERIFIED'))`,
    filter.livesThere?.namespace,
    filter.livesThere?.type,
    filter.livesThere?.externalId,
  );
  const rows = await sql.query<Raw>(
    `SELECT ${columns} FROM backend b WHERE ${where.join(' AND ')} ORDER BY b.name, b.id LIMIT ${filter.take}`,
    values,
  );
  return rows.map(toRow);
}

/** At most so many of each kind are compared with a name that is not there. */
const mostCompared = 50;

/** Names of backends for a message about another name: some that begin like it, and some others. Two short ranges of an index. */
export async function namesAround(sql: Sql, projects: 'all' | readonly string[], name: string): Promise<string[]> {
  if (projects !== 'all' && projects.length === 0) return [];
  const [inProjects, given] = projects === 'all' ? ['', []] : [`project_id IN (${marksFor(projects)}) AND `, projects];
  const begin = `${name.slice(0, 2).replaceAll(/[\\%_]/g, '\\$&')}%`;
  const rows = await sql.query<{ name: string }>(
    `(SELECT live_name AS name FROM backend WHERE ${inProjects}live_name LIKE ? LIMIT ${mostCompared})
    UNION ALL (SELECT live_name FROM backend WHERE ${inProjects}live_name IS NOT NULL LIMIT ${mostCompared})`,
    [...given, begin, ...given],
  );
  return rows.map((row) => row.name);
}

/** The projects that have, or had, backends; at most 10,000. */
export async function projectsWithBackends(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ id: string }>('SELECT DISTINCT project_id AS id FROM backend LIMIT 10000');
  return rows.map(({ id }) => id);
}

/** The number of live mappings of each backend. */
export async function countLiveMappings(sql: Sql, backendIds: readonly string[]): Promise<Map<string, number>> {
  if (backendIds.length === 0) return new Map();
  const rows = await sql.query<{ backendId: string; live: number }>(
    `SELECT backend_id AS backendId, COUNT(*) AS live FROM mapping
    WHERE backend_id IN (${marksFor(backendIds)}) AND state IN ('ACTIVE', 'UNVERIFIED') GROUP BY backend_id`,
    backendIds,
  );
  return new Map(rows.map((row) => [row.backendId, row.live]));
}

export interface NewBackend {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly family: Family;
  readonly driver: string;
  readonly site: string | null;
  readonly host: string;
  readonly port: number;
  readonly concurrency: number;
  readonly queueLimit: number;
  readonly deadlineMs: number;
  readonly cryptoProfile: CryptoProfile;
  readonly allowInit: boolean;
  readonly separateObjects: boolean;
  readonly hostKeySha256: string | null;
  readonly certificateSha256: string | null;
  readonly caCertificates: string | null;
  /** JSON text. */
  readonly options: string;
}

/**
 * Inserts it with its labels and credentials. Returns the next ordinal of its family; throws the database's duplicate error when
 * the name is taken.
 */
export async function insertBackend(
  tx: Transaction,
  backend: NewBackend,
  labels: readonly LabelRow[],
  credentials: ReadonlyMap<string, Sealed>,
): Promise<void> {
  await tx.execute(
    'INSERT INTO backend_ordinal (project_id, family, next) VALUES (?, ?, 2) ON DUPLICATE KEY UPDATE next = next + 1',
    [backend.projectId, backend.family],
  );
  await tx.execute(
    `INSERT INTO backend (id, project_id, name, live_name, family, driver, ordinal, site, host, port, concurrency,
      queue_limit, deadline_ms, crypto_profile, allow_init, separate_objects, host_key_sha256, certificate_sha256, ca_certificates, options,
      provisioning_status, operating_status)
    SELECT ?, ?, ?, ?, ?, ?, next - 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'ENABLED', 'UNKNOWN'
    FROM backend_ordinal WHERE project_id = ? AND family = ?`,
    [
      backend.id,
      backend.projectId,
      backend.name,
      backend.name,
      backend.family,
      backend.driver,
      backend.site,
      backend.host,
      backend.port,
      backend.concurrency,
      backend.queueLimit,
      backend.deadlineMs,
      backend.cryptoProfile,
      backend.allowInit,
      backend.separateObjects,
      backend.hostKeySha256,
      backend.certificateSha256,
      backend.caCertificates,
      backend.options,
      backend.projectId,
      backend.family,
    ],
  );
  await replaceLabels(tx, backend.id, labels);
  await replaceCredentials(tx, backend.id, credentials);
}

const settable = {
  site: 'site',
  host: 'host',
  port: 'port',
  concurrency: 'concurrency',
  queueLimit: 'queue_limit',
  deadlineMs: 'deadline_ms',
  cryptoProfile: 'crypto_profile',
  allowInit: 'allow_init',
  separateObjects: 'separate_objects',
  hostKeySha256: 'host_key_sha256',
  certificateSha256: 'certificate_sha256',
  caCertificates: 'ca_certificates',
  options: 'options',
  presentedKind: 'presented_kind',
  presentedSha256: 'presented_sha256',
  serial: 'serial',
  provisioningStatus: 'provisioning_status',
  operatingStatus: 'operating_status',
  healthMessage: 'health_message',
  circuitState: 'circuit_state',
  circuitReason: 'circuit_reason',
  circuitLasting: 'circuit_lasting',
  replayLiftedEpoch: 'replay_lifted_epoch',
} as const;

type Status = 'provisioningStatus' | 'operatingStatus' | 'circuitState';
export type BackendChange = {
  readonly [Field in Exclude<keyof typeof settable, Status>]?: SqlValue | undefined;
} & { readonly [Field in Status]?: BackendRow[Field] | undefined };

/** What devices, checks and circuits say. Everything else are settings. */
const observed: ReadonlySet<string> = new Set([
  ...(['presentedKind', 'presentedSha256', 'serial', 'operatingStatus', 'healthMessage'] as const),
  ...(['circuitState', 'circuitReason', 'circuitLasting', 'replayLiftedEpoch'] as const),
]);

/** Sets fields and raises the version; false when the row is at another version than `version`. */
export async function updateBackend(
  tx: Transaction,
  row: { readonly id: string; readonly version: number },
  change: BackendChange,
): Promise<boolean> {
  const given = Object.entries(change).filter(([, value]) => value !== undefined);
  // Without any field it is a change of labels or of the account.
  const isSetting = given.length === 0 || given.some(([field]) => !observed.has(field));
  const sets = [
    ...(isSetting ? ['settings_version = version + 1'] : []),
    'version = version + 1',
    'updated_at = NOW(3)',
  ];
  const values: SqlValue[] = [];
  for (const [field, column] of Object.entries(settable)) {
    const value = change[field as keyof BackendChange];
    if (value === undefined) continue;
    sets.push(`${column} = ?`);
    values.push(value);
  }
  if (change.circuitState !== undefined) sets.push('circuit_since = NOW(3)');
  if (change.provisioningStatus === 'DELETED') sets.push('live_name = NULL', 'deleted_at = NOW(3)');
  const { affectedRows } = await tx.execute(`UPDATE backend SET ${sets.join(', ')} WHERE id = ? AND version = ?`, [
    ...values,
    row.id,
    row.version,
  ]);
  return affectedRows === 1;
}

interface SeenHealth {
  readonly checkedAt: Date;
  readonly latencyMs: number;
  readonly softwareVersion: string | null;
  readonly serial: string | null;
  readonly message: string | null;
}

/** Records the result of a check. This is not a change of the backend: its version stays. */
export async function writeHealth(tx: Transaction, id: string, seen: SeenHealth): Promise<void> {
  await tx.execute(
    `UPDATE backend SET checked_at = ?, latency_ms = ?, software_version = ?, serial = ?, health_message = ?
    WHERE id = ?`,
    [seen.checkedAt, seen.latencyMs, seen.softwareVersion, seen.serial, seen.message, id],
  );
}

export interface LabelRow {
  readonly name: string;
  readonly value: string;
}

/** The labels of one backend, by name. */
export function labelsInside(sql: Sql, backendId: string): Promise<LabelRow[]> {
  return sql.query<LabelRow>('SELECT name, value FROM backend_label WHERE backend_id = ? ORDER BY name', [backendId]);
}

/** Whether they were others before. */
export async function replaceLabels(tx: Transaction, backendId: string, labels: readonly LabelRow[]): Promise<boolean> {
  const before = await tx.query<LabelRow>('SELECT name, value FROM backend_label WHERE backend_id = ? FOR UPDATE', [
    backendId,
  ]);
  const isIn = (rows: readonly LabelRow[]) => (label: LabelRow) =>
    rows.some(({ name, value }) => name === label.name && value === label.value);
  if (before.length === labels.length && labels.every(isIn(before))) return false;
  await tx.execute('DELETE FROM backend_label WHERE backend_id = ?', [backendId]);
  for (const label of labels)
    await tx.execute('INSERT INTO backend_label (backend_id, name, value) VALUES (?, ?, ?)', [
      backendId,
      label.name,
      label.value,
    ]);
  return true;
}

/** The present format: see credentials.ts. */
export const presentForm = 2;

export interface CredentialRow extends Sealed {
  readonly field: string;
  readonly form: number;
}

/** Replaces all fields: missing ones are deleted. */
export async function replaceCredentials(
  tx: Transaction,
  backendId: string,
  fields: ReadonlyMap<string, Sealed>,
): Promise<void> {
  await tx.execute('DELETE FROM backend_credential WHERE backend_id = ?', [backendId]);
  for (const [field, { keyId, sealed }] of fields)
    await tx.execute(
      'INSERT INTO backend_credential (backend_id, field, key_id, form, sealed) VALUES (?, ?, ?, ?, ?)',
      [backendId, field, keyId, presentForm, sealed],
    );
}

/** Seals the same secrets again. */
export async function resealFields(
  tx: Transaction,
  backendId: string,
  fields: ReadonlyMap<string, Sealed>,
): Promise<void> {
  for (const [field, { keyId, sealed }] of fields)
    await tx.execute(
      'UPDATE backend_credential SET key_id = ?, form = ?, sealed = ? WHERE backend_id = ? AND field = ?',
      [keyId, presentForm, sealed, backendId, field],
    );
}

/** The current rows, locked until the transaction ends. */
export function lockCredentials(tx: Transaction, backendId: string): Promise<CredentialRow[]> {
  return tx.query<CredentialRow>(
    'SELECT field, key_id AS keyId, form, sealed FROM backend_credential WHERE backend_id = ? ORDER BY field FOR UPDATE',
    [backendId],
  );
}

export async function credentialsOf(sql: Sql, ids: readonly string[]): Promise<Map<string, CredentialRow[]>> {
  const rows = await sql.query<CredentialRow & { backendId: string }>(
    `SELECT backend_id AS backendId, field, key_id AS keyId, form, sealed FROM backend_credential
    WHERE backend_id IN (${marksFor(ids)}) ORDER BY backend_id, field`,
    ids,
  );
  return grouped(ids, rows);
}

function grouped<Row extends { backendId: string }>(ids: readonly string[], rows: readonly Row[]): Map<string, Row[]> {
  const result = new Map<string, Row[]>(ids.map((id) => [id, []]));
  for (const row of rows) result.get(row.backendId)?.push(row);
  return result;
}
