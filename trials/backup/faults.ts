// What happens to backups and restores in the trial: kills, full disks and flipped bits. Each returns how many unwhole things were taken for whole.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BackupFaults } from '../../backup/faults.ts';
import { fileFaults, openBackup } from '../../backup/open-backup.ts';
import { FolderPlace } from '../../backup/place.ts';
import { backupKeys } from '../../cli/commands/backup/faults.ts';
import { runProgram } from '../../embedded/run-program.ts';
import type { BackedUp } from '../../tests/backup/support/backed-up.ts';
import { startCommand } from '../../tests/cli/commands/run-command.ts';
import type { Random } from '../random.ts';
import { untilTrue } from '../until.ts';

const program = join(import.meta.dirname, '../../bin/tidegate.ts');
/** A command of its own takes about as long to start. */
const mostKillMs = 4_000;

/** Kills a backup at any moment of its run. */
export async function killCreate(world: BackedUp, random: Random): Promise<number> {
  await killed(world.createWords, random);
  return unwhole(world);
}

/** Kills a restore. Its folder has to be missing, or whole. */
export async function killRestore(world: BackedUp, random: Random, to: string): Promise<number> {
  await killed(['restore', world.path('backups'), '--to', world.path(to), ...world.openingWords], random);
  const names = await readdir(world.path(to)).catch(() => undefined);
  if (names === undefined) return 0;
  return names.some((name) => name.startsWith('archive.') || name === 'backup-my.cnf') ? 1 : 0;
}

async function killed(words: readonly string[], random: Random): Promise<void> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program, ...words], {
    stdio: 'ignore',
  });
  const exited = once(child, 'exit');
  await Promise.race([sleep(random.integer(1, mostKillMs)), exited]);
  child.kill('SIGKILL');
  await exited;
}

/** A disk that fills up after the check of its room. Undefined if this account can't mount a small disk. */
export async function fillDisk(world: BackedUp, number: number): Promise<number | undefined> {
  const disk = world.path(`disk-${number}`);
  await mkdir(disk);
  const { exitCode } = await runProgram('mount', ['-t', 'tmpfs', '-o', 'size=300m', 'tmpfs', disk]);
  if (exitCode !== 0) return undefined;
  try {
    const to = join(disk, 'backups');
    const words = world.createWords.map((each) => (each === world.path('backups') ? to : each));
    const run = startCommand([...words, '--mebi-per-second', '20']);
    await untilTrue(30_000, async () => (await readdir(join(to, '.unfinished')).catch(() => [])).length > 0);
    await runProgram('dd', ['if=/dev/zero', `of=${join(disk, 'fill')}`, 'bs=1M']);
    const isRefused = (await run.exitCode) === 1;
    const left = (await readdir(to)).filter((name) => name !== 'tidegate-backups.json');
    return isRefused && left.length === 0 ? 0 : 1;
  } finally {
    await runProgram('umount', [disk]);
  }
}

/** Flips a bit of any file of the newest backup, again and again. Returns how many flips were not found. */
export async function flipBits(world: BackedUp, random: Random, times: number): Promise<number> {
  const folder = (await world.backups()).at(-1) ?? '';
  const files = await filesOf(folder);
  let undetected = 0;
  for (let count = 0; count < times; count += 1) {
    const path = files[random.integer(0, files.length - 1)] ?? '';
    const bytes = await readFile(path);
    const at = random.integer(0, bytes.length - 1);
    const changed = Buffer.from(bytes);
    changed.writeUInt8(bytes.readUInt8(at) ^ (1 << random.integer(0, 7)), at);
    await writeFile(path, changed);
    if (await isWhole(world, folder)) undetected += 1;
    await writeFile(path, bytes);
  }
  if (!(await isWhole(world, folder))) throw new Error(`${folder} is not whole without a flip`);
  return undetected;
}

/** Of every file that a restore reads. */
async function filesOf(folder: string): Promise<readonly string[]> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => name !== 'verified.json');
  const paths = names.map((name) => join(folder, name));
  const kinds = await Promise.all(paths.map(async (path) => (await stat(path)).isFile()));
  return paths.filter((_, index) => kinds[index]);
}

async function isWhole(world: BackedUp, folder: string): Promise<boolean> {
  try {
    const backup = await openBackup(
      new FolderPlace(folder),
      await backupKeys(world.path('keys'), world.path('backup.key')),
    );
    return (await fileFaults(backup)).length === 0;
  } catch (error) {
    if (error instanceof BackupFaults) return false;
    throw error;
  }
}

/** Backups with a name that are not whole. */
async function unwhole(world: BackedUp): Promise<number> {
  const whole = await Promise.all((await world.backups()).map((folder) => isWhole(world, folder)));
  return whole.filter((each) => !each).length;
}
