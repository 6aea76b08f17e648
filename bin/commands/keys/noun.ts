// `tidegate keys`: rotates the key files. What was made with older keys can still be read.
import { readConfig } from '../../../platform/config.ts';
import { Database } from '../../../platform/database/database.ts';
import { ownersIn } from '../../../platform/database/migrate.ts';
import { openKeyring, openOrMakeKeyring, rotateKeyring } from '../../../platform/secrets/keyring.ts';
import { createSealer } from '../../../platform/secrets/seal.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { databaseLocation } from '../../compose/connections.ts';
import { Arguments, type Command, type CommandContext, CommandFailure, exitCodes, UsageError } from '../command.ts';

export const keys: Command = {
  name: 'keys',
  usage: `keys make FILE
    keys list FILE
    keys rotate FILE
    keys reseal FILE --config SETTINGS`,
  options: {
    config: { value: 'SETTINGS', help: 'Settings with the database, as for serve (or TIDEGATE_… variables).' },
  },
  async run(context) {
    const args = new Arguments(keys, context.args);
    const [action, file, ...more] = args.positionals;
    if (file === undefined || more.length > 0) throw new UsageError('an action and one key file are needed');
    try {
      switch (action) {
        case 'make':
          context.stdout.write(`${(await openOrMakeKeyring(file)).ids().join('\n')}\n`);
          return exitCodes.ok;
        case 'list':
          // The first is the active one. Ids only: keys are never printed.
          context.stdout.write(`${(await openKeyring(file)).ids().join('\n')}\n`);
          return exitCodes.ok;
        case 'rotate':
          context.stdout.write(`${await rotateKeyring(file)}\n`);
          context.stderr.write('tidegate: copy the file to every process that uses it, then restart each in turn\n');
          return exitCodes.ok;
        case 'reseal':
          context.stdout.write(`${await reseal(file, args.text('config'), context.env)}\n`);
          return exitCodes.ok;
        default:
          throw new UsageError(`'${action}' is none of make, list, rotate, reseal`);
      }
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new CommandFailure(error instanceof Error ? error.message : String(error));
    }
  },
};

/** How many secrets were sealed anew with the file's active key, of all subgraphs whose tables the database has. */
async function reseal(file: string, settings: string | undefined, env: CommandContext['env']): Promise<number> {
  const config = readConfig({ env, ...(settings === undefined ? {} : { file: settings }) }, subgraphRows);
  const keyring = await openKeyring(file);
  const db = new Database({ connection: databaseLocation(config), connectionLimit: 2 });
  try {
    const owners = await ownersIn(db);
    const rows = subgraphRows.filter(({ migrations }) => owners.has(migrations.owner));
    let resealed = 0;
    for (const row of rows)
      resealed += (await row.reseal?.(db, createSealer(keyring), keyring.active('sealing').id)) ?? 0;
    return resealed;
  } finally {
    await db.close();
  }
}
