// SQL of access keys, and their documents. A secret is sealed for each cluster whose public key is known.
import { randomBytes } from 'node:crypto';
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { countHeld } from '../../../../platform/edge/projects.ts';
import type { Sealed } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { type AccessKeyDocument, accountKey, documentName } from '../../wire/documents/documents.ts';
import { sealedPlace, sealFor } from '../../wire/documents/seal-for.ts';
import type { ClusterRow } from '../stores/cluster-store.ts';
import { documentNamed, putDocument } from '../stores/document-store.ts';

export interface AccessKeyRow {
  /** UUID. */
  readonly id: string;
  readonly projectId: string;
  readonly accountId: string;
  /** The name that clients use. */
  readonly accessKeyId: string;
  readonly name: string;
  readonly canWrite: boolean;
  /** The control plane signs URLs with it; its secret is never shown to anyone. */
  readonly forUrls: boolean;
  readonly version: number;
  readonly createdAt: Date;
  readonly revokedAt: Date | null;
}

type Flags = 'canWrite' | 'forUrls';
type Raw = Omit<AccessKeyRow, Flags> & Readonly<Record<Flags, number>>;

const columns = `id, project_id AS projectId, account_id AS accountId, access_key_id AS accessKeyId, name, can_write AS canWrite, for_urls AS forUrls, version,
  created_at AS createdAt, revoked_at AS revokedAt`;

function toRow(raw: Raw): AccessKeyRow {
  return { ...raw, canWrite: raw.canWrite === 1, forUrls: raw.forUrls === 1 };
}

/** Where the secret is in this database. */
export function secretPlace(id: string): string {
  return `object-access-key/${id}/secret`;
}

/** Includes revoked keys. */
export async function readAccessKeys(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, AccessKeyRow>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_access_key WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<Raw>(text, ids)).map((raw) => [raw.id, toRow(raw)]));
}

export async function lockAccessKey(tx: Transaction, id: string): Promise<AccessKeyRow | undefined> {
  return (await tx.query<Raw>(`SELECT ${columns} FROM object_access_key WHERE id = ? FOR UPDATE`, [id])).map(toRow)[0];
}

/** Working keys of users. */
const working =
  'SELECT COUNT(*) AS count FROM object_access_key WHERE project_id = ? AND revoked_at IS NULL AND for_urls = 0';

export async function countWorking(sql: Sql, projectId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(working, [projectId]);
  return Number(row?.count ?? 0);
}

export function heldBy(sql: Sql, projectId: string): Promise<readonly string[]> {
  return countHeld(sql, projectId, { 'access keys of object storage': working });
}

export async function insertAccessKey(
  tx: Transaction,
  row: Pick<AccessKeyRow, 'id' | 'projectId' | 'accountId' | 'accessKeyId' | 'name' | Flags>,
  { sealed, keyId }: Sealed,
): Promise<void> {
  await tx.execute(
    `INSERT INTO object_access_key (id, project_id, account_id, access_key_id, name, can_write, for_urls, sealed_secret, key_id)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [row.id, row.projectId, row.accountId, row.accessKeyId, row.name, row.canWrite, row.forUrls, sealed, keyId],
  );
}

/** Keys for signing URLs that were made in the last `days` days; newest first. */
export async function urlKeys(sql: Sql, accountId: string, days: number): Promise<readonly AccessKeyRow[]> {
  const text = `SELECT ${columns} FROM object_access_key
    WHERE account_id = ? AND for_urls = 1 AND revoked_at IS NULL AND created_at > NOW(3) - INTERVAL ? DAY ORDER BY id DESC`;
  return (await sql.query<Raw>(text, [accountId, days])).map(toRow);
}

/** All working keys of an account, including those for URLs. */
export async function workingKeysOf(sql: Sql, accountId: string): Promise<readonly AccessKeyRow[]> {
  const text = `SELECT ${columns} FROM object_access_key WHERE account_id = ? AND revoked_at IS NULL ORDER BY id`;
  return (await sql.query<Raw>(text, [accountId])).map(toRow);
}

/** Undefined if the key is revoked. */
export async function workingSecret(sql: Sql, id: string): Promise<Sealed | undefined> {
  const text =
    'SELECT sealed_secret AS sealed, key_id AS keyId FROM object_access_key WHERE id = ? AND revoked_at IS NULL';
  return (await sql.query<Sealed>(text, [id]))[0];
}

/** Deletes its secret at once. */
export async function revokeAccessKey(tx: Transaction, id: string): Promise<void> {
  const sql = `UPDATE object_access_key SET revoked_at = NOW(3), sealed_secret = NULL, key_id = NULL, version = version + 1 WHERE id = ?`;
  await tx.execute(sql, [id]);
}

export interface SealedKeyRow extends Sealed {
  readonly id: string;
  readonly accessKeyId: string;
}

/** Working keys after an id, in order of ids. */
export function workingKeys(sql: Sql, after: string, most: number): Promise<readonly SealedKeyRow[]> {
  return sql.query<SealedKeyRow>(
    `SELECT id, access_key_id AS accessKeyId, sealed_secret AS sealed, key_id AS keyId FROM object_access_key
    WHERE revoked_at IS NULL AND id > ? ORDER BY id LIMIT ?`,
    [after, most],
  );
}

/** Keys after an id that are not sealed with this key. */
export function staleKeys(sql: Sql, keyId: string, after: string, most: number): Promise<readonly SealedKeyRow[]> {
  return sql.query<SealedKeyRow>(
    `SELECT id, access_key_id AS accessKeyId, sealed_secret AS sealed, key_id AS keyId FROM object_access_key
    WHERE key_id <> ? AND id > ? ORDER BY id LIMIT ?`,
    [keyId, after, most],
  );
}

/** Does nothing if the key was revoked or sealed again in between. */
export async function storeSealed(sql: Sql, before: SealedKeyRow, after: Sealed): Promise<void> {
  const text = 'UPDATE object_access_key SET sealed_secret = ?, key_id = ? WHERE id = ? AND sealed_secret = ?';
  await sql.execute(text, [after.sealed, after.keyId, before.id, before.sealed]);
}

type Told = Pick<AccessKeyRow, 'accessKeyId' | 'accountId' | 'canWrite'>;

/** Publishes a key with its secret to all clusters. Call it in the transaction that has locked the federation. */
export async function tellKey(
  tx: Transaction,
  wake: Wake,
  { accessKeyId, accountId, canWrite }: Told,
  secret: string,
  clusters: readonly ClusterRow[],
): Promise<void> {
  const sealed = Object.fromEntries(clusters.flatMap((cluster) => sealedEntry(cluster, accessKeyId, secret)));
  const body = { accessKeyId, accountId: accountKey(accountId), canWrite, sealed, isRevoked: false };
  await putDocument(tx, wake, ['key', accessKeyId], body);
}

export async function tellRevoked(tx: Transaction, wake: Wake, row: Told): Promise<void> {
  const { accessKeyId, accountId, canWrite } = row;
  const body = { accessKeyId, accountId: accountKey(accountId), canWrite, sealed: {}, isRevoked: true };
  await putDocument(tx, wake, ['key', accessKeyId], body);
}

/** Seals the secret for a cluster whose public key has changed. The sealed copies of other clusters stay as they are. */
export async function tellKeyTo(
  tx: Transaction,
  wake: Wake,
  accessKeyId: string,
  secret: string,
  cluster: ClusterRow,
): Promise<void> {
  const known = await documentNamed(tx, documentName('key', accessKeyId));
  if (known === undefined) return;
  const body = JSON.parse(known.body) as AccessKeyDocument;
  const sealed = { ...body.sealed, ...Object.fromEntries(sealedEntry(cluster, accessKeyId, secret)) };
  await putDocument(tx, wake, ['key', accessKeyId], { ...body, sealed });
}

function sealedEntry({ number, publicKey }: ClusterRow, accessKeyId: string, secret: string): [string, string][] {
  return publicKey === null ? [] : [[String(number), sealFor(publicKey, secret, sealedPlace(accessKeyId, number))]];
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** 20 characters, 18 of them random: 90 bits. */
export function newAccessKeyId(): string {
  return `TG${Array.from(randomBytes(18), (byte) => letters[byte % letters.length]).join('')}`;
}
