// A database that goes away while connections to it are being set up ends no process.
import { once } from 'node:events';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { Database } from '../../../platform/database/database.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

let database: TestDatabase;
let folder: TemporaryFolder;
let line: Server;

beforeAll(async () => {
  database = await testDatabase();
  folder = await temporaryFolder();
  // To the real server and back, until the client says a second thing: its log-in is the first, the session's setup the next.
  line = createServer((client) => {
    const server = connect(database.connection.socketPath ?? '');
    let said = 0;
    server.pipe(client);
    client.on('data', (bytes) => {
      said += 1;
      if (said === 1) server.write(bytes);
      else client.destroy();
    });
    for (const [one, other] of [
      [client, server],
      [server, client],
    ] as const) {
      one.on('error', () => other.destroy());
      one.on('close', () => other.destroy());
    }
  });
  line.listen(join(folder.path, 'line'));
  await once(line, 'listening');
});
afterAll(async () => {
  line.close();
  await folder.remove();
  await database.drop();
});

const live = (kind: string) =>
  runProgram(process.execPath, [
    new URL('./broken-connect-process.ts', import.meta.url).pathname,
    kind,
    JSON.stringify({ ...database.connection, socketPath: join(folder.path, 'line') }),
  ]);

test('a process with the guard lives on, and is told that there is no connection', async () => {
  expect(await live('guarded')).toMatchObject({ exitCode: 0, stdout: 'alive' });
});

test('without it the connector ends the process: when that no longer holds, the guard can go', async () => {
  expect((await live('unguarded')).exitCode).not.toBe(0);
});

test('nor does it fail a test', async () => {
  const db = new Database({
    connection: { ...database.connection, socketPath: join(folder.path, 'line') },
    acquireTimeoutMs: 500,
  });
  await expect(db.query('SELECT 1')).rejects.toThrow();
  await sleep(200);
  await db.close();
});

test('any other rejection that nobody handles still ends the process', async () => {
  const done = await live('other');
  expect(done.exitCode).not.toBe(0);
  expect(done.stderr).toContain('a bug');
});
