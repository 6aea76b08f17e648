// A start that fails reports the reason, ends with 1, and leaves no process and no lock. Once the fault is corrected, the next start works.
// The start corrects some faults itself.
// needs: root
import { appendFile, chmod, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { runProgram } from '../../embedded/run-program.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { ask, startProgram, startUp, tokenOf } from './support/up-process.ts';

let folder: TemporaryFolder;
let data: string;

beforeAll(async () => {
  folder = await temporaryFolder();
  data = join(folder.path, 'data');
  await startAndStop();
}, 120_000);

afterAll(async () => {
  expect(await processesOf(folder.path)).toEqual([]);
  await folder.remove();
});

async function startAndStop(path = data, use?: (url: string) => Promise<void>): Promise<string> {
  const up = await startUp(path, ['--no-lab']);
  try {
    await use?.(up.url);
  } finally {
    up.child.kill('SIGTERM');
    await up.ended;
  }
  return up.output();
}

/** Command lines of the processes that contain the folder. */
async function processesOf(path: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.map((line) => line.replaceAll('\0', ' ')).filter((line) => line.includes(`${path}/`));
}

/** A start that must fail. */
async function failedStart(path = data): Promise<string> {
  const started = startProgram(['up', '--port', '0', '--no-lab', '--data', path, '--log-level', 'warn']);
  const { code } = await started.ended;
  expect(code).toBe(1);
  expect(started.output()).not.toContain('    at ');
  expect(await processesOf(path)).toEqual([]);
  return started.output();
}

async function aside<T>(path: string, work: () => Promise<T>): Promise<T> {
  await rename(path, `${path}.aside`);
  try {
    return await work();
  } finally {
    await rm(path, { recursive: true, force: true });
    await rename(`${path}.aside`, path);
  }
}

describe('ends with 1, and the reason, when', () => {
  test("MariaDB's files are damaged", async () => {
    const file = join(data, 'mariadb/data/ibdata1');
    const output = await aside(file, async () => {
      await writeFile(file, 'x'.repeat(20_000));
      await chmod(file, 0o666);
      return failedStart();
    });
    expect(output).toContain('MariaDB');
  }, 60_000);

  test('the folder of Redis is a file', async () => {
    const output = await aside(join(data, 'redis'), async () => {
      await writeFile(join(data, 'redis'), 'x');
      return failedStart();
    });
    expect(output).toContain(join(data, 'redis'));
  }, 60_000);

  test('the folder of MariaDB is a file', async () => {
    const output = await aside(join(data, 'mariadb'), async () => {
      await writeFile(join(data, 'mariadb'), 'x');
      return failedStart();
    });
    expect(output).toContain(join(data, 'mariadb'));
  }, 60_000);

  test('the folder of keys is a file', async () => {
    const output = await aside(join(data, 'keys'), async () => {
      await writeFile(join(data, 'keys'), 'x');
      return failedStart();
    });
    expect(output).toContain(join(data, 'keys'));
  }, 60_000);
});

test('it starts after all these faults', async () => {
  await startAndStop();
}, 60_000);

test('a damaged file of Redis is put aside', async () => {
  const files = join(data, 'redis/appendonlydir');
  for (const name of await readdir(files))
    if (name.endsWith('.aof') || name.endsWith('.rdb')) await appendFile(join(files, name), '*3\r\n$9\r\nrubbish');
  const output = await startAndStop();
  expect(output).toContain('put aside');
  expect(await readdir(join(data, 'redis'))).toContain('damaged');
  expect(await startAndStop()).not.toContain('put aside');
}, 120_000);

test('a data folder that was moved or restored elsewhere starts with its data', async () => {
  await startAndStop(data, async (url) => {
    const query =
      'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { userErrors { code message } } }';
    const input = {
      ...{ name: 'kept', driver: 'linux-nftables', host: '203.0.113.5' },
      credentials: { username: 'u', password: 'p' },
    };
    expect(await ask(url, await tokenOf(data), query, { input })).toEqual({ backendCreate: { userErrors: [] } });
  });
  const moved = join(folder.path, 'elsewhere', 'data');
  await mkdir(join(folder.path, 'elsewhere'));
  await rename(data, moved);
  data = moved;
  const kept = async (url: string) => {
    const { backends } = await ask<{ backends: { nodes: unknown[] } }>(
      url,
      await tokenOf(data),
      '{ backends { nodes { name } } }',
    );
    expect(backends.nodes).toEqual([{ name: 'kept' }]);
  };
  await startAndStop(data, kept);
  await startAndStop(data, kept);
  const copy = join(folder.path, 'restored');
  await runProgram('cp', ['--archive', data, copy], { timeoutMs: 60_000 });
  await startAndStop(copy, kept);
}, 180_000);

const asRoot = process.getuid?.() === 0 ? test : test.skip;

asRoot(
  'a disk without space is reported at once',
  async () => {
    const small = join(folder.path, 'small');
    await mkdir(small);
    const mounted = await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', small], {});
    expect(mounted.exitCode).toBe(0);
    try {
      expect(await failedStart(join(small, 'data'))).toMatch(/has \d+ MiB free.*needs \d+ MiB/s);
    } finally {
      await runProgram('umount', [small], {});
    }
  },
  60_000,
);

test('leases of an earlier start are taken over at once, whatever the clock', async () => {
  const password = (await readFile(join(data, 'secrets/mariadb-application'), 'utf8')).trim();
  const socketPath = join(data, 'run/mariadb.sock');
  const connect = () => createConnection({ socketPath, user: 'tidegate', password, database: 'tidegate' });
  await startAndStop(data, async () => {
    const connection = await connect();
    const hourAhead =
      "INSERT INTO lease (name, token, owner, expires_at) VALUES ('test/ended', UUID(), 'x', NOW(3) + INTERVAL 1 HOUR)";
    await connection.query(hourAhead);
    await connection.end();
  });
  await startAndStop(data, async () => {
    const connection = await connect();
    const live = await connection.query("SELECT expires_at > NOW(3) AS live FROM lease WHERE name = 'test/ended'");
    expect([...live]).toEqual([{ live: 0 }]);
    await connection.end();
  });
}, 120_000);
