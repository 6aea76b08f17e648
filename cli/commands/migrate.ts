// `tidegate migrate`: updates the tables of the settings' roles and those that the database already has. Concurrent runs wait for
// each other. What older processes may still use is removed by the first run after they have ended.

import { databaseLocations } from '../../compose/connections.ts';
import { ownersOf } from '../../compose/owners.ts';
import { type Migrated, migrateTables } from '../../platform/database/migrate.ts';
import { primaryLocation } from '../../platform/database/primary-finder.ts';
import { describeProcess } from '../../platform/database/registered-processes.ts';
import { programVersion } from '../../platform/process/program-version.ts';
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
      const migrated = await migrateTables(
        await primaryLocation(databaseLocations(config)),
        ownersOf(config.roles, subgraphRows),
        migrationsOf(subgraphRows),
        { version: (await programVersion()).version },
      );
      if (options.json) await printerOf({ stdout, env, output }).ndjson(migrated);
      else stdout.write(textOf(migrated));
    } catch (error) {
      throw describeFailure(error);
    }
  },
});

function textOf({ applied, waiting }: Migrated): string {
  const lines = applied.map((name) => `applied ${name}\n`);
  if (waiting !== undefined)
    lines.push(
      `${waiting.name} removes what older processes may use: update them, then run "tidegate migrate" again\n`,
      ...waiting.processes.map((each) => `waits for ${describeProcess(each)}\n`),
    );
  return lines.length === 0 ? 'nothing to do\n' : lines.join('');
}
