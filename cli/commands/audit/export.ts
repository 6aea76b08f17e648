// `tidegate audit export`: directly from the database, with all columns, so that the chain of hashes can be verified elsewhere.

import { databaseLocations } from '../../../compose/connections.ts';
import { exportAudit } from '../../../platform/audit/trail.ts';
import { Database } from '../../../platform/database/database.ts';
import { Interruption } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { time } from '../../option.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb } from '../../verb.ts';

export const exportTrail = localVerb({
  summary: 'Write the audit trail, with its hashes, as lines of JSON.',
  takes: [],
  options: {
    config: configOption,
    from: time('Entries from then on.'),
    to: time('Entries before then.'),
  },
  async run({ options, stdout, stderr, signal, env }) {
    const { config: file, from, to } = options;
    let db: Database | undefined;
    try {
      db = new Database({ connection: databaseLocations(settings(file, env)), connectionLimit: 1 });
      const range = {
        ...(from === undefined ? {} : { from: new Date(from) }),
        ...(to === undefined ? {} : { to: new Date(to) }),
      };
      const written = await exportAudit(db, stdout, { ...range, signal });
      stderr.write(`tidegate: ${written} entries exported\n`);
    } catch (error) {
      if (signal.aborted) throw new Interruption();
      throw describeFailure(error);
    } finally {
      await db?.close();
    }
  },
});
