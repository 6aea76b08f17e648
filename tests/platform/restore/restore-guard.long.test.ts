// Memories outside of the database reveal that it was set back. Nothing else is mistaken for a set-back.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Database } from '../../../platform/database/database.ts';
import { RestoreGuard, type RestoreGuardOptions } from '../../../platform/restore/restore-guard.ts';
import { FileTextMemory, RedisTextMemory, type TextMemory } from '../../../platform/restore/text-memory.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { LocalContext } from '../../support/product/test-context.ts';
import { type Backup, backUp } from '../../support/stores/backup.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

let place: TestDatabase;
let ground: LocalContext;
let folder: TemporaryFolder;
let redis: Redis;
let file: FileTextMemory;
let shared: RedisTextMemory;
let guards: RestoreGuard[];
let backups: Backup[];
const grounds: LocalContext[] = [];

beforeEach(async () => {
  place = await testDatabase();
  folder = await temporaryFolder();
  redis = new Redis(place.redisPath);
  file = new FileTextMemory(join(folder.path, 'database.memory'));
  shared = new RedisTextMemory(redis, place.redisPrefix);
  guards = [];
  backups = [];
  ground = openContext();
});

afterEach(async () => {
  for (const guard of guards) await guard.stop();
  for (const each of grounds.splice(0)) await each.stop();
  for (const each of backups) await each.remove();
  redis.disconnect();
  await folder.remove();
  await place.drop();
});

/** The context of another process, which remembers nothing itself. */
function openContext(): LocalContext {
  const opened = new LocalContext({ connection: place.connection, connectionLimit: 4 });
  grounds.push(opened);
  return opened;
}

async function guard(
  memories: readonly TextMemory[],
  { on = ground, onSetBack = 'continue' }: { on?: LocalContext; onSetBack?: RestoreGuardOptions['onSetBack'] } = {},
): Promise<RestoreGuard> {
  const { db, wake, log, owner } = on;
  const made = new RestoreGuard({ db, wake, log, owner, memories, onSetBack });
  guards.push(made);
  await made.start();
  return made;
}

const write = (on = ground) => on.db.transaction((tx) => on.commits.record(tx));
const remembered = async (memory: TextMemory, id: string) => {
  const [row] = await ground.db.query<{ history: string }>('SELECT history FROM db_timeline ORDER BY epoch LIMIT 1');
  return Object.values(await memory.read(row?.history ?? '')).some((text) => text.endsWith(id));
};
const lossy = (db: Database = ground.db) =>
  db.query<{ epoch: number; cause: string; lostUntil: Date | null }>(
    'SELECT epoch, cause, lost_until AS lostUntil FROM db_timeline WHERE lossy = 1 ORDER BY epoch',
  );

async function backup(): Promise<Backup> {
  const made = await backUp(place);
  backups.push(made);
  return made;
}

/** The process ends after a remembered write, and the backup from before it is restored. */
async function setBackWhileDown(memories: readonly TextMemory[]): Promise<void> {
  const first = await guard(memories);
  const older = await backup();
  await write();
  const { id = '' } = ground.db.lastCommit ?? {};
  for (const memory of memories) await waitFor('the memory', () => remembered(memory, id));
  await first.stop();
  await older.restore();
  ground = openContext();
}

test.each([
  ['a file', () => [file]],
  ['Redis', () => [shared]],
])('a start on a database older than the memory in %s begins a lossy timeline', async (_, memories) => {
  await setBackWhileDown(memories());
  await guard(memories());
  expect(await lossy()).toMatchObject([{ epoch: 2, cause: 'RESTORE' }]);
  const events = await ground.db.query(
    "SELECT to_status AS state, reason FROM status_change WHERE kind = 'database.timeline'",
  );
  expect(events).toMatchObject([{ state: 'LOSSY', reason: expect.stringContaining('are lost') }]);
});

test('a running process notices a restore under it without any memory', async () => {
  await guard([]);
  const older = await backup();
  await write();
  await older.restore();
  await waitFor('the timeline', async () => (await lossy()).length === 1);
  // It happens once, because the loss is then known.
  await ground.db.query('SELECT SLEEP(1.5)');
  expect(await lossy()).toHaveLength(1);
});

test('a commit on the restored database hides nothing', async () => {
  await guard([]);
  const older = await backup();
  await write();
  await waitFor('a look', () => ground.db.commitProofs[0]?.id === ground.db.lastCommit?.id);
  await older.restore();
  await write();
  await waitFor('the timeline', async () => (await lossy()).length === 1);
});

test('several processes that notice it begin one timeline', async () => {
  const all = [ground, openContext(), openContext()];
  for (const each of all) await guard([file, shared], { on: each });
  const older = await backup();
  for (const each of all) await write(each);
  await older.restore();
  await waitFor('the timeline', async () => (await lossy()).length > 0);
  await ground.db.query('SELECT SLEEP(1.5)');
  expect(await lossy()).toHaveLength(1);
});

test('a change without a mutation counts, because an event is followed by a commit', async () => {
  await guard([shared]);
  const older = await backup();
  await ground.append({ reason: 'a node died' });
  await ground.sequence();
  await waitFor('the commit', async () => {
    const [row] = await ground.db.query<{ n: number }>(
      'SELECT COUNT(*) AS n FROM commit_record WHERE at >= (SELECT MAX(at) FROM status_change)',
    );
    return (row?.n ?? 0) > 0;
  });
  await older.restore();
  await waitFor('the timeline', async () => (await lossy()).length === 1);
});

test('the epoch is above every remembered one, even if a lossy timeline is lost with the rest', async () => {
  await setBackWhileDown([file]);
  const second = await guard([file]);
  const older = backups[0];
  await write();
  const { id = '' } = ground.db.lastCommit ?? {};
  await waitFor('the memory', () => remembered(file, id));
  await second.stop();
  await older?.restore();
  ground = openContext();
  await guard([file]);
  expect(await lossy()).toMatchObject([{ epoch: 3 }]);
});

test('with `refuse` a start ends with a clear message, and nothing is written', async () => {
  await setBackWhileDown([file]);
  await expect(guard([file], { onSetBack: 'refuse' })).rejects.toThrow(
    /database\.onSetBack: the database was set back: .* are lost.* restore a newer backup/s,
  );
  expect(await lossy()).toEqual([]);
});

test('with `refuse` a running process reports it until the right database returns', async () => {
  const running = await guard([], { onSetBack: 'refuse' });
  const older = await backup();
  await write();
  const newer = await backup();
  await older.restore();
  await waitFor('the refusal', () => running.refusal !== undefined);
  await newer.restore();
  await waitFor('its end', () => running.refusal === undefined);
  expect(await lossy()).toEqual([]);
});

test('a memory older than the database, a failover without loss and a known loss begin nothing', async () => {
  const first = await guard([file, shared]);
  await write();
  const { id = '' } = ground.db.lastCommit ?? {};
  await waitFor('the memory', () => remembered(file, id));
  await first.stop();
  for (let count = 0; count < 5; count += 1) await write();
  ground = openContext();
  const second = await guard([file, shared]);
  await ground.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (2, 0)');
  await write();
  await ground.db.query('SELECT SLEEP(1)');
  await second.stop();
  expect(await lossy()).toEqual([]);
  // The state that a forced promotion leaves.
  const older = await backup();
  await write();
  await older.restore();
  await ground.db.execute('INSERT INTO db_timeline (epoch, lossy) VALUES (3, 1)');
  await guard([file, shared]);
  await write();
  expect(await lossy()).toMatchObject([{ epoch: 3, cause: 'PROMOTION' }]);
});

test('memories of another installation, and points older than the retention of commit records, are ignored', async () => {
  const old = newUuid(Date.now() - 9 * 24 * 3_600_000);
  await file.write(newUuid(), { [newUuid()]: `7.${newUuid()}` });
  const [row] = await ground.db.query<{ history: string }>('SELECT history FROM db_timeline');
  await file.write(row?.history ?? '', { [newUuid()]: `1.${old}` });
  await guard([file]);
  await write();
  expect(await lossy()).toEqual([]);
  await waitFor('the old point', async () => !(await remembered(file, old)));
});

test('a restore after a standstill longer than the retention of commit records is noticed', async () => {
  const dayMs = 24 * 3_600_000;
  await ground.db.execute('INSERT INTO commit_record (id, timeline, at) VALUES (?, 1, NOW(3) - INTERVAL 30 DAY)', [
    newUuid(Date.now() - 30 * dayMs),
  ]);
  const [row] = await ground.db.query<{ history: string }>('SELECT history FROM db_timeline');
  await file.write(row?.history ?? '', { [newUuid()]: `1.${newUuid(Date.now() - 9 * dayMs)}` });
  await guard([file]);
  expect(await lossy()).toMatchObject([{ epoch: 2, cause: 'RESTORE' }]);
});

test('a standstill alone begins nothing, even once its last commit record is deleted', async () => {
  const id = newUuid(Date.now() - 9 * 24 * 3_600_000);
  await ground.db.execute('INSERT INTO commit_record (id, timeline, at) VALUES (?, 1, NOW(3) - INTERVAL 9 DAY)', [id]);
  const [row] = await ground.db.query<{ history: string }>('SELECT history FROM db_timeline');
  await file.write(row?.history ?? '', { [newUuid()]: `1.${id}` });
  await guard([file]);
  await ground.db.execute('DELETE FROM commit_record WHERE id = ?', [id]);
  await guard([file], { on: openContext() });
  await write();
  expect(await lossy()).toEqual([]);
});

describe('keys from an escrow, without database.memory', () => {
  const served = () =>
    ground.db.execute("INSERT INTO running_time (role, from_at, until_at) VALUES ('system', NOW(3), NOW(3))");

  test('beside a database that was served, they begin a lossy timeline, once', async () => {
    await served();
    const first = await guard([file, shared]);
    expect(await lossy()).toMatchObject([{ epoch: 2, cause: 'RESTORE' }]);
    expect(await ground.db.query("SELECT reason FROM status_change WHERE kind = 'database.timeline'")).toEqual([
      { reason: expect.stringContaining('a restored backup or a copy') },
    ]);
    await first.stop();
    await guard([file, shared], { on: openContext() });
    expect(await lossy()).toHaveLength(1);
  });

  test('with `refuse` the start ends', async () => {
    await served();
    await expect(guard([file, shared], { onSetBack: 'refuse' })).rejects.toThrow('a restored backup or a copy');
    expect(await lossy()).toEqual([]);
  });

  test('a new installation, a further host, a lost Redis and a process without key files begin nothing', async () => {
    // Nothing has served it.
    const first = await guard([file, shared]);
    await served();
    await write();
    await first.stop();
    // Redis remembers it.
    const elsewhere = new FileTextMemory(join(folder.path, 'other.memory'));
    await guard([elsewhere, shared], { on: openContext() });
    await redis.del(...(await redis.keys(`${place.redisPrefix}*`)));
    await guard([file, shared], { on: openContext() });
    await guard([new RedisTextMemory(redis, `${place.redisPrefix}-empty`)], { on: openContext() });
    // Another process is at work.
    await ground.db.execute(
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('process/process/x', UUID(), 'x', NOW(3) + INTERVAL 1 MINUTE)",
    );
    const third = new FileTextMemory(join(folder.path, 'third.memory'));
    await guard([third, new RedisTextMemory(redis, `${place.redisPrefix}-empty`)], { on: openContext() });
    expect(await lossy()).toEqual([]);
  });
});

test('a damaged file is replaced', async () => {
  await writeFile(file.name, '{"version": 1, "instal');
  await guard([file]);
  await write();
  await waitFor('the memory', async () =>
    (await readFile(file.name, 'utf8')).includes(ground.db.lastCommit?.id ?? '?'),
  );
});

test('a memory that fails briefly or answers late is not logged, and one that keeps failing is logged once', async () => {
  const lines: unknown[] = [];
  const warn = ({ memory, step }: Record<string, unknown>) => void lines.push({ memory, step });
  const { db, wake, owner } = ground;
  const log = { ...ground.log, warn } as unknown as RestoreGuardOptions['log'];
  const looks = new Map<string, number>();
  const failing = (name: string, most: number, afterMs = 0) =>
    ({
      ...{ name, write: async () => undefined, forget: async () => undefined },
      read: async () => {
        looks.set(name, (looks.get(name) ?? 0) + 1);
        if ((looks.get(name) ?? 0) <= most) throw new Error('not connected yet');
        if (afterMs > 0) await sleep(afterMs);
        return {};
      },
    }) as unknown as TextMemory;
  for (const [name, most, afterMs] of [
    ['connects late', 1, 0],
    // Its deadline is a second.
    ['answers late', 0, 1_100],
    ['lost', Number.POSITIVE_INFINITY, 0],
  ] as const) {
    const made = new RestoreGuard({
      ...{ db, wake, log, owner, onSetBack: 'continue', logAfterMs: 200, memories: [failing(name, most, afterMs)] },
    });
    guards.push(made);
    await made.start();
    await waitFor('four looks', () => (looks.get(name) ?? 0) >= 4);
  }
  expect(lines).toEqual([{ memory: 'lost', step: 'read' }]);
});
