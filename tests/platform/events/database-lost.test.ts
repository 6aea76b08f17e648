// MariaDB is killed and restarted under writers, sequencer and readers. Acknowledged events arrive once, in order.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { platformMigrations } from '../../../compose/places.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { startMariadb } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import type { SequencedEvent } from '../../../platform/events/feed.ts';
import { checkLease } from '../../../platform/leases/leases.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../support/product/test-context.ts';

test('the stream continues without a gap, and each lease is either held or known to be lost', async () => {
  await using cleanup = new AsyncDisposableStack();
  const temporary = await temporaryFolder();
  cleanup.defer(() => temporary.remove());
  const folder = await openDataFolder(join(temporary.path, 'data'), { version: 1 });
  cleanup.defer(() => folder.close());
  let mariadb = await startMariadb({ folder, log: silentLog });
  cleanup.defer(() => mariadb.stop());
  await migrate(mariadb.application, [platformMigrations]);

  const location = { connection: mariadb.application };
  const ground = new LocalContext(location, { elected: true, leaseTtlMs: 2_000 });
  cleanup.defer(() => ground.stop());
  await ground.start();
  const { db, leases, feed } = ground;

  const received: SequencedEvent[] = [];
  const items = feed.subscribe({ filter: () => true });
  const reading = (async () => {
    for await (const { event } of items) if (event !== null) received.push(event);
  })();

  const acknowledged: string[] = [];
  let failures = 0;
  let writing = true;
  const write = async () => {
    while (writing) {
      const subjectId = newUuid();
      try {
        await ground.append({ subjectId });
        acknowledged.push(subjectId);
      } catch {
        failures += 1;
        await sleep(20);
      }
    }
  };
  const writers = [write(), write(), write()];
  const lease = await leases.acquire('work');
  for (let round = 0; round < 2; round += 1) {
    const before = acknowledged.length;
    await waitFor('writes', () => acknowledged.length > before + 50);
    process.kill(mariadb.pid, 'SIGKILL');
    await mariadb.exited;
    mariadb = await startMariadb({ folder, log: silentLog });
  }
  const before = acknowledged.length;
  await waitFor('writes after the last restart', () => acknowledged.length > before + 50);
  writing = false;
  await Promise.all(writers);

  const missing = () => {
    const seen = new Set(received.map((event) => event.subjectId));
    return acknowledged.filter((subjectId) => !seen.has(subjectId)).length;
  };
  await waitFor('all that was acknowledged', () => missing() === 0);
  expect(failures).toBeGreaterThan(0);
  expect(received.map((event) => event.seq)).toEqual(received.map((_, index) => index + 1));
  expect(new Set(received.map((event) => event.subjectId)).size).toBe(received.length);
  const fence = { name: 'work', token: lease?.token ?? '' };
  const fenced = await db
    .transaction((tx) => checkLease(tx, fence))
    .then(
      () => 'held',
      () => 'lost',
    );
  // A lease may be given up too early, but a write after its loss is not allowed.
  expect(fenced === 'held' || lease?.signal.aborted === true).toBe(true);
  await items.return(undefined);
  await reading;
});
