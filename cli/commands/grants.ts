// `tidegate grants ACCOUNT`: prints the rights that the database account of the settings' roles needs, as SQL for the database's
// administrator.

import { databaseLocations } from '../../compose/connections.ts';
import { Database } from '../../platform/database/database.ts';
import { grantsFor } from '../../platform/database/grants.ts';
import { UsageError } from '../failures.ts';
import { configOption, settings } from '../local-options.ts';
import { describeFailure } from '../start-failure.ts';
import { localVerb } from '../verb.ts';

const accountPattern = /^([A-Za-z0-9_-]{1,80})(?:@([A-Za-z0-9_.:%/-]{1,255}))?$/;

export const grants = localVerb({
  summary: "Print the rights that the database account of the settings' roles needs, as SQL.",
  takes: ['ACCOUNT'],
  options: { config: configOption },
  async run({ names, options, stdout, env }) {
    const match = accountPattern.exec(names[0]);
    if (match === null) throw new UsageError(`ACCOUNT must be USER or USER@HOST, not ${JSON.stringify(names[0])}`);
    const account = `'${match[1]}'@'${match[2] ?? '%'}'`;
    let db: Database | undefined;
    try {
      const config = settings(options.config, env);
      db = new Database({ connection: databaseLocations(config), connectionLimit: 1 });
      const keepsAudit = config.roles.includes('worker');
      const statements = await grantsFor(db, { database: db.name, account, keepsAudit });
      stdout.write(statements.map((statement) => `${statement}\n`).join(''));
    } catch (error) {
      throw describeFailure(error);
    } finally {
      await db?.close();
    }
  },
});
