// The database's disk is completely full: any number of reads are answered while writes are refused, and everything recovers when there is
// space. The disk is a small tmpfs, which needs root.
// needs: root
import { execFileSync } from 'node:child_process';
import { mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { ownersOf } from '../../compose/owners.ts';
import { type RunningProcess, startProcess } from '../../compose/process.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig, rolesOf } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { testEgressSettings } from '../support/machine/egress.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { testServers } from '../support/stores/servers.ts';
import { ask } from './support/up-process.ts';

const disk = join('/mnt', `tidegate-last-byte-${process.pid}`);
const filler = join(disk, 'filler');
const testAsRoot = process.getuid?.() === 0 ? test : test.skip;
const mebibyte = 1024 * 1024;
/** More than the number of connections of a process. */
const readsAtOnce = 40;

let running = new AsyncDisposableStack();
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  if (process.getuid?.() !== 0) return;
  await mkdir(disk, { mode: 0o755 });
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512m,mode=755', 'tmpfs', disk]);
});
afterEach(async () => {
  await rm(filler, { force: true });
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});
afterAll(async () => {
  await folder.remove();
  if (process.getuid?.() !== 0) return;
  execFileSync('umount', ['--lazy', disk]);
  await rm(disk, { recursive: true, force: true });
});

interface System {
  readonly process: RunningProcess;
  readonly url: string;
  readonly token: string;
  /** The messages of its log, from level warning. */
  readonly warnings: string[];
  /** The reason why the graph lost the database. */
  readonly lost: string[];
}

/** All roles in this process; its database has a binary log. */
async function start({ name, isKnownDisk }: { name: string; isKnownDisk: boolean }): Promise<System> {
  const data = await openDataFolder(join(disk, name), { version: 1 });
  running.defer(() => data.close());
  const mariadb = await startMariadb({ folder: data, log: silentLog, binaryLog: true });
  running.defer(() => mariadb.stop());
  const { socketPath, user, password, database } = mariadb.application;
  const roles = rolesOf(subgraphRows).standard;
  await migrate(mariadb.application, ownersOf(roles, subgraphRows));
  const keys = join(folder.path, `keys-${name}`);
  await makeKeys(keys);
  const warnings: string[] = [];
  const lost: string[] = [];
  const destination = new Writable({
    write(chunk: Buffer, _encoding, done) {
      const { msg, err } = JSON.parse(chunk.toString()) as { msg: string; err?: { message?: string } };
      warnings.push(msg);
      if (msg === 'the graph lost the database') lost.push(err?.message ?? '');
      done();
    },
  });
  const flags = {
    ...{ roles: roles.join(','), 'listen.port': '0', 'keys.folder': keys, ...testEgressSettings },
    ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
    ...{ 'database.name': database, 'redis.path': testServers().redisPath },
    ...(isKnownDisk ? { 'database.dataFolder': disk } : {}),
  };
  const log = createLogger({ level: 'warn', pretty: false, destination });
  const process = await startProcess(readConfig({ flags }, subgraphRows), log);
  running.defer(() => process.stop());
  if (process.access === undefined) throw new Error('the role system is missing');
  const { token } = await firstAccounts(process.access, folder.path);
  return { process, url: process.url ?? '', token, warnings, lost };
}

async function fill(): Promise<void> {
  const handle = await open(filler, 'a');
  try {
    for (;;) {
      const { bavail, bsize } = await statfs(disk);
      if (bavail === 0) return;
      await handle.write(Buffer.alloc(Math.min(mebibyte, bavail * bsize)));
    }
  } catch (error) {
    expect((error as NodeJS.ErrnoException).code).toBe('ENOSPC');
  } finally {
    await handle.close();
  }
}

interface Created {
  readonly backendCreate: {
    readonly userErrors: readonly { readonly code: string; readonly message: string; readonly retry: string }[];
  };
}

/** Each backend has its own device. */
const registered: string[] = [];

function create({ url, token }: System, name: string): Promise<Created['backendCreate']> {
  if (!registered.includes(name)) registered.push(name);
  const port = 9 + registered.indexOf(name);
  const input = {
    ...{ idempotencyKey: name, name, driver: 'linux-nftables', host: '127.0.0.1', port },
    credentials: { username: 'u', password: 'not-a-real-one' },
  };
  const mutation =
    'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { userErrors { code message retry } } }';
  return ask<Created>(url, token, mutation, { input }).then((answer) => answer.backendCreate);
}

/** The first failures, with their causes. */
async function readAll({ url, token, lost }: System): Promise<string[]> {
  const read = () => ask(url, token, '{ backends(first: 100) { nodes { name } } relayOperations { nodes { id } } }');
  const answers = await Promise.allSettled(Array.from({ length: readsAtOnce }, read));
  const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [String(answer.reason)] : []));
  return failures.length === 0 ? [] : [...failures.slice(0, 3), ...lost.slice(-3)];
}

async function readiness({ url }: System): Promise<string> {
  return (await fetch(`${url}/health/ready`)).text();
}

testAsRoot.each([
  ['on this host', true],
  ['elsewhere', false],
])(
  'reads go on while the disk of a database %s has no byte left; writes are DISK_FULL',
  async (_where, isKnownDisk) => {
    const system = await start({ name: isKnownDisk ? 'here' : 'elsewhere', isKnownDisk });
    expect((await create(system, 'before')).userErrors).toEqual([]);
    await fill();
    // Some of them find the disk full and wait. Their answers come when there is space.
    const waiting = Array.from({ length: 12 }, (_, index) => create(system, `waiting-${index}`).catch(() => undefined));
    await waitFor('writes to be refused', async () => {
      const [first] = (await create(system, 'refused')).userErrors;
      return first?.code === 'DISK_FULL';
    });
    for (let round = 0; round < 5; round += 1) expect(await readAll(system)).toEqual([]);
    const [refused] = (await create(system, 'refused')).userErrors;
    expect(refused).toMatchObject({ code: 'DISK_FULL', retry: 'SAME_KEY' });
    expect(await readiness(system)).toMatch(/database.*disk/);
    // The full disk causes one line. Each write that finds the disk full reports it once, and so does the holder of a lease.
    const about = system.warnings.filter((message) => /disk/.test(message));
    expect(about).toEqual(["the database's disk is full: writes are refused until there is space"]);
    expect(system.warnings.length).toBeLessThan(20 + waiting.length);

    await rm(filler);
    await waitFor('writes to be accepted', async () => (await create(system, 'refused')).userErrors.length === 0);
    await Promise.all(waiting);
    for (let index = 0; index < 12; index += 1)
      expect((await create(system, `waiting-${index}`)).userErrors).toEqual([]);
    expect(await readAll(system)).toEqual([]);
    await system.process.stop();
  },
  240_000,
);
