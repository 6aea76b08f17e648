// A process that publishes owed names, to be killed and paused. Its options are one argument in JSON.
import { pino } from 'pino';
import { createPublishQueue } from '../../dns/publish/publish-queue.ts';
import { createServerQueue } from '../../dns/publish/server-queue.ts';
import { Rfc2136Server } from '../../dns/servers/rfc2136-server.ts';
import type { ServerPlace } from '../../dns/servers/transport.ts';
import { readTsigKey } from '../../dns/servers/tsig-key-file.ts';
import { toleratesBrokenConnects } from '../../platform/database/connector-rejections.ts';
import { Database, type DatabaseLocation } from '../../platform/database/database.ts';
import { OwedWork } from '../../platform/owed/owed-work.ts';
import { Loop } from '../../platform/work/loop.ts';
import { createLocalWake } from '../../platform/work/wake.ts';

toleratesBrokenConnects(process);
const options = JSON.parse(process.argv[2] ?? '') as {
  readonly connection: DatabaseLocation;
  readonly servers: readonly { readonly place: ServerPlace; readonly keyFile: string }[];
};
const db = new Database({ connection: options.connection, connectionLimit: 6 });
const servers = await Promise.all(
  options.servers.map(async ({ place, keyFile }) => {
    return new Rfc2136Server({ place, key: await readTsigKey(keyFile), timeoutMs: 1_000 });
  }),
);
const log = pino({ level: 'silent' });
const wake = createLocalWake();
const queues = [createPublishQueue({ db, wake, servers }), createServerQueue({ db, wake, log, servers })];
// A claim that is shorter than a pause of the test, so that two processes work on one name.
const work = new OwedWork({ db, claimMs: 500, retry: { firstMs: 1, mostMs: 100, forever: true } });

async function runOne(kind: string, key: string): Promise<void> {
  const job = await work.claim(kind, key);
  const queue = queues.find((each) => each.kind === kind);
  if (job === undefined || queue === undefined) return;
  await queue.run(job, { signal: AbortSignal.timeout(5_000) }).catch((error) => work.fail(job, error));
}

new Loop({
  name: 'publications',
  log,
  pauseMs: () => 5,
  async run() {
    const rows = await work.dueRows({ kinds: queues.map(({ kind }) => kind), limit: 10 });
    await Promise.all(rows.map(({ kind, key }) => runOne(kind, key)));
    return false;
  },
}).start();
process.on('disconnect', () => process.exit(0));
