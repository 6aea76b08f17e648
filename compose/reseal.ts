// Reseals every stored secret with a key file's active key, bound to its present place. Only the first run opens secrets of an earlier version, which
// are not bound to a place. The key file then records the run, and they are refused from then on.
import type { Database } from '../platform/database/database.ts';
import { ownersIn } from '../platform/database/migrate.ts';
import { type Resealed, type SubgraphRow, sharedModulesOf } from '../platform/process/subgraph-row.ts';
import { writeKeyFile } from '../platform/secrets/key-file.ts';
import { Keyring, readKeyringFile } from '../platform/secrets/keyring.ts';
import { createSealer } from '../platform/secrets/seal.ts';

interface ResealAllOptions {
  readonly db: Database;
  /** Path of `sealing.keys`. */
  readonly file: string;
  readonly rows: readonly SubgraphRow[];
  /** Opens secrets of an earlier version although the key file forbids it. For a backup from before the first run. */
  readonly older?: boolean;
}

/** For all subgraphs and shared modules whose tables the database has. */
export async function resealAll({ db, file, rows, older = false }: ResealAllOptions): Promise<Resealed> {
  const content = await readKeyringFile(file);
  const sealer = createSealer(new Keyring(content));
  const openOlder = older || content.boundSince === undefined;
  const owners = await ownersIn(db);
  let [resealed, trusted, failed]: [number, string[], string[]] = [0, [], []];
  const present = [...sharedModulesOf(rows), ...rows].filter(({ migrations }) => owners.has(migrations.owner));
  for (const each of present) {
    const done = await each.reseal?.(db, { sealer, keyId: content.active, openOlder });
    if (done === undefined) continue;
    resealed += done.resealed;
    trusted = [...trusted, ...done.trusted];
    failed = [...failed, ...done.failed];
  }
  if (content.boundSince === undefined) await writeKeyFile(file, { ...content, boundSince: new Date().toISOString() });
  return { resealed, trusted, failed };
}

/** True when the first run has not happened. */
export async function isUnbound(file: string): Promise<boolean> {
  return (await readKeyringFile(file)).boundSince === undefined;
}
