// Seals the credentials of monitors and the keys of zones again with the active key.
import type { Database, Transaction } from '../../../platform/database/database.ts';
import type { Resealed, ResealOptions } from '../../../platform/process/subgraph-row.ts';
import { SealError, type Sealer } from '../../../platform/secrets/seal.ts';
import type { MonitorSpec } from '../spec/specs.ts';
import { monitorSecretPlace, openText, sealedText, zoneKeysPlace } from './stores/sealed-text.ts';

interface Kind {
  readonly words: string;
  /** The next rows with outdated keys, in order. */
  readonly stale: string;
  readonly lock: string;
  readonly store: string;
  /** `spec`: other settings in the row. */
  place(key: string, spec: string | null): string;
}

const kinds: readonly Kind[] = [
  {
    words: 'GSLB monitor',
    stale: `SELECT id AS \`key\` FROM gslb_monitor WHERE secret IS NOT NULL AND JSON_VALUE(secret, '$.keyId') <> ? AND id > ?
      ORDER BY id LIMIT ?`,
    lock: 'SELECT name, secret AS text, spec FROM gslb_monitor WHERE id = ? AND secret IS NOT NULL FOR UPDATE',
    store: 'UPDATE gslb_monitor SET secret = ? WHERE id = ?',
    place: (key, spec) => monitorSecretPlace(key, JSON.parse(spec ?? '{}') as MonitorSpec),
  },
  {
    words: 'zone',
    stale: `SELECT name AS \`key\` FROM gslb_zone WHERE keys_sealed IS NOT NULL AND JSON_VALUE(keys_sealed, '$.keyId') <> ? AND name > ?
      ORDER BY name LIMIT ?`,
    lock: 'SELECT name, keys_sealed AS text, NULL AS spec FROM gslb_zone WHERE name = ? AND keys_sealed IS NOT NULL FOR UPDATE',
    store: 'UPDATE gslb_zone SET keys_sealed = ? WHERE name = ?',
    place: zoneKeysPlace,
  },
];

const batchSize = 100;

/** Reseals row by row. A secret that can't be opened is reported, and the others are resealed. */
export async function resealSecrets(db: Database, options: ResealOptions): Promise<Resealed> {
  let resealed = 0;
  const failed: string[] = [];
  for (const kind of kinds)
    for (let after: string | undefined = ''; after !== undefined; ) {
      const rows: readonly { key: string }[] = await db.query(kind.stale, [options.keyId, after, batchSize]);
      for (const { key } of rows) {
        const fault = await db.transaction((tx) => resealOne(tx, kind, key, options.sealer));
        if (fault === undefined) resealed += 1;
        else failed.push(fault);
      }
      after = rows.length < batchSize ? undefined : rows.at(-1)?.key;
    }
  return { resealed, trusted: [], failed };
}

/** Undefined if it is sealed with the active key, or if there is none any more. */
async function resealOne(tx: Transaction, kind: Kind, key: string, sealer: Sealer): Promise<string | undefined> {
  const [row] = await tx.query<{ name: string; text: string; spec: string | null }>(kind.lock, [key]);
  if (row === undefined) return undefined;
  const place = kind.place(key, row.spec);
  try {
    await tx.execute(kind.store, [sealedText(sealer, openText(sealer, row.text, place), place), key]);
    return undefined;
  } catch (error) {
    if (!(error instanceof SealError)) throw error;
    return `${kind.words} ${row.name}: ${error.message}`;
  }
}
