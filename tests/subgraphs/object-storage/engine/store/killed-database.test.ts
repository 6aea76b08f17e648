// MariaDB is killed under two processes of a cluster. Acknowledged values are there, and values that were read stay.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { openDataFolder } from '../../../../../embedded/data-folder.ts';
import { startMariadb } from '../../../../../embedded/mariadb.ts';
import { silentLog } from '../../../../../embedded/setup-log.ts';
import { migrate } from '../../../../../platform/database/migrate.ts';
import { noVersion, type Version } from '../../../../../platform/registers/version.ts';
import { Follower } from '../../../../../subgraphs/object-storage/engine/store/follower.ts';
import { seededRandom } from '../../../../../trials/random.ts';
import { temporaryFolder, waitFor } from '../../../../support/machine/temporary-folder.ts';
import { partitionsOf, StoreProcess, scopeOf, storeDatabase, storeMigrations } from './store-database.ts';

const ring = 1;
const epoch = 1;
const scopes = [1, 2, 3, 4].map(scopeOf);
const names = Array.from({ length: 25 }, (_, number) => `name ${number}`);

interface KillableDatabase extends AsyncDisposable {
  readonly connection: ConstructorParameters<typeof StoreProcess>[0];
  killAndRestart(): Promise<void>;
}

async function killableDatabase(): Promise<KillableDatabase> {
  const cleanup = new AsyncDisposableStack();
  const temporary = await temporaryFolder();
  cleanup.defer(() => temporary.remove());
  const folder = await openDataFolder(join(temporary.path, 'data'), { version: 1 });
  cleanup.defer(() => folder.close());
  let mariadb = await startMariadb({ folder, log: silentLog });
  cleanup.defer(() => mariadb.stop());
  await migrate(mariadb.application, storeMigrations);
  return {
    connection: mariadb.application,
    killAndRestart: async () => {
      process.kill(mariadb.pid, 'SIGKILL');
      await mariadb.exited;
      mariadb = await startMariadb({ folder, log: silentLog });
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

test('accepted, promised and read values are there after each kill', async () => {
  await using cleanup = new AsyncDisposableStack();
  const database = cleanup.use(await killableDatabase());
  const processes = [1, 2].map((cluster) => cleanup.use(new StoreProcess(database.connection, cluster)));
  const [first] = processes;
  if (first === undefined) throw new Error('no process');
  await first.partitions.enterRing({ ring, epoch, held: partitionsOf(scopes.map((scope) => ({ scope }))) });

  const random = seededRandom(11);
  /** The highest version that was acknowledged, seen or promised, by name. */
  const known = new Map<string, { version: Version; promised: Version }>();
  const learn = (id: string, version: Version, promised: Version) => {
    const before = known.get(id) ?? { version: noVersion, promised: noVersion };
    const highest = (one: Version, other: Version) => (one > other ? one : other);
    known.set(id, { version: highest(before.version, version), promised: highest(before.promised, promised) });
  };
  let done = 0;
  let failed = 0;
  let isRunning = true;
  const work = async ({ replica, clock }: StoreProcess) => {
    while (isRunning) {
      const key = { ring, scope: random.pick(scopes), name: random.pick(names) };
      const id = `${key.scope}/${key.name}`;
      const before = known.get(id);
      const version = clock.next();
      const op = random.pick(['read', 'promise', 'accept', 'accept'] as const);
      try {
        const written = { version, value: { head: JSON.stringify(version) } };
        const answer =
          op === 'read'
            ? await replica.ask({ op, key, epoch })
            : op === 'promise'
              ? await replica.ask({ op, key, epoch, ballot: version })
              : await replica.ask({ op, key, epoch, written });
        if (answer.refused !== undefined) throw new Error(answer.refused);
        const { row, done: isDone } = answer;
        done += 1;
        if (op === 'read') {
          // Values that were known before the request are there.
          if (before !== undefined && (row?.version ?? noVersion) < before.version) throw new StaleError(id);
          learn(id, row?.version ?? noVersion, noVersion);
        } else if (isDone) learn(id, op === 'accept' ? version : noVersion, version);
        else clock.meet(row?.promised ?? noVersion);
      } catch (error) {
        if (error instanceof StaleError) throw error;
        failed += 1;
        await sleep(20);
      }
    }
  };
  const workers = processes.flatMap((each) => [1, 2, 3, 4].map(() => work(each)));
  for (let round = 0; round < 3; round += 1) {
    const before = done;
    await waitFor('requests', () => done > before + 300);
    await database.killAndRestart();
  }
  const before = done;
  await waitFor('requests after the last restart', () => done > before + 100);
  isRunning = false;
  await Promise.all(workers);
  expect(failed).toBeGreaterThan(0);
  for (const scope of scopes)
    for (const name of names) {
      const { version, promised } = known.get(`${scope}/${name}`) ?? { version: noVersion, promised: noVersion };
      const answer = await first.replica.ask({ op: 'read', key: { ring, scope, name }, epoch });
      if (answer.refused !== undefined) throw new Error(answer.refused);
      const row = answer.row ?? { version: noVersion, promised: noVersion, value: undefined };
      expect(row.version >= version && row.promised >= promised).toBe(true);
      if (row.version !== noVersion) expect(row.value?.head).toBe(JSON.stringify(row.version));
    }
});

class StaleError extends Error {}

test('changes that were followed before a kill are not followed again', async () => {
  await using cleanup = new AsyncDisposableStack();
  const north = cleanup.use(new StoreProcess(await storeDatabase(cleanup), 0));
  const database = cleanup.use(await killableDatabase());
  const south = cleanup.use(new StoreProcess(database.connection, 1));
  for (const each of [north, south])
    await each.partitions.enterRing({ ring, epoch, held: partitionsOf(scopes.map((scope) => ({ scope }))) });
  await Promise.all(
    Array.from({ length: 1_000 }, (_, number) => {
      const key = { ring, scope: scopes[number % scopes.length] ?? '', name: `name ${number}` };
      return north.accept(key, north.clock.next(), number % 5 === 0 ? undefined : '{}');
    }),
  );
  let told = 0;
  const follower = () =>
    new Follower({
      ...{ db: south.db, partitions: south.partitions, clock: south.clock, log: pino({ level: 'silent' }) },
      ...{ cluster: 0, isMember: () => true, isChanging: () => false, settle: () => Promise.resolve() },
      peer: {
        heads: (mark) => north.changeLog.heads(mark),
        changes: async (wanted) => {
          const pages = await north.changeLog.changes(wanted);
          told += pages.reduce((sum, { changes }) => sum + changes.length, 0);
          return pages;
        },
      },
    });
  const never = new AbortController().signal;
  await follower().follow(never);
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(1_000);
  await database.killAndRestart();
  const again = follower();
  await waitFor('the other cluster was followed to its end', async () => {
    await again.follow(never).catch(() => undefined);
    return again.lag.changes === 0 && again.lag.heardAt !== undefined;
  });
  expect(told).toBe(1_000);
  expect(await south.rows()).toEqual(await north.rows());
});
