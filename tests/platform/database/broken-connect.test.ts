// If the database is lost while connections to it are being set up, no process ends.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import { isBrokenConnect } from '../../../platform/database/connector-rejections.ts';
import { Database } from '../../../platform/database/database.ts';
import { TcpLine } from '../../../simulators/tcp-line.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../../support/stores/database.ts';

let database: TestDatabase;
let folder: TemporaryFolder;
let line: TcpLine;

beforeAll(async () => {
  database = await testDatabase();
  folder = await temporaryFolder();
  // The client's first message is the login. The next one sets up the session, and never arrives.
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

describe('a server that ends connections during the TLS handshake', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    const clientSsl = 0x08;
    server = createServer((client) => {
      client.on('error', () => undefined);
      const real = connect({ path: database.connection.socketPath ?? '' });
      real.once('data', (greeting) => {
        // Checks that the greeting offers TLS: the second byte of the capabilities, after the version, the thread number and a part of the
        // salt.
        const at = greeting.indexOf(0, 5) + 1 + 4 + 8 + 1 + 1;
        greeting[at] = (greeting[at] ?? 0) | clientSsl;
        client.write(greeting);
        real.destroy();
      });
      client.on('data', () => client.end());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());

  const liveWithTls = (kind: string) => {
    const { socketPath: _, ...account } = database.connection;
    const location = { ...account, host: '127.0.0.1', port, tls: {} };
    return runProgram(process.execPath, [
      new URL('./broken-connect-process.ts', import.meta.url).pathname,
      ...[kind, JSON.stringify(location)],
    ]);
  };

  test('does not end a process with the guard', async () => {
    expect(await liveWithTls('guarded')).toMatchObject({ exitCode: 0, stdout: 'alive' });
  });

  test('ends a process without the guard: when this test fails, this part of the guard can be removed', async () => {
    const { exitCode, stderr } = await liveWithTls('unguarded');
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('before secure TLS connection was established');
  });
});

describe('a server that resets connections', () => {
  let server: Server;
  let port: number;

  beforeAll(async () => {
    server = createServer((client) => {
      client.on('error', () => undefined);
      const real = connect({ path: database.connection.socketPath ?? '' });
      real.on('error', () => undefined);
      real.on('data', (data) => client.write(data));
      let quiet: NodeJS.Timeout | undefined;
      client.on('data', (data) => {
        if (String(data) === 'login') client.resetAndDestroy();
        else real.write(data);
        clearTimeout(quiet);
        // The session is set up, and no statement runs on it.
        quiet = setTimeout(() => client.resetAndDestroy(), 300);
      });
      client.on('close', () => real.destroy());
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ({ port } = server.address() as AddressInfo);
  });
  afterAll(() => void server.close());

  const lose = (kind: string, how: string) => {
    const { socketPath: _, ...account } = database.connection;
    return runProgram(process.execPath, [
      new URL('./broken-connect-process.ts', import.meta.url).pathname,
      ...[kind, JSON.stringify({ ...account, port }), how],
    ]);
  };

  describe.each(['idle', 'unheard'])('%s', (how) => {
    test('does not end a process with the guard', async () => {
      expect(await lose('guarded', how)).toMatchObject({ exitCode: 0, stdout: 'alive' });
    });
    test('ends a process without the guard: when this test fails, this part of the guard can be removed', async () => {
      expect(await lose('unguarded', how)).toMatchObject({
        exitCode: 1,
        stderr: expect.stringMatching(/ECONNRESET|EPIPE/),
      });
    });
  });
});

test('without the guard the connector ends the process: when this test fails, the guard can be removed', async () => {
  expect((await live('unguarded')).exitCode).not.toBe(0);
});

test('the lost connection does not fail a test either', async () => {
  const db = new Database({
    connection: { ...database.connection, socketPath: join(folder.path, 'line') },
    acquireTimeoutMs: 500,
  });
  await expect(db.query('SELECT 1')).rejects.toThrow();
  // An unhandled rejection is reported in a later turn, after the server has closed the connection.
  await sleep(200);
  await db.close();
});

test('any other unhandled rejection still ends the process', async () => {
  const done = await live('other');
  expect(done.exitCode).not.toBe(0);
  expect(done.stderr).toContain('a bug');
});

test('any other error without a listener also ends the process', async () => {
  const done = await live('thrown');
  expect(done.exitCode).not.toBe(0);
  expect(done.stderr).toContain('a bug of a listener');
});

test("a connection that was abandoned with the program's own error is recognised as broken, and no other error is", () => {
  // The connector marks the error this way if its socket is destroyed during SET NAMES.
  const givenUp = Object.assign(new Error('the session was given up'), { fatal: true, sqlState: 'HY000' });
  expect(isBrokenConnect(givenUp)).toBe(true);
  expect(isBrokenConnect(new Error('a bug'))).toBe(false);
  expect(isBrokenConnect(Object.assign(new Error('a bug'), { fatal: true }))).toBe(false);
  expect(isBrokenConnect(undefined)).toBe(false);
});
