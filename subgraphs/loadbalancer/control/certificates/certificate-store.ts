// SQL of certificates. Private keys are sealed; they are opened only for nodes' documents.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';

export interface CertificateRow {
  readonly id: string;
  readonly projectId: string;
  readonly name: string;
  readonly deleted: boolean;
  readonly chain: string;
  readonly sha256: string;
  readonly hostNames: readonly string[];
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

interface SealedKey {
  readonly keyId: string;
  readonly sealedKey: Buffer;
}

const columns = `id, project_id AS projectId, name, live_name IS NULL AS deleted, chain, sha256, host_names AS hostNames, issuer,
  not_before AS notBefore, not_after AS notAfter, version, created_at AS createdAt,
  updated_at AS updatedAt`;

type Raw = Omit<CertificateRow, 'hostNames' | 'deleted'> & { readonly hostNames: string; readonly deleted: number };

function toRow(raw: Raw): CertificateRow {
  return { ...raw, hostNames: JSON.parse(raw.hostNames) as string[], deleted: raw.deleted === 1 };
}

/** Including deleted ones. */
export async function readCertificates(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, CertificateRow>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<Raw>(`SELECT ${columns} FROM lb_certificate WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(rows.map((raw) => [raw.id, toRow(raw)]));
}

/** The live ones of the project among these. `locked`: they can't be deleted until the transaction ends. */
export async function liveCertificates(
  sql: Sql,
  projectId: string,
  ids: readonly string[],
  locked: boolean,
): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql.query<{ id: string }>(
    `SELECT id FROM lb_certificate WHERE id IN (${marksFor(ids)}) AND project_id = ? AND live_name IS NOT NULL
    ${locked ? 'LOCK IN SHARE MODE' : ''}`,
    [...ids, projectId],
  );
  return new Set(rows.map(({ id }) => id));
}

/** Without deleted ones. */
export async function lockCertificate(tx: Transaction, id: string): Promise<CertificateRow | undefined> {
  const sql = `SELECT ${columns} FROM lb_certificate WHERE id = ? AND live_name IS NOT NULL FOR UPDATE`;
  const [raw] = await tx.query<Raw>(sql, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

export type CertificateContent = Pick<
  CertificateRow,
  'chain' | 'sha256' | 'hostNames' | 'issuer' | 'notBefore' | 'notAfter'
> &
  SealedKey;

export async function insertCertificate(
  tx: Transaction,
  row: Pick<CertificateRow, 'id' | 'projectId' | 'name'> & CertificateContent,
): Promise<void> {
  await tx.execute(
    `INSERT INTO lb_certificate (id, project_id, name, live_name, chain, sealed_key, key_id, sha256, host_names, issuer, not_before,
      not_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    [
      ...[row.id, row.projectId, row.name, row.name, row.chain, row.sealedKey, row.keyId, row.sha256],
      ...[JSON.stringify(row.hostNames), row.issuer, row.notBefore, row.notAfter],
    ],
  );
}

export async function renewCertificate(tx: Transaction, id: string, row: CertificateContent): Promise<void> {
  await tx.execute(
    `UPDATE lb_certificate SET chain = ?, sealed_key = ?, key_id = ?, sha256 = ?, host_names = ?, issuer = ?, not_before = ?,
      not_after = ?, version = version + 1 WHERE id = ?`,
    [
      ...[row.chain, row.sealedKey, row.keyId, row.sha256, JSON.stringify(row.hostNames)],
      ...[row.issuer, row.notBefore, row.notAfter, id],
    ],
  );
}

/** Deletes its private key at once. */
export async function deleteCertificate(tx: Transaction, id: string): Promise<void> {
  const sql =
    "UPDATE lb_certificate SET live_name = NULL, deleted_at = NOW(3), sealed_key = '', key_id = '', version = version + 1 WHERE id = ?";
  await tx.execute(sql, [id]);
}

export async function readSealedKeys(
  db: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, SealedKey & Pick<CertificateRow, 'id' | 'sha256'>>> {
  if (ids.length === 0) return new Map();
  const rows = await db.query<SealedKey & Pick<CertificateRow, 'id' | 'sha256'>>(
    `SELECT id, sha256, key_id AS keyId, sealed_key AS sealedKey FROM lb_certificate WHERE id IN (${marksFor(ids)})`,
    ids,
  );
  return new Map(rows.map((row) => [row.id, row]));
}

/** UUIDs of the live certificates whose private keys are sealed with another key, in order. */
export async function staleKeys(
  db: Sql,
  { keyId, after, limit }: { readonly keyId: string; readonly after: string; readonly limit: number },
): Promise<readonly string[]> {
  const sql =
    'SELECT id FROM lb_certificate WHERE live_name IS NOT NULL AND key_id <> ? AND id > ? ORDER BY id LIMIT ?';
  return (await db.query<{ id: string }>(sql, [keyId, after, limit])).map(({ id }) => id);
}

export async function lockSealedKey(
  tx: Transaction,
  id: string,
): Promise<(SealedKey & Pick<CertificateRow, 'name' | 'sha256'>) | undefined> {
  const [row] = await tx.query<SealedKey & Pick<CertificateRow, 'name' | 'sha256'>>(
    'SELECT name, sha256, key_id AS keyId, sealed_key AS sealedKey FROM lb_certificate WHERE id = ? AND live_name IS NOT NULL FOR UPDATE',
    [id],
  );
  return row;
}

export async function resealKey(tx: Transaction, id: string, { keyId, sealedKey }: SealedKey): Promise<void> {
  // The certificate itself does not change.
  const sql = 'UPDATE lb_certificate SET sealed_key = ?, key_id = ?, updated_at = updated_at WHERE id = ?';
  await tx.execute(sql, [sealedKey, keyId, id]);
}
