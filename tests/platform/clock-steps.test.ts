// A MariaDB whose wall clock libfaketime steps while it runs. Whatever the step, retention deletes no young rows, and a request with a used
// key has no second effect.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { platformMigrations } from '../../compose/places.ts';
import type { RequestContext } from '../../platform/caller/identity.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { TrustedClock } from '../../platform/leases/trusted-clock.ts';
import { platformRetention, runRetention } from '../../platform/owed/retention.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { SteppedMariadb } from '../../trials/clock/stepped-mariadb.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { testPair } from '../support/product/signing-keys.ts';
import { LocalContext } from '../support/product/test-context.ts';

const dayMs = 86_400_000;
const daySeconds = 86_400;
const trials = 8;

let folder: TemporaryFolder;
let mariadb: SteppedMariadb;
let ground: LocalContext;

beforeAll(async () => {
  folder = await temporaryFolder();
  mariadb = await SteppedMariadb.start(folder.path);
  const connection = mariadb.server.application;
  await migrate(connection, [platformMigrations]);
  ground = new LocalContext({ connection });
  await ground.db.execute('CREATE TABLE thing (id INT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(64) NOT NULL)');
});

afterAll(async () => {
  await ground.stop();
  await mariadb.stop();
  await folder.remove();
});

function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** From ± 1 s to ± 400 days, with all magnitudes equally likely. */
function stepSeconds(draw: () => number): number {
  const seconds = Math.exp(draw() * Math.log(400 * daySeconds));
  return draw() < 0.5 ? -seconds : seconds;
}

const identity = {
  kind: 'user',
  id: newUuid(),
  name: 'ada',
  admin: false,
  projects: {},
  credentialId: newUuid(),
} as const;
const context: RequestContext = { identity, requestId: 'r', loaders: new Map() };

async function make(key: string): Promise<boolean> {
  const { replayed, userErrors } = await ground.mutations.run({
    ...{ name: 'thingCreate', context, input: { idempotencyKey: key }, subject: 'Thing' },
    prepare: () => async (tx) => String((await tx.execute('INSERT INTO thing (name) VALUES (?)', [key])).insertId),
    read: async (id) => ({ id }),
  });
  expect(userErrors).toEqual([]);
  return replayed;
}

const events = async () =>
  Number((await ground.db.query<{ n: number }>('SELECT COUNT(*) AS n FROM status_change'))[0]?.n);

test(`${trials} random steps, with and without a restart: no call repeated, no row lost`, async () => {
  const seed = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);
  process.stdout.write(`steps of seed ${seed}\n`);
  const draw = random(seed);
  const retention = platformRetention({
    ...ground,
    eventMs: 30 * dayMs,
    auditMs: 30 * dayMs,
    auditKeys: testPair('audit'),
  });
  const verdict = { trials: 0, repeatedCalls: 0, lostRows: 0 };
  let clock = new TrustedClock(ground);
  await clock.sample();
  let written = 0;
  for (; verdict.trials < trials; verdict.trials += 1) {
    // The first steps are those that once lost keys and events.
    const seconds = [8 * daySeconds, 400 * daySeconds, -9 * daySeconds][verdict.trials] ?? stepSeconds(draw);
    const before = `before-${verdict.trials}`;
    await make(before);
    await ground.append({}, {});
    await clock.sample();
    await mariadb.stepTo(seconds, ground.db);
    if (draw() < 0.5) clock = new TrustedClock(ground);
    await clock.sample();
    const during = `during-${verdict.trials}`;
    await make(during);
    await ground.append({}, {});
    written += 4;
    await ground.sequence();
    await runRetention(retention);
    await mariadb.stepTo(0, ground.db);
    await clock.sample();
    await runRetention(retention);
    for (const key of [before, during]) verdict.repeatedCalls += (await make(key)) ? 0 : 1;
  }
  verdict.lostRows = written - (await events());
  expect(verdict).toEqual({ trials, repeatedCalls: 0, lostRows: 0 });
});
