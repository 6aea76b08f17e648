// Everything that a contained run starts or creates ends with it, however the run ends.
// needs: root, processes, iproute2, mount
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { waitFor } from '../../support/machine/temporary-folder.ts';

const root = join(import.meta.dirname, '../../..');
/** Starts a process that leaves its group and its parent, and creates a namespace, an interface, a mount and files. */
const makesAll = `
setsid sleep "$1" &
(setsid sleep "$1" &)
ip netns add tgc-left
ip netns exec tgc-left sleep "$1" &
ip link add tgc-left type veth peer name tgc-other
mkdir "$TMPDIR/mount"
mount -t tmpfs tmpfs "$TMPDIR/mount"
echo x | tee /dev/shm/tgc-left /run/tgc-left "$TMPDIR/file" >/dev/null
echo "$TMPDIR"
exec sleep "$1"`;

/** The parent folder of the run folders. */
let place: string;
/** The number of seconds to sleep. It identifies the processes of a test. */
let mark: string;
let running: ChildProcess | undefined;
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'contain-'));
  mark = `${Math.floor(1e8 + Math.random() * 8e8)}`;
});
afterEach(async () => {
  running?.kill('SIGKILL');
  await rm(place, { recursive: true, force: true });
});

function contained(script: string, around: readonly string[] = [], more: NodeJS.ProcessEnv = {}): ChildProcess {
  const command = [process.execPath, join(root, 'tools/contain/main.ts'), 'sh', '-c', script, 'sh', mark];
  const [program = '', ...words] = [...around, ...command];
  const env = { ...process.env, TMPDIR: place, npm_lifecycle_event: 'test', ...more };
  running = spawn(program, words, { env, stdio: ['ignore', 'pipe', 'inherit'] });
  return running;
}

async function firstLine(child: ChildProcess): Promise<string> {
  const ended = once(child, 'exit').then(([code]) => Promise.reject(new Error(`it ended with ${code}`)));
  const [chunk] = await Promise.race([once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data'), ended]);
  return String(chunk).trim();
}

async function codeOf(child: ChildProcess): Promise<unknown> {
  const [code, signal] = await once(child, 'exit');
  return code ?? signal;
}

async function processesWith(text: string): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
}

async function nothingIsLeft(): Promise<void> {
  await waitFor('its processes to end', async () => (await processesWith(mark)).length === 0);
  for (const folder of ['/run/netns', '/sys/class/net', '/dev/shm', '/run'])
    expect([folder, existsSync(join(folder, 'tgc-left'))]).toEqual([folder, false]);
  expect(await readFile('/proc/self/mountinfo', 'utf8')).not.toContain(place);
}

const withRights = process.getuid?.() === 0 ? describe : describe.skip;

withRights('a contained run', () => {
  test.each(['SIGTERM', 'SIGHUP', 'SIGINT'] as const)('%s ends everything and removes its folder', async (signal) => {
    const child = contained(makesAll);
    await firstLine(child);
    expect(await processesWith(mark)).not.toHaveLength(0);
    child.kill(signal);
    expect(await codeOf(child)).toBe({ SIGTERM: 143, SIGHUP: 129, SIGINT: 130 }[signal]);
    await nothingIsLeft();
    expect(await readdir(place)).toEqual([]);
  });

  test('SIGKILL ends everything, and the next run removes its folder', async () => {
    const child = contained(makesAll);
    const folder = await firstLine(child);
    child.kill('SIGKILL');
    await nothingIsLeft();
    expect(existsSync(join(folder, 'file'))).toBe(true);
    expect(await codeOf(contained('true'))).toBe(0);
    expect(await readdir(place)).toEqual([]);
  });

  test('the end of npm ends everything', async () => {
    // A process between the test and the run, as npm is.
    const npm = contained(makesAll, ['sh', '-c', '"$@"; exit $?', 'sh']);
    await firstLine(npm);
    npm.kill('SIGKILL');
    await nothingIsLeft();
    await waitFor('its folder to go', async () => (await readdir(place)).length === 0);
  });

  test('npm may end before the run begins, while the machine is being prepared', async () => {
    const ended = spawn('true');
    await once(ended, 'exit');
    const child = contained(makesAll, [], { TIDEGATE_PARENT: String(ended.pid) });
    expect(await codeOf(child)).toBe(129);
    await nothingIsLeft();
    expect(await readdir(place)).toEqual([]);
  });

  test.each([
    ['npm', 'test'],
    ['a script alone', undefined],
  ])('the parent pid that %s gives to a run is not passed on to its programs', async (_, event) => {
    const child = contained('echo "$# $(printenv TIDEGATE_PARENT || echo none)"', [], {
      ...{ TIDEGATE_PARENT: String(process.pid), npm_lifecycle_event: event },
    });
    expect(await firstLine(child)).toBe('1 none');
  });

  test('leftovers of a command that ends by itself are removed too', async () => {
    const child = contained(`${makesAll.replace('exec sleep "$1"', 'exit 7')}`);
    expect(await codeOf(child)).toBe(7);
    await nothingIsLeft();
    expect(await readdir(place)).toEqual([]);
  });

  test('a process whose parent has ended does not stay as a zombie', async () => {
    const child = contained(`(sleep 0.1 & echo $! >"$TMPDIR/pid"); pid=$(cat "$TMPDIR/pid")
      for i in $(seq 600); do [ -e "/proc/$pid" ] || exit 0; sleep 0.1; done; exit 1`);
    expect(await codeOf(child)).toBe(0);
  });

  test('a run has only its own interface, and gets the arguments unchanged', async () => {
    const child = contained('printf %s "$# $1 $(ls /proc/sys/net/ipv4/conf | tr \'\\n\' " ")"');
    expect(await firstLine(child)).toBe(`1 ${mark} all default lo`);
  });
});

test('a command that can’t be started is an error', async () => {
  const child = contained('exit 0', [process.execPath, join(root, 'tools/contain/main.ts'), '/nothing/here']);
  expect(await codeOf(child)).not.toBe(0);
});
