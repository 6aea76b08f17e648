// Losing the database while connections to it are being set up ends no process.
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
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

const live = (kind: string, socket = 'line') =>
  runProgram(process.execPath, [
    new URL('./broken-connect-process.ts', import.meta.url).pathname,
    kind,
    JSON.stringify({ ...database.connection, socketPath: join(folder.path, socket) }),
  ]);

test('a process with the guard continues, and gets an error about the connection', async () => {
  expect(await live('guarded')).toMatchObject({ exitCode: 0, stdout: 'alive' });
});

test('without it the connector ends the process: when this test fails, the guard can be removed', async () => {
  expect((await live('unguarded')).exitCode).not.toBe(0);
});

test('a session that is given up while its server sets it up ends no process', async () => {
  // The login gets through, and nothing after it.
  const silent = createServer((near) => {
    const far = connect(database.connection.socketPath ?? '');
    near.once('data', (login) => far.write(login));
    far.on('data', (chunk) => near.write(chunk));
    near.on('error', () => undefined).on('close', () => far.destroy());
    far.on('error', () => undefined);
  }).listen(join(folder.path, 'silent'));
  try {
    expect(await live('given-up', 'silent')).toMatchObject({ exitCode: 0, stdout: 'alive' });
  } finally {
    silent.close();
  }
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
