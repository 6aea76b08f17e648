// `tidegate migrate`: brings the tables of the settings' roles up to date, and those that the database has already; several at
// once wait for each other.
import { readConfig } from '../../platform/config.ts';
import { migrate as runMigrations } from '../../platform/database/migrate.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { databaseLocation } from '../compose/connections.ts';
import { ownersOf } from '../compose/owners.ts';
import { Arguments, type Command, exitCodes, UsageError } from './command.ts';
import { describeFailure } from './start-failure.ts';

export const migrate: Command = {
  name: 'migrate',
  usage: 'migrate --config FILE',
  options: {
    config: { value: 'FILE', help: 'Settings with the database, as for serve (or TIDEGATE_… variables).' },
    json: { help: 'Print JSON.' },
  },
  async run(context) {
    const args = new Arguments(migrate, context.args);
    if (args.positionals.length > 0) throw new UsageError(`'${args.positionals[0]}' is not expected`);
    const file = args.text('config');
    try {
      const config = readConfig({ env: context.env, ...(file === undefined ? {} : { file }) }, subgraphRows);
      const applied = await runMigrations(
        databaseLocation(config),
        ownersOf(config.roles, subgraphRows),
        subgraphRows.map(({ migrations }) => migrations),
      );
      if (args.flag('json')) context.stdout.write(`${JSON.stringify({ applied })}\n`);
      else
        context.stdout.write(
          applied.length === 0 ? 'nothing to do\n' : applied.map((name) => `applied ${name}\n`).join(''),
        );
      return exitCodes.ok;
    } catch (error) {
      throw describeFailure(error);
    }
  },
};
