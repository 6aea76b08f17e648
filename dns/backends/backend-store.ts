// SQL of backends.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import type { Sealed } from '../../platform/secrets/seal.ts';
import { readServers, type ServerRow, serverId } from '../publish/server-states.ts';
import { type BackendRow, placesOf } from './backend.ts';

type Raw = Omit<BackendRow, 'spec'> & { readonly spec: string };

const columns =
  'id, name, type, spec, key_id AS keyId, sealed_secret AS sealedSecret, version, created_at AS createdAt';

export async function readBackend(db: Sql, id: string): Promise<BackendRow | undefined> {
  const [raw] = await db.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ?`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

export async function lockBackend(tx: Transaction, id: string): Promise<BackendRow | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ? FOR UPDATE`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

/** It stays until the transaction ends. */
export async function holdBackend(tx: Transaction, id: string): Promise<BackendRow | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ? LOCK IN SHARE MODE`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

/** By id, without those that there are not. */
export async function readBackends(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, BackendRow>> {
  if (ids.length === 0) return new Map();
  const raws = await db.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(raws.map((raw) => [raw.id, toRow(raw)]));
}

/** In the order of their names, after a name. */
export async function pageOfBackends(db: Sql, after: string, take: number): Promise<readonly BackendRow[]> {
  const sql = `SELECT ${columns} FROM dns_backend WHERE name > ? ORDER BY name LIMIT ?`;
  return (await db.query<Raw>(sql, [after, take])).map(toRow);
}

export async function backendNamed(tx: Sql, name: string): Promise<string | undefined> {
  return (await tx.query<{ id: string }>('SELECT id FROM dns_backend WHERE name = ?', [name]))[0]?.id;
}

export async function insertBackend(
  tx: Transaction,
  { id, name, type, spec }: Pick<BackendRow, 'id' | 'name' | 'type' | 'spec'>,
  secret: Sealed | undefined,
): Promise<void> {
  await tx.execute('INSERT INTO dns_backend (id, name, type, spec, sealed_secret, key_id) VALUES (?, ?, ?, ?, ?, ?)', [
    id,
    name,
    type,
    JSON.stringify(spec),
    secret?.sealed ?? null,
    secret?.keyId ?? null,
  ]);
}

/** `secret` undefined: it stays. */
export async function changeBackend(
  tx: Transaction,
  { id, name, spec }: Pick<BackendRow, 'id' | 'name' | 'spec'>,
  secret: Sealed | undefined,
): Promise<void> {
  await tx.execute('UPDATE dns_backend SET name = ?, spec = ?, version = version + 1 WHERE id = ?', [
    name,
    JSON.stringify(spec),
    id,
  ]);
  if (secret !== undefined) await storeSecret(tx, id, secret);
}

export async function storeSecret(tx: Transaction, id: string, { sealed, keyId }: Sealed): Promise<void> {
  await tx.execute('UPDATE dns_backend SET sealed_secret = ?, key_id = ? WHERE id = ?', [sealed, keyId, id]);
}

export async function deleteBackend(tx: Transaction, id: string): Promise<void> {
  await tx.execute('DELETE FROM dns_server WHERE backend_id = ?', [id]);
  await tx.execute('DELETE FROM dns_backend WHERE id = ?', [id]);
}

/** UUIDs of those whose secrets are sealed with another key. */
export async function staleSecrets(db: Sql, keyId: string): Promise<readonly string[]> {
  const sql = 'SELECT id FROM dns_backend WHERE key_id IS NOT NULL AND key_id <> ? ORDER BY id';
  return (await db.query<{ id: string }>(sql, [keyId])).map(({ id }) => id);
}

export type SeenServer = Pick<ServerRow, 'id' | 'place' | 'state' | 'failingSince' | 'errorCode' | 'error'>;

/** Each server of a backend with what was last seen of it. */
export async function serversSeen(
  db: Sql,
  { id, spec }: Pick<BackendRow, 'id' | 'spec'>,
): Promise<readonly SeenServer[]> {
  const places = placesOf(spec);
  const rows = await readServers(
    db,
    places.map((place) => serverId(id, place)),
  );
  return places.map((place) => {
    const own = serverId(id, place);
    const fresh: SeenServer = {
      ...{ id: own, place, state: 'SERVING' },
      failingSince: null,
      errorCode: null,
      error: null,
    };
    return rows.get(own) ?? fresh;
  });
}

function toRow(raw: Raw): BackendRow {
  return { ...raw, spec: JSON.parse(raw.spec) };
}
