// `npm start -- --ha` as a person uses it: two data hosts and a witness on this machine, a CMP's load through their address, a switchover, hosts that
// fail and come back, and a start after one that was killed.
// needs: keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, iproute2, iputils-ping, system, root
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { longestSilenceMs } from '../../cli/commands/events/status-stream.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { Session } from '../../ha/agent/session.ts';
import type { ClusterStatus } from '../../ha/cluster.ts';
import { endLeftOver } from '../../lab/ha/hosts.ts';
import { demoFolderIn, hostDataFolder, mountsOf } from '../../lab/ha/places.ts';
import type { HostName } from '../../lab/ha/plan.ts';
import { processesIn } from '../../lab/processes.ts';
import { namespaces } from '../../lab/switched-network.ts';
import { atMost } from '../../platform/work/within.ts';
import { patience } from '../support/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/temporary-folder.ts';
import { ask, startProgram, tokenOf } from './support/up-process.ts';

type Started = ReturnType<typeof startProgram>;
interface Summary {
  readonly acknowledged: number;
  readonly unknown: number;
  readonly reads: number;
  readonly eventsResumed: number;
  readonly failures: readonly string[];
}

const program = join(import.meta.dirname, '..', '..', 'bin', 'tidegate');
const readyMs = 300_000 * patience;
const slowMs = 300_000 * patience;
const commandMs = 240_000 * patience;
const waitSeconds = String(120 * patience);
/** Each has one call under way at a time. */
const clients = 2;
/** What no fault may cause. A call that was under way when its host was lost may have failed: that is told, and true. */
const nothingLost = {
  ...{ lost: 0, repeated: 0, falselyFailed: 0, unknown: 0, readsFailed: 0, staleReads: 0, eventsMissed: 0 },
  eventsRepeated: 0,
};
/** An owner of tables that nothing else refers to. */
const undone = { owner: 'object-storage', tables: 'object\\_%' };
const nothingFailed = { ...nothingLost, failed: 0, failures: [] };
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

let place: TemporaryFolder;
let demo: Started | undefined;
const others = new Set<ChildProcess>();

describeAsRoot('two data hosts and a witness on one machine', () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    demo = await startDemo();
  }, readyMs);

  afterAll(async () => {
    for (const each of others) each.kill('SIGKILL');
    demo?.child.kill('SIGKILL');
    await demo?.ended;
    if (place !== undefined) await endLeftOver(folder());
    await place?.remove();
  });

  test(
    'the cluster is found by the data folder of the start, and serves at its address',
    async () => {
      const seen = await whole();
      expect(seen.hosts.map(({ name, keys }) => [name, keys])).toEqual([
        ['a', 'SAME'],
        ['b', 'SAME'],
        ['w', null],
      ]);
      const { backends } = await ask<{ backends: { nodes: { name: string }[] } }>(
        await url(),
        await tokenOf(folder()),
        '{ backends { nodes { name } } }',
      );
      expect(backends.nodes).toEqual([{ name: 'lab-firewall' }]);
      // Not root serves, but the account of a start without --ha.
      const served = await Promise.all((['a', 'b'] as const).map(serveOwner));
      expect(served).toEqual([60_873, 60_873]);
    },
    slowMs,
  );

  test(
    'under load a switchover fails nothing',
    async () => {
      const { primary, epoch } = await whole();
      const load = startLoad(20);
      await waitFor('the first writes', async () => (await countOperations()) > 3);
      expect(await tidegate(['ha', 'switchover', '--wait', waitSeconds])).toMatchObject({ exitCode: 0, stderr: '' });
      const summary = await load.summary();
      expect(summary).toMatchObject(nothingFailed);
      expect(summary.acknowledged).toBeGreaterThan(10);
      expect(summary.reads).toBeGreaterThan(10);
      const after = await whole();
      expect(after.primary).not.toBe(primary);
      expect(after.epoch).toBeGreaterThan(epoch);
    },
    slowMs,
  );

  // A CMP goes to the address of the primary, or has the list of hosts.
  test.each([
    ['unplug', 'the address'],
    ['kill', 'the list of hosts'],
    ['freeze', 'the list of hosts'],
  ])(
    'under load by %s a whole primary is lost, with its gateway, and comes back with every write: %s',
    async (fault, way) => {
      const before = await ledByFirst();
      const lost = before.primary as HostName;
      const load = await startedLoad(30, way);
      expect(await tidegate(['lab', fault, lost])).toMatchObject({ exitCode: 0 });
      await waitFor('another primary', async () => {
        const seen = await statusNow();
        return seen !== undefined && seen.primary !== null && seen.primary !== lost;
      });
      expect(await tidegate(['lab', 'plug', lost])).toMatchObject({ exitCode: 0 });
      const summary = await load.summary();
      expectNothingLost(summary);
      // Whoever follows was at the lost one, and went on after its cursor; one that stood still for some seconds only still has its reader.
      if (fault !== 'freeze') expect(summary.eventsResumed).toBeGreaterThan(0);
      const after = await whole();
      expect(after.epoch).toBeGreaterThan(before.epoch);
    },
    slowMs,
  );

  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'under load the gateway of the primary gets %s, and nothing is lost, by the list of hosts and by the address',
    async (signal) => {
      const { primary } = await ledByFirst();
      // One that gets SIGKILL takes its connections along, and the address stays: a client of the address has nothing to see.
      const ways = signal === 'SIGKILL' ? ['the list of hosts'] : ['the list of hosts', 'the address'];
      const loads = await Promise.all(ways.map((way) => startedLoad(35, way)));
      const pid = await servePid(primary as HostName);
      process.kill(pid, signal);
      if (signal === 'SIGSTOP') {
        // Longer than its leases and a client's patience: others have its work, and it must not go on with it.
        await sleep(longestSilenceMs + 5_000);
        process.kill(pid, 'SIGCONT');
      }
      for (const load of loads) {
        const summary = await load.summary();
        expectNothingLost(summary);
        expect(summary.acknowledged).toBeGreaterThan(10);
        expect(summary.eventsResumed).toBeGreaterThan(0);
      }
      await whole();
    },
    slowMs,
  );

  test(
    'each fault is real, is shown, and is taken back',
    async () => {
      await whole();
      const disk = join(mountsOf(folder()), 'w');
      const fault = async (words: readonly string[], state: string) => {
        expect(await tidegate(['lab', ...words])).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await stateOf('w')).toBe(state);
      };
      const healed = async () => {
        expect(await tidegate(['lab', 'plug', 'w'])).toMatchObject({ exitCode: 0, stderr: '' });
        expect(await stateOf('w')).toBe('UP');
      };
      const pids = async () => processesIn(await namespaceOf('w'));

      await fault(['freeze', 'w'], 'FROZEN');
      expect(new Set(await Promise.all((await pids()).map(runState)))).toEqual(new Set(['T']));
      await healed();
      expect((await Promise.all((await pids()).map(runState))).includes('T')).toBe(false);

      const { bavail: free } = await statfs(disk);
      await fault(['fill-disk', 'w'], 'DISK_FULL');
      // etcd gives back the file that it was preparing, when it ends.
      expect((await statfs(disk)).bavail).toBeLessThan(free / 4);
      await healed();
      expect((await statfs(disk)).bavail).toBeGreaterThan(0);

      await fault(['freeze-disk', 'w'], 'DISK_FROZEN');
      const written = writeFile(join(disk, 'probe'), 'x').then(() => true);
      expect(await atMost(500, written)).toBeUndefined();
      await healed();
      expect(await written).toBe(true);
      await rm(join(disk, 'probe'));

      await fault(['cut', 'b', 'w'], 'CUT_FROM_B');
      expect(await reaches('b', 'w')).toBe(false);
      expect(await reaches('a', 'w')).toBe(true);
      await healed();
      expect(await reaches('b', 'w')).toBe(true);

      await fault(['kill', 'w'], 'KILLED');
      expect(await pids()).toEqual([]);
      await healed();
      expect((await pids()).length).toBeGreaterThan(0);

      await fault(['skew', 'w', '40'], 'SKEWED');
      await waitFor('a clock that is off', async () => Math.abs((await clockOf('w')) - 40_000) < 5_000);
      await healed();
      await waitFor('a clock that is right', async () => Math.abs(await clockOf('w')) < 5_000);
      await whole();
    },
    slowMs,
  );

  test.each([
    [['lab', 'unplug', 'c'], 1, 'there is no host c: the hosts are a, b, w'],
    [['lab', 'cut', 'a', 'a'], 1, 'a host is cut from another one'],
    [['lab', 'skew', 'a', 'soon'], 2, 'SECONDS is a whole number'],
    [['lab', 'add', 'fortigate', '--no-install'], 1, 'no part fortigate'],
    [['up', '--ha', '--no-install'], 1, 'in use by process'],
    [['up', '--ha', '--port', '4000'], 2, '--ha does not take --port'],
    [['ha', 'leave'], 2, 'say which host leaves: --host a, --host b, --host w'],
  ])(
    '%j is refused',
    async (words, exitCode, text) => {
      const answer = await tidegate(words);
      expect({ ...answer, stdout: '' }).toEqual({ exitCode, stdout: '', stderr: expect.stringContaining(text) });
    },
    slowMs,
  );

  test(
    'after kill -9 of the start the next one goes on with the same hosts and data, also those of an older version',
    async () => {
      const before = await whole();
      const operations = await countOperations();
      await lackMigration(before.primary as HostName);
      // The worst that can be left: a host that stands still, on a disk that does.
      expect(await tidegate(['lab', 'freeze-disk', 'w'])).toMatchObject({ exitCode: 0 });
      expect(await tidegate(['lab', 'freeze', 'b'])).toMatchObject({ exitCode: 0 });
      demo?.child.kill('SIGKILL');
      await demo?.ended;
      demo = await startDemo();
      const after = await whole();
      expect(after.epoch).toBeGreaterThanOrEqual(before.epoch);
      expect(after.hosts.map(({ address }) => address)).toEqual(before.hosts.map(({ address }) => address));
      expect(await countOperations()).toBeGreaterThanOrEqual(operations);
      expect(
        await sql(
          after.primary as HostName,
          `SELECT migration_name FROM tidegate._prisma_migrations
        WHERE migration_name LIKE '${undone.owner}/%'`,
        ),
      ).toHaveLength(1);
      const load = startLoad(5);
      expect(await load.summary()).toMatchObject(nothingFailed);
    },
    slowMs,
  );

  test(
    'SIGTERM ends all of it',
    async () => {
      const spaces = await Promise.all((['a', 'b', 'w'] as const).map(namespaceOf));
      demo?.child.kill('SIGTERM');
      expect(await demo?.ended).toEqual({ code: 0, signal: null });
      expect(demo?.output()).toContain('Stopped.');
      const left = await namespaces();
      expect(spaces.filter((each) => left.includes(each))).toEqual([]);
      expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(mountsOf(folder()));
      expect(await tidegate(['ha', 'status'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('NOT_CONFIGURED'),
      });
      expect(await tidegate(['lab', 'load', '--seconds', '1'])).toMatchObject({
        exitCode: 3,
        stderr: expect.stringContaining('no hosts run'),
      });
    },
    slowMs,
  );
});

test('without root it is refused', async () => {
  const words = ['up', '--ha', '--no-install', '--data', '/tmp/nothing'];
  const asOther = process.getuid?.() === 0 ? ['setpriv', '--reuid', '60873', '--regid', '60873', '--clear-groups'] : [];
  const [command = '', ...args] = [...asOther, 'sh', program, ...words];
  const { exitCode, stderr } = await runProgram(command, args);
  expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('--ha needs root') });
});

const folder = (): string => demoFolderIn(place.path);

async function startDemo(): Promise<Started> {
  const started = startProgram(['up', '--ha', '--data', place.path]);
  const giveUpAt = performance.now() + readyMs;
  while (!started.output().includes('Ctrl-C stops everything.')) {
    const over = await atMost(100, started.ended);
    if (over === undefined && performance.now() < giveUpAt) continue;
    started.child.kill('SIGKILL');
    throw new Error(`the hosts did not get ready:\n${started.output()}\n${await logs()}`);
  }
  return started;
}

async function logs(): Promise<string> {
  const read = (name: string) => readFile(join(folder(), 'logs', `${name}.log`), 'utf8').catch(() => '');
  return (await Promise.all(['a', 'b', 'w'].map(read))).map((text) => text.slice(-2_000)).join('\n');
}

function startLoad(seconds: number, more: readonly string[] = []): { summary(): Promise<Summary> } {
  const counts = ['--seconds', String(seconds), '--clients', String(clients)];
  const words = ['lab', 'load', ...counts, '--data', place.path, ...more];
  const child = spawn('sh', [program, ...words, '--json'], { stdio: ['ignore', 'pipe', 'pipe'] });
  others.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  return {
    async summary() {
      await ended;
      try {
        return JSON.parse(stdout) as Summary;
      } catch {
        throw new Error(`the load told no summary: ${stdout}${stderr}`);
      }
    },
  };
}

function tidegate(words: readonly string[]) {
  return runProgram('sh', [program, ...words, '--data', place.path], { timeoutMs: commandMs });
}

async function status(...more: readonly string[]): Promise<ClusterStatus> {
  const { stdout, stderr } = await tidegate(['ha', 'status', '--json', ...more]);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as ClusterStatus;
}

async function whole(): Promise<ClusterStatus> {
  const seen = await status('--wait', waitSeconds);
  expect(seen).toMatchObject({ copies: 2, switchoverTo: null });
  return seen;
}

/** The first of the list. */
async function ledByFirst(): Promise<ClusterStatus> {
  await waitFor('a to be the primary', async () => {
    const { primary } = await whole();
    if (primary === 'a') return true;
    await tidegate(['ha', 'switchover', '--to', 'a', '--wait', waitSeconds]);
    return false;
  });
  return whole();
}

/** Once it writes, and follows events. */
async function startedLoad(seconds: number, way: 'the address' | 'the list of hosts' | string) {
  const operations = await countOperations();
  const load = startLoad(seconds, way === 'the address' ? [] : ['--hosts']);
  await waitFor('the first writes', async () => (await countOperations()) > operations + 3);
  return load;
}

/** A call that was under way with the lost one has an unknown outcome: a look at the firewall settles it, or it is still quiet when the load ends. */
function expectNothingLost(summary: Summary): void {
  expect(summary).toMatchObject({ ...nothingLost, unknown: expect.any(Number) });
  expect(summary.unknown).toBeLessThanOrEqual(clients);
  for (const words of summary.failures) expect(words).toMatch(/: UNKNOWN, (then FAILED|and no look settled it)$/);
}

/** As the data of an older version. */
async function lackMigration(primary: HostName): Promise<void> {
  const [tables] = (await sql(
    primary,
    `SELECT GROUP_CONCAT('tidegate.', table_name) AS names FROM information_schema.tables
    WHERE table_schema = 'tidegate' AND table_name LIKE '${undone.tables}'`,
  )) as { readonly names: string }[];
  await sql(primary, `DROP TABLE ${tables?.names}`);
  await sql(primary, `DELETE FROM tidegate._prisma_migrations WHERE migration_name LIKE '${undone.owner}/%'`);
}

async function sql(host: HostName, text: string): Promise<unknown[]> {
  const data = hostDataFolder(join(mountsOf(folder()), host));
  const password = (await readFile(join(data, 'serve', 'database.password'), 'utf8')).trim();
  const session = new Session({ socketPath: join(data, 'run', 'mariadb.sock'), user: 'tidegate', password });
  try {
    return await session.query<unknown[]>(text, [], 30_000);
  } finally {
    session.forget();
  }
}

/** Undefined: etcd elects. */
function statusNow(): Promise<ClusterStatus | undefined> {
  return status().catch(() => undefined);
}

async function clockOf(name: HostName): Promise<number> {
  return (await statusNow())?.hosts.find((each) => each.name === name)?.clockAheadMs ?? Number.NaN;
}

async function hosts(): Promise<{ name: string; state: string; namespace: string; address: string }[]> {
  const { stdout } = await tidegate(['lab', 'hosts', '--json']);
  return JSON.parse(stdout) as { name: string; state: string; namespace: string; address: string }[];
}

async function hostRow(name: HostName) {
  const row = (await hosts()).find((each) => each.name === name);
  if (row === undefined) throw new Error(`no host ${name}`);
  return row;
}

async function stateOf(name: HostName): Promise<string> {
  return (await hostRow(name)).state;
}

async function namespaceOf(name: HostName): Promise<string> {
  return (await hostRow(name)).namespace;
}

async function reaches(from: HostName, to: HostName): Promise<boolean> {
  const [there, target] = [await hostRow(from), await hostRow(to)];
  const words = ['netns', 'exec', there.namespace, 'ping', '-c', '1', '-W', '1', target.address];
  return (await runProgram('ip', words)).exitCode === 0;
}

/** As ps(1) shows it: T is stopped. */
async function runState(pid: number): Promise<string> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[0] ?? '';
}

/** The user of `tidegate serve` on a host. */
async function serveOwner(name: HostName): Promise<number> {
  const text = await readFile(`/proc/${await servePid(name)}/status`, 'utf8');
  return Number(/^Uid:\s+(\d+)/m.exec(text)?.[1]);
}

/** The process itself: what has started it is another one. */
function servePid(name: HostName): Promise<number> {
  return waitFor(`"tidegate serve" on ${name}`, async () => {
    for (const pid of await processesIn(await namespaceOf(name))) {
      const words = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
      if (words[0]?.endsWith('node') === true && words.includes('serve')) return pid;
    }
    return undefined;
  });
}

async function url(): Promise<string> {
  return (await readFile(join(folder(), 'url'), 'utf8')).trim();
}

/** A connection that was kept open may have ended with its host. */
async function countOperations(): Promise<number> {
  const query = '{ relayOperationCounts { count } }';
  const [at, token] = [await url(), await tokenOf(folder())];
  const { relayOperationCounts } = await waitFor('an answer', () =>
    ask<{ relayOperationCounts: { count: number }[] }>(at, token, query).catch(() => undefined),
  );
  return relayOperationCounts.reduce((sum, { count }) => sum + count, 0);
}
