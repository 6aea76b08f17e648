// The database's disk fills up: writes are refused clearly, reads continue, and everything recovers when there is room. The disk
// is a small tmpfs, which needs root. Programs in /tmp can't be executed (noexec), which nothing notices.
// needs: root, util-linux
import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startProcess } from '../../compose/process.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { DiskFullError } from '../../platform/errors/database-errors.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { testEgressSettings } from '../support/machine/egress.ts';
import { temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { testDatabase } from '../support/stores/database.ts';
import { ask, startProgram, startUp, tokenOf, type UpProcess } from './support/up-process.ts';

const disk = join('/mnt', `tidegate-full-disk-${process.pid}`);
const data = join(disk, 'data');
const filler = join(disk, 'filler');
const mebibyte = 1024 * 1024;
const noexec = 'mount --bind /tmp /tmp && mount -o remount,bind,noexec /tmp && exec "$@"';
const testAsRoot = process.getuid?.() === 0 ? test : test.skip;

let up: UpProcess | undefined;
let token: string;

beforeAll(async () => {
  if (process.getuid?.() !== 0) return;
  await mkdir(disk, { mode: 0o755 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512m,mode=755,nr_inodes=4000', 'tmpfs', disk]);
  const env = { TIDEGATE_EGRESS_ALLOW: testEgressSettings['egress.allow'] };
  up = await startUp(data, ['--no-lab'], env, ['unshare', '--mount', 'sh', '-c', noexec, 'sh']);
  token = await tokenOf(data);
});

afterAll(async () => {
  up?.child.kill('SIGTERM');
  await up?.ended;
  if (process.getuid?.() !== 0) return;
  execFileSync('umount', ['--lazy', disk]);
  await rm(disk, { recursive: true, force: true });
});

/** Leaves this much free space. */
async function fillUpTo(leftBytes: number): Promise<void> {
  const handle = await open(filler, 'a');
  try {
    const chunk = Buffer.alloc(mebibyte);
    for (let { bavail, bsize } = await statfs(disk); bavail * bsize > leftBytes; { bavail, bsize } = await statfs(disk))
      await handle.write(chunk.subarray(0, Math.min(mebibyte, bavail * bsize - leftBytes)));
  } finally {
    await handle.close();
  }
}

const create =
  'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { name } userErrors { code message retry } } }';

interface Created {
  readonly backendCreate: {
    readonly backend: { readonly name: string } | null;
    readonly userErrors: readonly { readonly code: string; readonly message: string; readonly retry: string }[];
  };
}

/** Each backend has its own device. */
const registered: string[] = [];

function createBackend(name: string): Promise<Created> {
  if (!registered.includes(name)) registered.push(name);
  const input = {
    idempotencyKey: name,
    name,
    driver: 'linux-nftables',
    host: '127.0.0.1',
    port: 9 + registered.indexOf(name),
    credentials: { username: 'u', password: 'not-a-real-one' },
  };
  return ask<Created>(up?.url ?? '', token, create, { input });
}

async function names(): Promise<string[]> {
  const { backends } = await ask<{ backends: { nodes: { name: string }[] } }>(
    up?.url ?? '',
    token,
    '{ backends(first: 100) { nodes { name } } }',
  );
  return backends.nodes.map((backend) => backend.name);
}

async function isReady(): Promise<boolean> {
  return (await fetch(`${up?.url}/health/ready`)).status === 200;
}

testAsRoot('nearly full: refused with a reason and a retry, readable, not ready; with room: taken again', async () => {
  expect((await createBackend('before')).backendCreate.backend?.name).toBe('before');
  await fillUpTo(32 * mebibyte);
  await waitFor('writes to be refused', async () => !(await isReady()));
  const refused = (await createBackend('full')).backendCreate;
  expect(refused.backend).toBeNull();
  expect(refused.userErrors[0]).toMatchObject({ code: 'DISK_FULL', retry: 'SAME_KEY' });
  expect(refused.userErrors[0]?.message).toContain('disk');
  expect(await names()).toEqual(['before']);
  await rm(filler);
  await waitFor('writes to be taken again', isReady);
  expect((await createBackend('full')).backendCreate.backend?.name).toBe('full');
});

testAsRoot(
  'fills up in the middle of writes: what was acknowledged is there, the same keys give the rest',
  async () => {
    let stop = false;
    const acknowledged: string[] = [];
    const refused: string[] = [];
    const writer = (async () => {
      for (let number = 0; !stop && number < 90; number += 1) {
        const name = `busy-${String(number).padStart(2, '0')}`;
        const { backend } = (await createBackend(name)).backendCreate;
        (backend === null ? refused : acknowledged).push(name);
        await sleep(5);
      }
    })();
    await waitFor('some writes', () => acknowledged.length > 5);
    await fillUpTo(8 * mebibyte);
    await waitFor('a write to be refused', () => refused.length > 2);
    await rm(filler);
    await waitFor('writes to be taken again', isReady);
    stop = true;
    await writer;
    expect(await names()).toEqual(expect.arrayContaining(acknowledged));
    for (const name of refused) {
      expect(await names()).not.toContain(name);
      expect((await createBackend(name)).backendCreate.backend?.name).toBe(name);
    }
  },
);

testAsRoot('without a free inode: writes and reads go on; a new start ends with the reason', async () => {
  const files = join(disk, 'files');
  await mkdir(files);
  try {
    const full = async () => {
      for (let number = 0; number < 4000; number += 1) await (await open(join(files, String(number)), 'wx')).close();
    };
    await expect(full()).rejects.toMatchObject({ code: 'ENOSPC' });
    expect((await createBackend('no-inode')).backendCreate.backend?.name).toBe('no-inode');
    expect(await names()).toContain('no-inode');
    expect(await isReady()).toBe(true);
    const { ended, output } = startProgram(['up', '--no-lab', '--port', '0', '--data', join(disk, 'other')]);
    expect((await ended).code).toBe(1);
    expect(output()).toMatch(/its disk is full, or has no free inode\./);
    expect(output()).not.toMatch(/^\s+at /m);
  } finally {
    await rm(files, { recursive: true });
  }
});

describe('a process of `tidegate serve` whose database is on the same host', () => {
  testAsRoot('refuses writes when the disk of database.dataFolder is full', () =>
    refusesWrites({ path: disk, throws: DiskFullError, message: 'free space' }),
  );
  test("refuses to start when database.dataFolder can't be read", () =>
    refusesWrites({ path: '/nowhere/mysql', throws: ConfigError, message: 'database.dataFolder' }));

  interface Refusal {
    readonly path: string;
    readonly throws: new (...given: never[]) => Error;
    readonly message: string;
  }

  async function refusesWrites({ path, throws, message }: Refusal): Promise<void> {
    await using stack = new AsyncDisposableStack();
    const database = await testDatabase();
    stack.defer(() => database.drop());
    const folder = await temporaryFolder();
    stack.defer(() => folder.remove());
    const keys = join(folder.path, 'keys');
    await makeKeys(keys);
    const { socketPath, user, password, database: name } = database.connection;
    const flags = {
      ...{ 'database.socketPath': socketPath ?? '', 'database.user': user, 'database.password': password ?? '' },
      ...{ 'database.name': name, 'database.dataFolder': path, 'redis.path': database.redisPath },
      ...{ 'keys.folder': keys, roles: 'system' },
    };
    if (path === disk) await fillUpTo(32 * mebibyte);
    stack.defer(() => rm(filler, { force: true }));
    const write = async () => {
      const log = createLogger({ level: 'silent', pretty: false });
      const running = await startProcess(readConfig({ flags }, subgraphRows), log);
      stack.defer(() => running.stop());
      await running.access?.firstStart.ensureProject('p');
    };
    const error = await write().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(throws);
    expect(String(error)).toContain(message);
  }
});
