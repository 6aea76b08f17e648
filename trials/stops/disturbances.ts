// Disturbances of the whole system in a trial. Each ends with the system restarted and nothing in its way.

import { appendFile, mkdir, readdir, rename, rm, truncate } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runProgram } from '../../embedded/run-program.ts';
import { killQuietly } from '../../embedded/server-process.ts';
import { accountFlags } from '../../embedded/service-account.ts';
import type { LoopDisk } from '../../lab/loop-disk.ts';
import { fixedPort } from '../../measure/fixed-port.ts';
import type { Random } from '../random.ts';
import { checkout, type NpmSystem, type Victim } from './npm-system.ts';

interface Stage {
  readonly system: NpmSystem;
  readonly disk: LoopDisk;
  readonly random: Random;
}

/** Returns a description in words. */
type Disturbance = (stage: Stage) => Promise<string>;

const longestStartMs = 4_000;
const longestFirstStartMs = 8_000;
const longestStopMs = 2_000;
const [shortestPauseMs, longestPauseMs] = [200, 8_000];
/** A stop takes as long as the longest call on the wire, and the databases' own stop. */
const npmGoneMs = 45_000;
const clockSteps = [1, 30, 3_600, 26 * 3_600];
const shiftClock = join(import.meta.dirname, 'shift-clock.ts');

export const disturbances = {
  terminate: async ({ system }) => {
    await system.stop();
    await system.start();
    return 'SIGTERM';
  },
  killGroup: async ({ system }) => {
    system.run.killGroup();
    await system.run.ended;
    await system.start();
    return 'SIGKILL of its process group';
  },
  killEverything: async ({ system }) => {
    await system.run.killEverything();
    await system.start();
    return 'SIGKILL of all its processes';
  },
  killNpm: async ({ system }) => {
    system.run.killNpm();
    if (!(await system.untilSilent(npmGoneMs))) throw new Error('without npm it still listens');
    await system.start();
    return 'SIGKILL of npm alone';
  },
  killService: async ({ system }) => {
    await system.killService();
    return 'SIGKILL of the process that serves';
  },
  killMariadb: (stage) => signal(stage, 'mariadbd', 'SIGKILL'),
  killRedis: (stage) => signal(stage, 'redis-server', 'SIGKILL'),
  killBoth: async (stage) =>
    (await Promise.all([signal(stage, 'mariadbd', 'SIGKILL'), signal(stage, 'redis-server', 'SIGKILL')])).join(', '),
  pauseService: (stage) => pause(stage, 'service'),
  pauseMariadb: (stage) => pause(stage, 'mariadbd'),
  pauseRedis: (stage) => pause(stage, 'redis-server'),
  killAmidStart: async ({ system, random }) => {
    await system.run.killEverything();
    const run = system.launch();
    const afterMs = random.integer(0, longestStartMs);
    await sleep(afterMs);
    if (random.next() < 0.5) await run.killEverything();
    else run.killGroup();
    await run.ended;
    await system.start();
    return `SIGKILL ${afterMs} ms after a start`;
  },
  terminateAmidStart: async ({ system, random }) => {
    await system.stop();
    const run = system.launch();
    const afterMs = random.integer(0, longestStartMs);
    await sleep(afterMs);
    run.terminate();
    await system.endOf(run);
    await system.start();
    return `SIGTERM ${afterMs} ms after a start`;
  },
  killAmidStop: async ({ system, random }) => {
    const { run } = system;
    const afterMs = random.integer(0, longestStopMs);
    run.terminate();
    await sleep(afterMs);
    await run.killEverything();
    await run.ended;
    await system.start();
    return `SIGKILL ${afterMs} ms after SIGTERM`;
  },
  terminateTwice: async ({ system }) => {
    system.run.terminate();
    // A second signal within a second may be npm's copy of the first.
    await sleep(1_100);
    system.run.terminate();
    await system.endOf(system.run);
    await system.start();
    return 'SIGTERM, and again';
  },
  killAmidFirstStart: async ({ system, disk, random }) => {
    const folder = join(disk.folder, 'first');
    const first = await system.elsewhere(folder);
    const run = first.launch();
    const afterMs = random.integer(0, longestFirstStartMs);
    await sleep(afterMs);
    await run.killEverything();
    await run.ended;
    await first.start();
    await first.stop();
    await rm(folder, { recursive: true });
    return `a first start, killed after ${afterMs} ms, and again`;
  },
  movedCheckout: async ({ system, disk }) => {
    await system.stop();
    const to = join(disk.folder, '..', 'checkout');
    await mkdir(to, { recursive: true });
    await mount(['--bind', checkout, to]);
    try {
      await system.start({}, to);
      await system.stop();
    } finally {
      await runProgram('umount', [to], {});
    }
    await system.start();
    return 'a start from another path of the checkout';
  },
  startBeside: async ({ system }) => {
    const { code, output } = await system.launchBeside(await fixedPort());
    if (code !== 1 || !output.includes('is in use by')) throw new Error(`a second start ended with ${code}: ${output}`);
    return 'a second start beside it';
  },
  damagedRedis: async ({ system, random }) => {
    await system.run.killEverything();
    const folder = join(system.dataPath, 'redis/appendonlydir');
    const damaged = [];
    for (const name of await readdir(folder)) {
      const file = join(folder, name);
      if (random.next() < 0.5) await appendFile(file, '*3\r\n$9\r\nrubbish');
      else await truncate(file, random.integer(0, 20));
      damaged.push(name);
    }
    await system.start();
    return `damaged ${damaged.join(', ')}`;
  },
  portTaken: async ({ system }) => {
    await system.stop();
    const other = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => other.listen(Number(new URL(system.url).port), '127.0.0.1', resolve));
    try {
      await system.mustFail(system.launch());
    } finally {
      await new Promise((resolve) => other.close(resolve));
    }
    await system.start();
    return 'a start with the port taken';
  },
  fullAtStart: async ({ system, disk, random }) => {
    await system.stop();
    const leftMib = random.pick([0, 8]);
    await disk.fill(leftMib);
    try {
      const said = await system.mustFail(system.launch());
      if (!/disk is full|MiB free/.test(said)) throw new Error(`a start with a full disk does not say so: ${said}`);
    } finally {
      await disk.free();
    }
    await system.start();
    return `a start with ${leftMib} MiB left`;
  },
  fullDisk: async ({ disk, random }) => {
    const [leftMib, forMs] = [random.pick([0, 8, 64]), random.integer(1_000, longestPauseMs)];
    await disk.fill(leftMib);
    await sleep(forMs);
    await disk.free();
    return `${leftMib} MiB left on the disk for ${forMs} ms`;
  },
  fullAndKilled: async ({ system, disk, random }) => {
    await disk.fill(0);
    await sleep(random.integer(500, 3_000));
    await system.run.killEverything();
    await disk.free();
    await system.start();
    return 'SIGKILL of all its processes, with a full disk';
  },
  frozenDisk: async ({ disk, random }) => {
    const forMs = random.integer(shortestPauseMs, longestPauseMs);
    await disk.freeze();
    await sleep(forMs);
    await disk.thaw();
    return `disk frozen for ${forMs} ms`;
  },
  movedFolder: async ({ system, disk, random }) => {
    if (random.next() < 0.5) await system.stop();
    else await system.run.killEverything();
    const to = join(disk.folder, system.dataPath.endsWith('/data') ? 'moved/elsewhere' : 'data');
    await mkdir(join(to, '..'), { recursive: true });
    await rename(system.dataPath, to);
    system.dataPath = to;
    await system.start();
    return `data folder moved to ${to}`;
  },
  clockStep: async ({ system, random }) => {
    if (random.next() < 0.5) await system.stop();
    else await system.run.killEverything();
    const seconds = random.pick(clockSteps) * random.pick([1, -1]);
    const order = [process.execPath, shiftClock, system.dataPath, String(seconds)];
    const { exitCode, stderr } = await runProgram('setpriv', [...accountFlags({ mayUseLowPorts: false }), ...order], {
      timeoutMs: 60_000,
    });
    if (exitCode !== 0) throw new Error(`the times could not be moved: ${stderr}`);
    await system.start();
    return seconds > 0 ? `clock set back by ${seconds} s` : `clock set forward by ${-seconds} s`;
  },
  temporaryGone: async ({ system, random }) => {
    await rm(join(system.dataPath, 'mariadb/tmp'), { recursive: true, force: true });
    if (random.next() < 0.5) return 'the temporary folder of MariaDB removed';
    await system.stop();
    await system.start({ TMPDIR: join(system.dataPath, 'no-such-folder') });
    return 'a start with a TMPDIR that does not exist';
  },
} satisfies Record<string, Disturbance>;

export type DisturbanceName = keyof typeof disturbances;
export const disturbanceNames = Object.keys(disturbances) as DisturbanceName[];

async function mount(args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram('mount', args, {});
  if (exitCode !== 0) throw new Error(`mount ended with ${exitCode}: ${stderr.trim()}`);
}

async function signal({ system }: Stage, victim: Victim, name: NodeJS.Signals): Promise<string> {
  const pid = await system.pidOf(victim);
  if (pid === undefined) throw new Error(`there is no ${victim}`);
  killQuietly(pid, name);
  return `${name} of ${victim}`;
}

async function pause(stage: Stage, victim: Victim): Promise<string> {
  const pid = await stage.system.pidOf(victim);
  if (pid === undefined) throw new Error(`there is no ${victim}`);
  const forMs = stage.random.integer(shortestPauseMs, longestPauseMs);
  killQuietly(pid, 'SIGSTOP');
  await sleep(forMs);
  killQuietly(pid, 'SIGCONT');
  return `${victim} paused for ${forMs} ms`;
}
