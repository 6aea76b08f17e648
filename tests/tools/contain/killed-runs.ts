// Kills test runs at random moments and prints the leftovers on the machine, as JSON. killed-run.long.test.ts starts it in separate
// namespaces, so that nothing else changes there. Arguments: the seed, the number of runs, the longest time before a kill in ms, and the test
// file.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { seededRandom } from '../../../trials/random.ts';
import { until, waitFor } from '../../support/machine/temporary-folder.ts';

const root = join(import.meta.dirname, '../../..');
const goneMs = 60_000;
const [seed = '', runs = '', mostMs = '', file = ''] = process.argv.slice(2);

/** Everything that a run could leave, one item per line. */
function found(): readonly string[] {
  const processes = pids().map((pid) => `process ${pid} ${commandOf(pid)}`);
  const lines = (program: string, ...words: string[]) => execFileSync(program, words, { encoding: 'utf8' }).split('\n');
  const files = ['/dev/shm', '/run', '/run/netns', tmpdir()].flatMap((folder) =>
    readdirSync(folder).map((name) => `file ${join(folder, name)}`),
  );
  const interfaces = lines('ip', '-brief', 'link').map((line) => `interface ${line.split(' ')[0]}`);
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return [
    ...processes,
    ...files,
    ...interfaces,
    ...lines('ip', 'route').map((line) => `route ${line}`),
    ...mounts.map((line) => `mount ${line.split(' ')[4]}`),
  ];
}

/** The pids of running processes, without this one. */
function pids(): readonly string[] {
  return readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && name !== String(process.pid) && commandOf(name) !== '',
  );
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}

/** Items that exist now and did not exist before. Unexpected processes may still be ending. */
async function left(before: readonly string[], expected: (line: string) => boolean): Promise<readonly string[]> {
  const rest = () => found().filter((line) => !before.includes(line) && !expected(line));
  await waitFor('nothing to be left', () => rest().length === 0, goneMs).catch(() => undefined);
  return rest();
}

function start(words: readonly string[]) {
  return spawn('npm', ['test', '--', '--no-install', ...words], { cwd: root, stdio: 'ignore', env: process.env });
}

/** Waits until the run has started databases, or has ended. */
async function untilDatabases(isOver: () => boolean): Promise<void> {
  await until(() => isOver() || pids().some((pid) => commandOf(pid).includes('mariadbd ')));
}

const random = seededRandom(Number(seed));
const before = found();
const kills: { readonly afterMs: number; readonly killed: string; readonly left: readonly string[] }[] = [];
let mostProcesses = 0;
for (let run = 0; run < Number(runs); run += 1) {
  const npm = start([file]);
  const exit = once(npm, 'exit');
  const afterMs = random.integer(100, Number(mostMs));
  // The last run is killed when everything has started.
  if (run === Number(runs) - 1) await untilDatabases(() => npm.exitCode !== null);
  else await sleep(afterMs);
  const running = pids();
  mostProcesses = Math.max(mostProcesses, running.length);
  // npm, the run's own process, or a process inside the run.
  const targets = running.filter((pid) => /^npm|tools\/(contain\/main|tests\/run)/.test(commandOf(pid)));
  const target = random.pick(targets);
  const killed = commandOf(target);
  process.kill(Number(target), 'SIGKILL');
  await exit;
  // If its owner was killed, the run's own folder stays until the next run.
  kills.push({ afterMs, killed, left: await left(before, (line) => /^file .*\/tg-\d+-\d+-\w{6}$/.test(line)) });
}
const [code] = await once(start(['tests/tools/contain/run-folder.test.ts']), 'exit');
process.stdout.write(`${JSON.stringify({ kills, mostProcesses, code, left: await left(before, () => false) })}\n`);
