// A worker is killed or stopped in the middle of GSLB's work. Another one judges and publishes in its place long before
// the jobs time out, and later actions of the first one have no effect.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { publishKind } from '../../../../dns/records/record-store.ts';
import { CommandChild } from '../../../../measure/command-child.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import { createRedisWake, type Wake } from '../../../../platform/work/wake.ts';
import { evaluationKind, planKind, vantageKind } from '../../../../subgraphs/gslb/control/stores/touched.ts';
import type { Program } from '../../../../trials/gslb-outage/program.ts';
import { freePort } from '../../../support/machine/free-port.ts';
import { patience } from '../../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../../support/machine/temporary-folder.ts';
import { GslbPlace } from '../support/gslb-place.ts';

const script = fileURLToPath(new URL('../../../../trials/gslb-outage/program.ts', import.meta.url));
let place: GslbPlace;
let folder: TemporaryFolder;
let workers: CommandChild[];
let redis: { readonly path: string; readonly prefix: string };
let wake: Wake;

beforeEach(async () => {
  place = await GslbPlace.open();
  folder = await temporaryFolder();
  workers = [];
  redis = { path: place.database.redisPath, prefix: `{${place.database.connection.database}}` };
  wake = createRedisWake({ path: redis.path }, { prefix: redis.prefix, log: place.ground.log });
});

afterEach(async () => {
  for (const worker of workers) await worker.kill();
  await wake.close();
  await place.close();
  await folder.remove();
});

async function worker(): Promise<CommandChild> {
  const { connection } = place.database;
  // Nothing listens there.
  const keyFile = join(folder.path, 'key');
  const secret = Buffer.alloc(32, 1).toString('base64');
  await writeFile(keyFile, `key "test" { algorithm hmac-sha256; secret "${secret}"; };`, { mode: 0o600 });
  const settings = { 'dns.servers': [`127.0.0.1:${await freePort()}`], 'dns.tsigKeyFile': keyFile };
  const program: Program = { kind: 'worker', connection, redis, settings };
  const file = join(folder.path, `worker-${workers.length}.json`);
  const child = new CommandChild({ script, file, program });
  workers.push(child);
  await child.start();
  return child;
}

interface Row {
  readonly kind: string;
  readonly token: string | null;
  readonly done: number;
}

const rows = (kinds: readonly string[]) =>
  place.ground.db.query<Row>(
    `SELECT kind, lease_token AS token, done FROM owed_work WHERE kind IN (${kinds.map((kind) => `'${kind}'`).join()}) ORDER BY kind`,
  );

/** Jobs hang in the middle of their work until the transaction ends. */
async function held(work: (tx: Transaction) => Promise<void>): Promise<void> {
  await place.ground.db.transaction(async (tx) => {
    await tx.execute('SET SESSION idle_transaction_timeout = 600');
    await tx.query('SELECT 1 FROM gslb_pool_member FOR UPDATE');
    await tx.query('SELECT 1 FROM dns_record_set FOR UPDATE');
    await work(tx);
  });
}

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'a worker gets %s while it judges, plans and publishes',
  async (signal) => {
    const { db } = place.ground;
    const checker = await place.vantagePoint('eu');
    const member = await place.member('one');
    const name = await place.name('shop');
    await place.say(checker, { [member]: 'UP' });
    const [vantagePoint] = await db.query<{ id: string }>('SELECT id FROM gslb_vantage_point');
    await db.execute("INSERT INTO dns_zone (name, writer) VALUES ('plain.test', UUID())");
    const set = '00000000-0000-4000-8000-000000000001';
    await db.execute(
      `INSERT INTO dns_record_set (id, zone, name, owner, generation, ttl_seconds) VALUES (?, 'plain.test', 'x.plain.test', 'gslb/1', 1, 5)`,
      [set],
    );
    const work = [
      [evaluationKind, member],
      [planKind, name],
      [vantageKind, vantagePoint?.id ?? ''],
      [publishKind, set],
    ] as const;
    const kinds = work.map(([kind]) => kind);
    await db.execute('DELETE FROM owed_work');
    const first = await worker();
    let before: readonly Row[] = [];
    await held(async () => {
      await db.transaction(async (tx) => {
        for (const [kind, key] of work) await owe(tx, kind, key, {}, wake);
      });
      before = await waitFor('the first to have them all', async () => {
        const now = await rows(kinds);
        return now.every(({ token }) => token !== null) ? now : undefined;
      });
      await worker();
      if (signal === 'SIGKILL') await first.kill();
      else first.signal(signal);
      // Long before a publication or a vantage point's evaluation times out.
      await db.transaction((tx) => owe(tx, planKind, 'later', { dueInMs: 28_000 }));
      await waitFor('another to have them all', async () => {
        const now = await rows(kinds).then((all) =>
          all.filter(({ kind, token }) => kind !== planKind || token !== null),
        );
        return (
          now.length === work.length && now.every(({ token }, at) => token !== null && token !== before[at]?.token)
        );
      });
      const [later] = await db.query("SELECT done FROM owed_work WHERE `key` = 'later'");
      expect(later).toEqual({ done: 0 });
      first.signal('SIGCONT');
    });
    await waitFor('the work to be done', async () => {
      const done = (await rows(kinds)).filter((row) => row.done > 0);
      return done.length >= work.length && done.every(({ token }) => token === null);
    });
    expect(await db.query('SELECT verdict_after AS verdict FROM gslb_flip')).toEqual([{ verdict: 'UP' }]);
  },
  120_000 * patience,
);
