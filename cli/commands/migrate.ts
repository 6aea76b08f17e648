// `tidegate migrate`: updates the tables of the settings' roles and those that the database already has. Concurrent runs wait for
// each other.

import { databaseLocations } from '../../compose/connections.ts';
import { ownersOf } from '../../compose/owners.ts';
import { migrate as runMigrations } from '../../platform/database/migrate.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import { migrationsOf } from '../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { configOption, settings } from '../local-options.ts';
import { printerOf } from '../printer.ts';
import { commonOptions } from '../remote-verb.ts';
import { describeFailure } from '../start-failure.ts';
import { localVerb } from '../verb.ts';

export const migrate = localVerb({
  summary: "Bring the database's tables up to date.",
  takes: [],
  options: { config: configOption, json: commonOptions.json },
  async run({ options, stdout, env, output }) {
    try {
      const config = settings(options.config, env);
      const applied = await runMigrations(
        await primaryLocation(databaseLocations(config)),
        ownersOf(config.roles, subgraphRows),
        migrationsOf(subgraphRows),
      );
      if (options.json) await printerOf({ stdout, env, output }).ndjson({ applied });
      else if (applied.length === 0) stdout.write('nothing to do\n');
      else stdout.write(applied.map((name) => `applied ${name}\n`).join(''));
    } catch (error) {
      throw describeFailure(error);
    }
  },
});
