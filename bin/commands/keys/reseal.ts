// `tidegate keys reseal FILE`: seals every stored secret with the file's active key, and prints how many.
import type { Config } from '../../../platform/config.ts';
import { Database } from '../../../platform/database/database.ts';
import { ownersIn } from '../../../platform/database/migrate.ts';
import { openKeyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { configOption, settings } from '../../cli/local-options.ts';
import { localVerb } from '../../cli/verb.ts';
import { databaseLocation } from '../../compose/connections.ts';
import { withFile } from './key-file.ts';

export const reseal = localVerb({
  summary: 'Seal all stored secrets with the active key of a key file.',
  takes: ['FILE'],
  options: { config: configOption },
  async run({ names, options, stdout, env }) {
    stdout.write(`${await withFile(() => resealAll(names[0], settings(options.config, env)))}\n`);
  },
});

/** Of all subgraphs whose tables the database has. */
async function resealAll(file: string, config: Config): Promise<number> {
  const keyring = await openKeyring(file);
  const db = new Database({ connection: databaseLocation(config), connectionLimit: 2 });
  try {
    const owners = await ownersIn(db);
    let resealed = 0;
    for (const row of subgraphRows.filter(({ migrations }) => owners.has(migrations.owner)))
      resealed += (await row.reseal?.(db, createSealer(keyring), keyring.active('sealing').id)) ?? 0;
    return resealed;
  } finally {
    await db.close();
  }
}
