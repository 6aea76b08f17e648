// SQL of backends.
import type { Sql, Transaction } from '../../platform/database/database.ts';
import { marksFor } from '../../platform/database/sql.ts';
import type { Sealed } from '../../platform/secrets/seal.ts';
import { readServers, type ServerRow, serverId } from '../publish/server-states.ts';
import { type BackendRow, placesOf } from './backend.ts';

type Raw = Omit<BackendRow, 'spec'> & { readonly spec: string };

const columns =
  'id, name, type, spec, key_id AS keyId, sealed_secret AS sealedSecret, version, created_at AS createdAt, updated_at AS updatedAt';

export async function readBackend(db: Sql, id: string): Promise<BackendRow | undefined> {
  const [raw] = await db.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ?`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

export async function lockBackend(tx: Transaction, id: string): Promise<BackendRow | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ? FOR UPDATE`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

/** Locks the backend against deletion until the transaction ends. */
export async function holdBackend(tx: Transaction, id: string): Promise<BackendRow | undefined> {
  const [raw] = await tx.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id = ? LOCK IN SHARE MODE`, [id]);
  return raw === undefined ? undefined : toRow(raw);
}

/** Existing backends, by ID. */
export async function readBackends(db: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, BackendRow>> {
  if (ids.length === 0) return new Map();
  const raws = await db.query<Raw>(`SELECT ${columns} FROM dns_backend WHERE id IN (${marksFor(ids)})`, ids);
  return new Map(raws.map((raw) => [raw.id, toRow(raw)]));
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

/** `secret`: undefined to keep the stored one. */
export async function changeBackend(
  tx: Transaction,
  { id, name, spec }: Pick<BackendRow, 'id' | 'name' | 'spec'>,
  secret: Sealed | undefined,
): Promise<void> {
  await tx.execute(
    'UPDATE dns_backend SET name = ?, spec = ?, version = version + 1, updated_at = NOW(3) WHERE id = ?',
    [name, JSON.stringify(spec), id],
  );
  if (secret !== undefined) await storeSecret(tx, id, secret);
}

export async function storeSecret(tx: Transaction, id: string, { sealed, keyId }: Sealed): Promise<void> {
  await tx.execute('UPDATE dns_backend SET sealed_secret = ?, key_id = ? WHERE id = ?', [sealed, keyId, id]);
}

export async function deleteBackend(tx: Transaction, id: string): Promise<void> {
  await tx.execute('DELETE FROM dns_server WHERE backend_id = ?', [id]);
  await tx.execute('DELETE FROM dns_backend WHERE id = ?', [id]);
}

/** UUIDs of backends whose secrets are encrypted with another key. */
export async function staleSecrets(db: Sql, keyId: string): Promise<readonly string[]> {
  const sql = 'SELECT id FROM dns_backend WHERE key_id IS NOT NULL AND key_id <> ? ORDER BY id';
  return (await db.query<{ id: string }>(sql, [keyId])).map(({ id }) => id);
}

export type SeenServer = Pick<ServerRow, 'id' | 'place' | 'state' | 'failingSince' | 'errorCode' | 'error'>;

/** The servers of each backend with their last known state, by the backend's id. */
export async function serversOfEach(
  db: Sql,
  backends: readonly Pick<BackendRow, 'id' | 'spec'>[],
): Promise<ReadonlyMap<string, readonly SeenServer[]>> {
  const places = backends.map(({ id, spec }) => ({
    id,
    servers: placesOf(spec).map((place) => ({ own: serverId(id, place), place })),
  }));
  const rows = await readServers(
    db,
    places.flatMap(({ servers }) => servers.map(({ own }) => own)),
  );
  const fresh = { state: 'SERVING', failingSince: null, errorCode: null, error: null } as const;
  return new Map(
    places.map(({ id, servers }) => [
      id,
      servers.map(({ own, place }) => rows.get(own) ?? { id: own, place, ...fresh }),
    ]),
  );
}

function toRow(raw: Raw): BackendRow {
  return { ...raw, spec: JSON.parse(raw.spec) };
}
