// The cluster's own P-256 key pair, created by the first of its processes to start. Secrets are sealed for it, and it signs the tokens of
// the cluster's logins. It is sealed with the cluster's key file and never leaves the cluster.
import { generateKeyPair } from 'node:crypto';
import { promisify } from 'node:util';
import type { Database } from '../../../../platform/database/database.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';

export interface ClusterKey {
  /** Both PEM. */
  readonly publicKey: string;
  readonly privateKey: string;
}

interface KeyRow {
  readonly publicKey: string;
  readonly keyId: string;
  readonly sealed: Buffer;
}

const name = 'cluster';
const aad = 'store_key_pair/cluster';
const newKeyPair = promisify(generateKeyPair);

/** Throws SealError if it was sealed with another key file. */
export async function openClusterKey(db: Database, sealer: Sealer): Promise<ClusterKey> {
  const known = await find(db);
  if (known !== undefined) return open(known, sealer);
  const { publicKey, privateKey } = await newKeyPair('ec', {
    namedCurve: 'P-256',
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  const { keyId, sealed } = sealer.seal(privateKey, aad);
  await db.execute(
    'INSERT IGNORE INTO store_key_pair (name, public_key, seal_key_id, private_key_sealed) VALUES (?, ?, ?, ?)',
    [name, publicKey, keyId, sealed],
  );
  // Another process may have been first.
  const stored = await find(db);
  if (stored === undefined) throw new Error('the key pair of the cluster was not stored');
  return open(stored, sealer);
}

async function find(db: Database): Promise<KeyRow | undefined> {
  const [row] = await db.query<KeyRow>(
    'SELECT public_key AS publicKey, seal_key_id AS keyId, private_key_sealed AS sealed FROM store_key_pair WHERE name = ?',
    [name],
  );
  return row;
}

function open({ publicKey, keyId, sealed }: KeyRow, sealer: Sealer): ClusterKey {
  return { publicKey, privateKey: sealer.open({ keyId, sealed }, aad) };
}
