// `tidegate keys reseal FILE`: reseals every stored secret with the file's active key, bound to its present place, and prints their number.

import { databaseLocations } from '../../../compose/connections.ts';
import { resealAll } from '../../../compose/reseal.ts';
import { Database } from '../../../platform/database/database.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { CommandFailure } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { flag } from '../../option.ts';
import { localVerb } from '../../verb.ts';
import { withFile } from './key-file.ts';

export const reseal = localVerb({
  summary: 'Seal all stored secrets again, with the active key of a key file.',
  takes: ['FILE'],
  options: {
    config: configOption,
    older: flag(
      'Also reseal secrets of an earlier version, after restoring a backup of it; their backends are listed.',
    ),
  },
  async run({ names, options, stdout, stderr, env }) {
    const { resealed, trusted, failed } = await withFile(async () => {
      const connection = databaseLocations(settings(options.config, env));
      const db = new Database({ connection, connectionLimit: 2 });
      try {
        return await resealAll({ db, file: names[0], rows: subgraphRows, older: options.older });
      } finally {
        await db.close();
      }
    });
    stdout.write(`${resealed}\n`);
    if (trusted.length > 0)
      stderr.write(
        `tidegate: credentials of an earlier version are now bound to the present address of their backend; check that it is right:\n${trusted.map((each) => `  ${each}\n`).join('')}`,
      );
    if (failed.length > 0)
      throw new CommandFailure(
        `not resealed: send these credentials again with backends update${options.older ? '' : ' (or, after a restore of a backup of an earlier version, use --older)'}\n${failed.map((each) => `  ${each}`).join('\n')}`,
      );
  },
});
