// A worker stops whatever has happened to Redis. BullMQ itself would wait for Redis endlessly.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedRedis, startRedis } from '../../../embedded/redis.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { Database } from '../../../platform/database/database.ts';
import { owe } from '../../../platform/owed/owed-work.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';
import { createEffects } from './effects-queue.ts';

let database: TestDatabase;
let db: Database;
let folder: TemporaryFolder;
let data: DataFolder;
let server: EmbeddedRedis | undefined;
let child: ChildProcess | undefined;

beforeEach(async () => {
  database = await testDatabase();
  db = new Database({ connection: database.connection });
  await db.execute(createEffects);
  folder = await temporaryFolder();
  data = await openDataFolder(join(folder.path, 'data'), { version: 1 });
});
afterEach(async () => {
  child?.kill('SIGKILL');
  child = undefined;
  if (server !== undefined) process.kill(server.pid, 'SIGCONT');
  await server?.stop();
  server = undefined;
  await data.close();
  await folder.remove();
  await db.close();
  await database.drop();
});

async function startServer(): Promise<EmbeddedRedis> {
  server = await startRedis({ folder: data, log: silentLog });
  return server;
}

async function killServer(): Promise<void> {
  const killed = server;
  server = undefined;
  if (killed === undefined) return;
  process.kill(killed.pid, 'SIGKILL');
  await killed.exited;
}

function startWorker(jobMs = 1): ChildProcess {
  const options = { connection: database.connection, redisPath: data.socketPath('redis.sock'), jobMs };
  child = fork(join(import.meta.dirname, 'queue-process.ts'), [JSON.stringify(options)], { execArgv: [] });
  return child;
}

const oweOne = () => db.transaction((tx) => owe(tx, 'test', 'key'));
const stillOwed = () => db.query('SELECT 1 FROM owed_work WHERE due_at IS NOT NULL');
const effects = () => db.query('SELECT 1 FROM test_effect');

/** Its exit code once it has nothing left to do. */
async function stopped(worker: ChildProcess): Promise<number | null> {
  worker.send('stop');
  await waitFor('the end of the worker', () => worker.exitCode !== null || worker.signalCode !== null);
  return worker.exitCode;
}

/** All its connections are open, because it has done a job. */
async function atWork(jobMs?: number): Promise<ChildProcess> {
  await startServer();
  const worker = startWorker(jobMs);
  await oweOne();
  await once(worker, 'message');
  return worker;
}

test('Redis was killed', async () => {
  const worker = await atWork();
  await waitFor('the job is done', async () => (await stillOwed()).length === 0);
  await killServer();
  expect(await stopped(worker)).toBe(0);
});

test('Redis was killed during a job: the job is finished', async () => {
  const worker = await atWork(1_500);
  await killServer();
  expect(await stopped(worker)).toBe(0);
  expect(await effects()).toHaveLength(1);
  expect(await stillOwed()).toEqual([]);
});

test('Redis no longer answers', async () => {
  const worker = await atWork();
  await waitFor('the job is done', async () => (await stillOwed()).length === 0);
  process.kill(server?.pid ?? 0, 'SIGSTOP');
  expect(await stopped(worker)).toBe(0);
});

test('Redis no longer answers during a job: the job is finished', async () => {
  const worker = await atWork(1_500);
  process.kill(server?.pid ?? 0, 'SIGSTOP');
  expect(await stopped(worker)).toBe(0);
  expect(await effects()).toHaveLength(1);
});

test('Redis was never there', async () => {
  const worker = startWorker();
  await oweOne();
  await waitFor('the worker runs', async () => (await db.query('SHOW PROCESSLIST')).length > 3);
  expect(await stopped(worker)).toBe(0);
  expect(await stillOwed()).toHaveLength(1);
});

test('Redis came back before', async () => {
  const worker = await atWork();
  await waitFor('the job is done', async () => (await stillOwed()).length === 0);
  await killServer();
  await startServer();
  await oweOne();
  await waitFor('the next job is done', async () => (await effects()).length === 2);
  expect(await stopped(worker)).toBe(0);
});
