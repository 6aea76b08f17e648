// `tidegate clock show` and `accept`. They need only the database, so they also work while no process runs.
import { hostname } from 'node:os';
import { databaseLocations } from '../../../compose/connections.ts';
import { askerAt } from '../../../ha/acts.ts';
import { audit } from '../../../platform/audit/audit.ts';
import { Database } from '../../../platform/database/database.ts';
import { acceptClock, readTrustedClock } from '../../../platform/leases/trusted-clock.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { CommandFailure } from '../../failures.ts';
import { configOption, settings } from '../../local-options.ts';
import { describeFailure } from '../../start-failure.ts';
import { localVerb, type Surroundings } from '../../verb.ts';

export const show = localVerb({
  summary: "Show the database's clock, and the trusted time that deletions by age go by.",
  takes: [],
  options: { config: configOption },
  async run({ options, stdout, env }) {
    const { nowMs, trustedMs } = await withDatabase(options.config, env, read);
    stdout.write(`clock ${text(nowMs)}\ntrusted ${text(trustedMs)}\nahead ${Math.max(0, nowMs - trustedMs)} ms\n`);
  },
});

export const accept = localVerb({
  summary: "Trust the database's clock as it is now, after a step ahead that was right.",
  takes: [],
  options: { config: configOption },
  async run({ options, stdout, env }) {
    const { user, host } = askerAt(hostname(), env);
    const accepted = await withDatabase(options.config, env, (db) =>
      db.transaction(async (tx) => {
        const before = await read(tx);
        await acceptClock(tx);
        await audit(tx, {
          identity: { kind: 'host', id: null, name: `${user}@${host}` },
          ...{ action: 'clockAccept', projectId: null, outcome: 'ACCEPTED', requestId: newUuid() },
          details: { clock: text(before.nowMs), trustedBefore: text(before.trustedMs) },
        });
        return before.nowMs;
      }),
    );
    stdout.write(`trusted ${text(accepted)}\n`);
  },
});

async function read(sql: Parameters<typeof readTrustedClock>[0]) {
  const clock = await readTrustedClock(sql);
  if (clock === undefined) throw new CommandFailure('the table trusted_clock has no row: run "tidegate migrate"');
  return clock;
}

async function withDatabase<Result>(
  file: string | undefined,
  env: Surroundings['env'],
  work: (db: Database) => Promise<Result>,
): Promise<Result> {
  let db: Database | undefined;
  try {
    db = new Database({ connection: databaseLocations(settings(file, env)), connectionLimit: 1 });
    return await work(db);
  } catch (error) {
    throw describeFailure(error);
  } finally {
    await db?.close();
  }
}

const text = (ms: number) => new Date(ms).toISOString();
