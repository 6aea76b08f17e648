// `tidegate audit sign`: used once, when an installation with an existing audit trail gets its keys. Workers never sign after an unsigned head.

import { databaseLocations, keyFolder } from '../../../compose/connections.ts';
import { readEnds, signFirst } from '../../../platform/audit/ends.ts';
import { checkRange } from '../../../platform/audit/verify.ts';
import { Database } from '../../../platform/database/database.ts';
import { createLogger } from '../../../platform/log/log.ts';
import { CommandFailure } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb } from '../../verb.ts';

export const sign = localVerb({
  summary: 'Sign, once, the ends of an audit trail from before the keys existed.',
  takes: [],
  options: { config: configOption },
  async run({ options, stdout, env }) {
    let db: Database | undefined;
    try {
      const config = settings(options.config, env);
      const keys = keyFolder(config, createLogger({ level: 'silent', pretty: false }));
      const auditKeys = { signingKeys: await keys.signing('audit'), publicKeys: await keys.publicKeys() };
      db = new Database({ connection: databaseLocations(config), connectionLimit: 1 });
      const ends = await readEnds(db);
      const { fault } = await checkRange(db, ends, ends.base.position + 1, ends.head.position + 1);
      if (fault !== undefined)
        throw new CommandFailure(
          `the audit trail is broken at ${fault.position}, where ${fault.reason}: nothing is signed`,
        );
      stdout.write((await signFirst(db, auditKeys)) ? `signed up to ${ends.head.position}\n` : 'nothing to do\n');
    } catch (error) {
      throw describeFailure(error);
    } finally {
      await db?.close();
    }
  },
});
