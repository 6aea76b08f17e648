// Losing the database while connections to it are being set up ends no process.
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { isBrokenConnect } from '../../../platform/database/connector-rejections.ts';
import { Database } from '../../../platform/database/database.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

let database: TestDatabase;
let folder: TemporaryFolder;
let line: TcpLine;

beforeAll(async () => {
  database = await testDatabase();
  folder = await temporaryFolder();
  // The client's first message is the login, the next sets up the session, which never arrives.
  line = await TcpLine.lay(
    { path: database.connection.socketPath ?? '' },
    {
      path: join(folder.path, 'line'),
      cutAfter: (_, from, chunks) => (from === 'client' && chunks > 1 ? 0 : undefined),
    },
  );
});
afterAll(async () => {
  await line.stop();
  await folder.remove();
  await database.drop();
});

const live = (kind: string) =>
  runProgram(process.execPath, [
    new URL('./broken-connect-process.ts', import.meta.url).pathname,
    kind,
    JSON.stringify({ ...database.connection, socketPath: join(folder.path, 'line') }),
  ]);

test('a process with the guard continues, and gets an error about the connection', async () => {
  expect(await live('guarded')).toMatchObject({ exitCode: 0, stdout: 'alive' });
});

test('without it the connector ends the process: when this test fails, the guard can be removed', async () => {
  expect((await live('unguarded')).exitCode).not.toBe(0);
});

test('it does not fail a test either', async () => {
  const db = new Database({
    connection: { ...database.connection, socketPath: join(folder.path, 'line') },
    acquireTimeoutMs: 500,
  });
  await expect(db.query('SELECT 1')).rejects.toThrow();
  await sleep(200);
  await db.close();
});

test('any other unhandled rejection still ends the process', async () => {
  const done = await live('other');
  expect(done.exitCode).not.toBe(0);
  expect(done.stderr).toContain('a bug');
});

test('a connection that was given up with an error of the program itself is known as broken, and no other error', () => {
  // As the connector marks the error with which its socket was destroyed, while it says SET NAMES.
  const givenUp = Object.assign(new Error('the session was given up'), { fatal: true, sqlState: 'HY000' });
  expect(isBrokenConnect(givenUp)).toBe(true);
  expect(isBrokenConnect(new Error('a bug'))).toBe(false);
  expect(isBrokenConnect(Object.assign(new Error('a bug'), { fatal: true }))).toBe(false);
  expect(isBrokenConnect(undefined)).toBe(false);
});
