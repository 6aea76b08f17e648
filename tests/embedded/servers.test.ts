// The embedded servers after kill -9 of their owner, after kill -9 of the servers, and after an unfinished install.

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { createConnection, createPool } from 'mariadb';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { warnings } from '../../embedded/etcd.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { ServerProcess } from '../../embedded/server-process.ts';
import { type SetupLog, silentLog } from '../../embedded/setup-log.ts';
import { supervise } from '../../embedded/supervise.ts';
import {
  isRunning,
  stays,
  type TemporaryFolder,
  temporaryFolder,
  waitFor,
} from '../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => place.remove());

interface Owner {
  readonly child: ChildProcess;
  readonly pids: { mariadb: number; redis: number };
}

async function startOwner(path: string): Promise<Owner> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'owner-process.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { PATH: process.env.PATH },
  });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, pids: JSON.parse(line) as Owner['pids'] };
}

function serverOf(command: string, ...args: string[]): ServerProcess {
  return new ServerProcess({ name: 'probe', command, args, cwd: place.path, runAs: undefined, log: silentLog });
}

test('kill -9 of the owner ends both servers, and the next owner finds every committed row', async () => {
  const path = join(place.path, 'killed');
  const owner = await startOwner(path);
  const password = (await readFile(join(path, 'secrets', 'mariadb-application'), 'utf8')).trim();
  const socketPath = join(path, 'run', 'mariadb.sock');
  const writer = await createConnection({ socketPath, user: 'tidegate', password, database: 'tidegate' });
  writer.on('error', () => {});
  await writer.query('CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=InnoDB');
  await writer.query('INSERT INTO kept VALUES (1)');

  owner.child.kill('SIGKILL');
  // There is no wait, because the next owner must cope with servers that are still stopping.
  await once(owner.child, 'exit');
  const folder = await openDataFolder(path, { version: 1 });
  const mariadb = await startMariadb({ folder, log: silentLog });
  const redis = await startRedis({ folder, log: silentLog });
  await waitFor('the old servers to end', () => !isRunning(owner.pids.mariadb) && !isRunning(owner.pids.redis));
  const reader = await createConnection(mariadb.application);
  expect(await reader.query('SELECT id FROM kept')).toEqual([{ id: 1 }]);
  await reader.end();
  writer.destroy();
  await Promise.all([mariadb.stop(), redis.stop()]);
  await folder.close();
  expect(await mariadb.exited).toEqual({ code: 0, signal: null });
});

test('a server that outlived its owner is stopped before a new one starts on its files', async () => {
  const path = join(place.path, 'outlived');
  const owner = await startOwner(path);
  // A stopped process does not handle SIGTERM, so it stays as long as the test needs it.
  process.kill(owner.pids.redis, 'SIGSTOP');
  owner.child.kill('SIGKILL');
  await once(owner.child, 'exit');
  const folder = await openDataFolder(path, { version: 1 });
  let started = false;
  const starting = startRedis({ folder, log: silentLog }).finally(() => {
    started = true;
  });
  // A start that does not wait would be faster.
  await stays('it waits for the old one', 300, () => !started);
  process.kill(owner.pids.redis, 'SIGCONT');
  const redis = await starting;
  await waitFor('the old Redis to end', () => !isRunning(owner.pids.redis));
  await redis.stop();
  await folder.close();
});

test('a pid file with the pid of an unrelated process does no harm', async () => {
  const folder = await openDataFolder(join(place.path, 'stale-pid'), { version: 1 });
  const bystander = spawn('sleep', ['60'], { stdio: 'ignore' });
  const home = await folder.subfolder('redis', { forService: true });
  await writeFile(join(home, 'redis.pid'), `${bystander.pid}\n`);
  const redis = await startRedis({ folder, log: silentLog });
  expect(isRunning(bystander.pid ?? -1)).toBe(true);
  bystander.kill();
  await redis.stop();
  await folder.close();
});

test('an interrupted install is repeated, and root needs its password', async () => {
  const folder = await openDataFolder(join(place.path, 'half'), { version: 1 });
  const home = await folder.subfolder('mariadb', { forService: true });
  await mkdir(join(home, 'data.new', 'mysql'), { recursive: true });
  const mariadb = await startMariadb({ folder, log: silentLog });
  await expect(createConnection({ ...mariadb.rootConnection, password: '' })).rejects.toMatchObject({ errno: 1045 });
  const root = await createConnection(mariadb.rootConnection);
  const [settings] = await root.query<Record<string, unknown>[]>(
    'SELECT @@innodb_flush_log_at_trx_commit AS flush, @@log_bin AS log, @@collation_server AS collation',
  );
  expect(settings).toMatchObject({ collation: 'utf8mb4_bin' });
  expect([settings?.flush, settings?.log].map(Number)).toEqual([1, 0]);
  await root.end();
  await mariadb.stop();
  await folder.close();
});

test('MariaDB has two heaps, and keeps few tables open after statements that needed many', async () => {
  const folder = await openDataFolder(join(place.path, 'open-tables'), { version: 1 });
  const mariadb = await startMariadb({ folder, log: silentLog });
  expect(await readFile(`/proc/${mariadb.pid}/environ`, 'utf8')).toContain('MALLOC_ARENA_MAX=2\0');
  const connection = await createConnection(mariadb.application);
  await connection.query('CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=InnoDB');
  const select = 'SELECT id FROM kept';
  // Each mention of a table opens it again.
  await connection.query(Array.from({ length: 300 }, () => select).join(' UNION ALL '));
  const [open] = await connection.query<{ Value: string }[]>("SHOW GLOBAL STATUS LIKE 'Open_tables'");
  expect(Number(open?.Value)).toBeLessThanOrEqual(128);
  await connection.end();
  await mariadb.stop();
  await folder.close();
});

test('an older data folder has a binary log: after a kill during writes it is used once more, and then removed', async () => {
  const folder = await openDataFolder(join(place.path, 'older'), { version: 1 });
  const data = join(folder.path, 'mariadb/data');
  const binaryLogs = async () => (await readdir(data)).filter((name) => name.startsWith('binlog.'));
  const older = await startMariadb({ folder, log: silentLog, binaryLog: true });
  const pool = createPool({ ...older.application, connectionLimit: 8, acquireTimeout: 1_000 });
  await pool.query('CREATE TABLE kept (id INT PRIMARY KEY, text LONGTEXT) ENGINE=InnoDB');
  const acknowledged: number[] = [];
  let next = 0;
  const write = async () => {
    for (;;) {
      next += 1;
      const id = next;
      await pool.query("INSERT INTO kept VALUES (?, REPEAT('x', 2000))", [id]);
      acknowledged.push(id);
    }
  };
  const writers = Promise.allSettled(Array.from({ length: 8 }, write));
  await waitFor('writes', () => acknowledged.length > 500);
  process.kill(older.pid, 'SIGKILL');
  await writers;
  await pool.end();
  const index = join(data, 'binlog.index');
  await writeFile(index, (await readFile(index, 'utf8')).replaceAll('./', '/somewhere/else/'));

  const mariadb = await startMariadb({ folder, log: silentLog });
  expect(await binaryLogs()).toEqual([]);
  const reader = await createConnection(mariadb.application);
  const kept = new Set((await reader.query<{ id: number }[]>('SELECT id FROM kept')).map(({ id }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
  await reader.end();
  await mariadb.stop();
  await folder.close();
});

test('the supervisor restarts a killed Redis with its data', async () => {
  const folder = await openDataFolder(join(place.path, 'supervised'), { version: 1 });
  const events: string[] = [];
  const redis = await supervise('Redis', (signal) => startRedis({ folder, log: silentLog, signal }), {
    log: silentLog,
    onUp: () => events.push('up'),
    onDown: (exit) => events.push(`down ${exit.signal}`),
  });
  const { path, pid } = redis.current;
  const client = new Redis({ path });
  client.on('error', () => {});
  await client.set('kept', 'yes');
  await sleep(1_100); // The append-only file is synced once a second.
  process.kill(pid, 'SIGKILL');
  await waitFor('a restart', () => redis.restarts === 1);
  expect(redis.current.pid).not.toBe(pid);
  await waitFor('the client to be back', async () => (await client.get('kept')) === 'yes');
  client.disconnect();
  expect(events).toEqual(['up', 'down SIGKILL', 'up']);
  const lastPid = redis.current.pid;
  await redis.stop();
  expect(isRunning(lastPid)).toBe(false);
  await folder.close();
});

test('the supervisor restarts a killed MariaDB with every committed row, and pools reconnect', async () => {
  const folder = await openDataFolder(join(place.path, 'supervised-mariadb'), { version: 1 });
  const mariadb = await supervise('MariaDB', (signal) => startMariadb({ folder, log: silentLog, signal }), {
    log: silentLog,
  });
  const pool = createPool({ ...mariadb.current.application, connectionLimit: 2, acquireTimeout: 1_000 });
  await pool.query('CREATE TABLE kept (id INT PRIMARY KEY) ENGINE=InnoDB');
  for (let id = 0; id < 20; id += 1) await pool.query('INSERT INTO kept VALUES (?)', [id]);
  process.kill(mariadb.current.pid, 'SIGKILL');
  const [row] = await waitFor('the pool to work again', () =>
    pool.query<{ rows: bigint }[]>('SELECT COUNT(*) AS `rows` FROM kept').catch(() => undefined),
  );
  expect(Number(row?.rows)).toBe(20);
  await waitFor('the supervisor to know of it', () => mariadb.restarts === 1);
  await pool.end();
  await mariadb.stop();
  await folder.close();
});

test("a supervisor that is stopped while its server can't start ends at once", async () => {
  let starts = 0;
  const failing = await supervise(
    'probe',
    async () => {
      starts += 1;
      if (starts > 1) throw new Error('no disk');
      return serverOf('true');
    },
    { log: silentLog, firstPauseMs: 60_000 },
  );
  await waitFor('a failed restart', () => starts > 1);
  await failing.stop();
  expect(starts).toBe(2);
});

test('a server that accepts a request and never answers is stopped at the deadline, or when its caller stops', async () => {
  const never = () => new Promise<never>(() => undefined);
  const mute = serverOf('sleep', '60');
  await expect(mute.waitUntilReady(never, 200)).rejects.toMatchObject({
    code: 'SERVER_START_FAILED',
    message: expect.stringContaining('was not ready after 0.2 s (no answer)'),
  });
  expect((await mute.exited).signal).toBe('SIGTERM');

  const caller = new AbortController();
  const interrupted = serverOf('sleep', '60');
  const waiting = interrupted.waitUntilReady(never, 60_000, caller.signal);
  caller.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  expect((await interrupted.exited).signal).toBe('SIGTERM');
});

test("a server that can't start reports why", async () => {
  const folder = await openDataFolder(join(place.path, 'refused'), { version: 1 });
  await expect(startMariadb({ folder, log: silentLog, extraArguments: ['--no-such-option=1'] })).rejects.toMatchObject({
    code: 'SERVER_START_FAILED',
    message: expect.stringContaining("unknown variable 'no-such-option=1'"),
  });
  await folder.close();
});

test('as root, the servers run as their own user if the folder allows it', async () => {
  const folder = await openDataFolder(join(place.path, 'user'), { version: 1 });
  const redis = await startRedis({ folder, log: silentLog });
  const { uid } = await stat(`/proc/${redis.pid}`);
  if (process.getuid?.() === 0) expect(uid).toBe(folder.serviceUser?.uid);
  else expect(uid).toBe(process.getuid?.());
  await redis.stop();
  await folder.close();
});

test('warnings of etcd are warnings of its owner, ten in a minute at most', async () => {
  const said: string[] = [];
  const note = (level: string) => (message: string) => void said.push(`${level} ${message}`);
  const log: SetupLog = { debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
  const lines = `echo '{"level":"info"}'; for at in $(seq 12); do echo '{"level":"warn","msg":"slow"}'; done`;
  const server = new ServerProcess({
    ...{ name: 'etcd', command: '/bin/sh', args: ['-c', lines], cwd: place.path, runAs: undefined, log },
    warns: warnings(),
  });
  await server.exited;
  await waitFor('its lines', () => said.length === 13);
  expect(said[0]).toBe('debug etcd: {"level":"info"}');
  expect(said.map((each) => each.split(' ')[0])).toEqual(['debug', ...Array(10).fill('warn'), 'debug', 'debug']);
});

const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

testAsRoot('a host of a cluster comes first, with servers in sessions of their own', async () => {
  const priority = join(import.meta.dirname, '..', '..', 'embedded', 'priority.ts');
  const program = `
    import { spawn } from 'node:child_process';
    import { readFileSync } from 'node:fs';
    import { comeFirst, shareOut } from ${JSON.stringify(priority)};
    comeFirst();
    const server = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' });
    shareOut(server.pid);
    const read = (name) => readFileSync('/proc/' + server.pid + '/' + name, 'utf8').trim();
    const nice = read('stat').split(') ')[1].split(' ')[16];
    console.log(JSON.stringify([nice, read('oom_score_adj'), read('autogroup').split(' ').at(-1)]));
    server.kill();`;
  // Containers may forbid it.
  const mayScore = await runProgram('sh', [
    '-c',
    'echo -900 > /proc/self/oom_score_adj && cat /proc/self/oom_score_adj',
  ]);
  const score = mayScore.exitCode === 0 ? mayScore.stdout.trim() : '0';
  const started = async (niceness: string) => {
    const words = ['-n', niceness, 'setsid', '--wait', process.execPath, '--input-type=module', '-e', program];
    const { stdout, stderr } = await runProgram('nice', words);
    return JSON.parse(stdout || JSON.stringify(stderr));
  };
  expect(await started('0')).toEqual(['-10', score, '-10']);
  // Somebody has chosen another one.
  expect(await started('5')).toEqual(['5', score, '5']);
});
