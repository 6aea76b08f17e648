// A killed start leaves nothing behind, whenever it is killed: no processes, and no objects in the kernel. Its guard cleans up. If the
// guard was killed first, `tidegate lab clean` or the next start does.
// needs: system, dashboard, keepalived, etcd-server, mariadb-backup, libfaketime, e2fsprogs, mount, nftables, iproute2, openssh-server, openssh-client, util-linux, root
import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pathExists } from '../../embedded/find-program.ts';
import { runProgram } from '../../embedded/run-program.ts';
import { claimsFolder } from '../../lab/claims/claims.ts';
import { idOf } from '../../lab/device-place.ts';
import { demoFolderIn } from '../../lab/ha/places.ts';
import { seededRandom } from '../../trials/random.ts';
import { patience } from '../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { startProgram } from './support/up-process.ts';

const kills = 10;
/** The owner's start takes about this long on a quiet machine. */
const startMs = 2_500;
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;
const ownerProgram = join(import.meta.dirname, '..', 'lab', 'claims', 'owner-process.ts');
const tidegate = join(import.meta.dirname, '..', '..', 'bin', 'tidegate');

const readyMs = 240_000 * patience;

let place: TemporaryFolder;
const started = new Set<ChildProcess>();
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(async () => {
  for (const each of started) each.kill('SIGKILL');
  await runProgram('sh', [tidegate, 'lab', 'clean']);
  await place.remove();
});

describeAsRoot('a process that is killed', () => {
  test(
    'leaves nothing when it is killed at random moments',
    async () => {
      const seed = randomInt(2 ** 31);
      process.stdout.write(`seed: ${seed}\n`);
      const random = seededRandom(seed);
      const folder = await realpath(place.path);
      const ids = [idOf(join(folder, 'lab'))];
      let most = 0;
      for (let count = 0; count < kills; count += 1) {
        const owner = spawn(process.execPath, [ownerProgram, folder], { stdio: ['ignore', 'ignore', 'inherit'] });
        started.add(owner);
        await sleep(random.integer(0, startMs));
        const hasGuard = count % 2 === 0;
        if (!hasGuard) await killGuardOf(owner);
        most = Math.max(most, (await left(folder, ids)).length);
        owner.kill('SIGKILL');
        await once(owner, 'exit');
        if (!hasGuard) expect((await clean()).exitCode).toBe(0);
        await waitForNothing(folder, ids);
      }
      // Otherwise it was killed before it had created anything.
      expect(most).toBeGreaterThan(5);
    },
    180_000 * patience,
  );

  test(
    'when its guard is killed with it, the leftovers are listed and removed by hand',
    async () => {
      const folder = join(await realpath(place.path), 'by-hand');
      await mkdir(folder);
      const [owner, other] = [await startOwner(folder), await startOwner(place.path)];
      const space = `tg-${idOf(join(folder, 'lab'))}-client`;
      // Both run.
      expect((await clean()).stdout).not.toContain(place.path);
      await killGuardOf(owner);
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      const { stdout } = await clean();
      expect(stdout).toContain(`removed the namespace ${space} of process ${owner.pid}\n`);
      expect(stdout).toContain(`removed the mount ${folder}/disk of process ${owner.pid}\n`);
      expect(stdout).toMatch(/^removed the process \d+ \(sh\) of process \d+$/m);
      expect(stdout).not.toContain(`of process ${other.pid}`);
      // Objects with an owner still exist.
      const names = await readdir('/run/netns');
      const otherId = idOf(join(await realpath(place.path), 'lab'));
      expect(['firewall', 'client', 'server'].filter((name) => names.includes(`tg-${otherId}-${name}`))).toHaveLength(
        3,
      );
      other.kill('SIGKILL');
      await once(other, 'exit');
      await waitForNothing(await realpath(place.path), [otherId]);
    },
    120_000 * patience,
  );
});

describeAsRoot('tidegate up --ha', () => {
  const data = () => join(place.path, 'ha');
  const ids = async () => {
    const folder = demoFolderIn(await realpath(data()));
    return [idOf(folder), idOf(join(folder, 'lab', 'firewall'))];
  };

  test(
    'leaves nothing of hosts that stand still when it is killed',
    async () => {
      const up = startProgram(['up', '--ha', '--data', data()]);
      started.add(up.child);
      await waitForReady(() => up.output());
      const known = await ids();
      expect((await left(data(), known)).length).toBeGreaterThan(20);
      expect((await lab('freeze', 'b')).exitCode).toBe(0);
      expect((await lab('freeze-disk', 'w')).exitCode).toBe(0);
      up.child.kill('SIGKILL');
      await up.ended;
      await waitForNothing(data(), known);
    },
    readyMs + 60_000 * patience,
  );

  test(
    'ends in order when its terminal is closed',
    async () => {
      const url = join(demoFolderIn(data()), 'url');
      // script(1) has the terminal of the program that it runs.
      const terminal = spawn('script', ['-qfec', `sh ${tidegate} up --ha --data ${data()}`, '/dev/null'], {
        stdio: ['ignore', 'pipe', 'ignore'],
      });
      let output = '';
      terminal.stdout.on('data', (text: Buffer) => {
        output += text.toString();
      });
      started.add(terminal);
      await waitForReady(() => output);
      expect(await pathExists(url)).toBe(true);
      terminal.kill('SIGKILL');
      await waitForNothing(data(), await ids());
      // A killed start does not remove it.
      expect(await pathExists(url)).toBe(false);
    },
    readyMs + 60_000 * patience,
  );

  function lab(...words: readonly string[]) {
    return runProgram('sh', [tidegate, 'lab', ...words, '--data', data()], { timeoutMs: 60_000 * patience });
  }
});

async function startOwner(folder: string): Promise<ChildProcess> {
  const owner = spawn(process.execPath, [ownerProgram, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  started.add(owner);
  await once(owner.stdout, 'data');
  return owner;
}

async function waitForReady(output: () => string): Promise<void> {
  const isReady = () => output().includes('Ctrl-C stops everything.');
  await waitFor('the hosts', isReady, readyMs).catch(() => {
    throw new Error(`the hosts did not get ready: ${output()}`);
  });
}

function clean() {
  return runProgram('sh', [tidegate, 'lab', 'clean'], { timeoutMs: 60_000 * patience });
}

/** It may not exist yet. */
async function killGuardOf({ pid }: ChildProcess): Promise<void> {
  for (const { id, words } of await processes())
    if (words.includes(`${claimsFolder()}/`) && words.includes(`-${pid}-`) && words.includes('guard.sh'))
      process.kill(id, 'SIGKILL');
}

async function waitForNothing(folder: string, ids: readonly string[]): Promise<void> {
  let last: readonly string[] = [];
  await waitFor('everything to go', async () => {
    last = await left(folder, ids);
    return last.length === 0;
  }).catch((error: unknown) => {
    throw new Error(`${String(error)}: ${last.join('\n')}`);
  });
}

/** Everything that belongs to a start. `folder`: its data folder. `ids`: the ids of its networks and mounts. */
async function left(folder: string, ids: readonly string[]): Promise<readonly string[]> {
  const isOne = (text: string) => text.includes(`${folder}/`) || ids.some((id) => text.includes(id));
  const lines = async (command: string, ...args: readonly string[]) =>
    (await runProgram(command, args)).stdout.split('\n');
  const names = async (path: string) => (await readdir(path).catch(() => [])).map((name) => join(path, name));
  const devices = await Promise.all(
    (await names('/sys/block')).map((path) => readFile(join(path, 'loop', 'backing_file'), 'utf8').catch(() => '')),
  );
  return [
    ...(await processes()).map(({ id, words }) => `process ${id} ${words}`),
    ...(await processesInSpaces(isOne)),
    ...(await names('/run/netns')),
    ...(await lines('ip', '-o', 'link')),
    ...(await lines('ip', 'route')),
    ...(await readFile('/proc/self/mountinfo', 'utf8')).split('\n'),
    ...devices.map((path) => `loop device of ${path}`),
    ...(await names('/run')),
    ...(await names('/tmp')),
    ...(await claimsLeft()),
  ].filter(isOne);
}

async function processes(): Promise<readonly { readonly id: number; readonly words: string }[]> {
  const ids = (await readdir('/proc')).map(Number).filter((id) => id > 1 && id !== process.pid);
  return Promise.all(
    ids.map(async (id) => {
      const words = (await readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
      return { id, words };
    }),
  );
}

/** The processes that do not have these words. */
async function processesInSpaces(isOne: (text: string) => boolean): Promise<readonly string[]> {
  const spaces = (await readdir('/run/netns').catch(() => [])).filter(isOne);
  const found = await Promise.all(spaces.map((name) => runProgram('ip', ['netns', 'pids', name])));
  return found.flatMap(({ stdout }, at) =>
    stdout.split('\n').flatMap((pid) => (pid === '' ? [] : `process ${pid} in ${spaces[at]}`)),
  );
}

async function claimsLeft(): Promise<readonly string[]> {
  const names = await readdir(claimsFolder()).catch(() => []);
  const read = names.map((name) => readFile(join(claimsFolder(), name), 'utf8').catch(() => ''));
  return (await Promise.all(read)).flatMap((text) => text.split('\n').map((line) => `claim of ${line}/`));
}
