// `npm run trials -- backup`: the trial of backups: a database under load is backed up, restored to a random second, and compared with the log of its
// clients. Calls to a device are sent again with their keys. Backups and restores are killed, disks fill up, and bits of the files are flipped.
// needs: system
import { setTimeout as sleep } from 'node:timers/promises';
import { BackedUp } from '../tests/backup/support/backed-up.ts';
import { layOutTemplate } from '../tests/support/stores/database-template.ts';
import { TestServers } from '../tests/support/stores/servers.ts';
import { Calls, type SentAgain } from './backup/calls.ts';
import { fillDisk, flipBits, killCreate, killRestore } from './backup/faults.ts';
import { type Judged, judge } from './backup/judge.ts';
import { Writers } from './backup/writers.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { type Random, seededRandom } from './random.ts';

interface BackupTrialsOptions extends TrialRun {
  /** Number of backups, each restored to a moment. */
  readonly trials: number;
  /** Bit flips in each backup. */
  readonly flips: number;
  /** The judge takes the moment for one that is so much later, and must notice it. Default: 0. */
  readonly skewMs?: number;
  /** Restored databases lose their guard against repeated calls, and the device must notice it. Default: false. */
  readonly lifted?: boolean;
}

interface BackupTrialsResult extends Judged, SentAgain {
  readonly seed: number;
  readonly trials: number;
  readonly flips: number;
  /** Acknowledged writes that the trial compared. */
  readonly writes: number;
  /** Changed files that were taken for whole. */
  readonly undetected: number;
  /** Backups or restores that a kill or a full disk left behind, and that could be taken for whole. */
  readonly halfDone: number;
  /** Full disks that were not tried, because this account can't mount a small one. */
  readonly skippedDisks: number;
}

const zero = ['lost', 'fromTheFuture', 'undetected', 'revived', 'unguarded', 'repeatedCalls', 'halfDone'] as const;

export const trialBackup = defineTrial({
  counts: {
    trials: { help: 'backups, each restored to a random second', usual: 50, full: 200 },
    flips: { help: 'bit flips in the files of each', usual: 20 },
  },
  async run(given) {
    await using cleanup = new AsyncDisposableStack();
    const servers = cleanup.adopt(await TestServers.start(), (each) => each.stop());
    servers.publish(await layOutTemplate(servers));
    return await runBackupTrials(given);
  },
  mustBeZero: zero,
  ran: ({ trials }) => ({ trials }),
});

export async function runBackupTrials(options: BackupTrialsOptions): Promise<BackupTrialsResult> {
  const { seed, progress, timeIsUp } = options;
  const random = seededRandom(seed);
  const sums = {
    ...{ lost: 0, fromTheFuture: 0, undetected: 0, revived: 0, unguarded: 0, halfDone: 0, flips: 0 },
    ...{ answered: 0, uncertain: 0, repeatedCalls: 0, skippedDisks: 0 },
  };
  let [trials, writes] = [0, 0];
  await using world = await BackedUp.start();
  await using load = await Writers.start(world);
  await using calls = await Calls.start(world);
  for (; trials < options.trials && timeIsUp?.() !== true; trials += 1) {
    const found = await oneTrial({ world, load, calls, random }, { number: trials, ...options });
    if (found.skippedDisks > 0)
      progress?.('a small disk could not be mounted, so no full disk was tried: run this as root');
    for (const [name, count] of Object.entries(found)) sums[name as keyof typeof sums] += count;
    writes = load.acknowledged;
    progress?.(`${trials + 1} of ${options.trials}: ${JSON.stringify(found)}`);
  }
  return { seed, trials, ...sums, writes };
}

interface Place {
  readonly world: BackedUp;
  readonly load: Writers;
  readonly calls: Calls;
  readonly random: Random;
}

async function oneTrial(
  { world, load, calls, random }: Place,
  { number, flips, skewMs = 0, lifted = false }: { readonly number: number } & Omit<BackupTrialsOptions, 'trials'>,
): Promise<Omit<BackupTrialsResult, 'seed' | 'trials' | 'writes'>> {
  let [halfDone, skippedDisks] = [0, 0];
  if (number % 2 === 0) halfDone += await killCreate(world, random);
  else if (number % 4 === 1) {
    const found = await fillDisk(world, number);
    halfDone += found ?? 0;
    skippedDisks += found === undefined ? 1 : 0;
  }
  const fromMs = await made(world);
  // Some seconds with writes, of which one is restored.
  await sleep(1_000 + random.integer(0, 3_000));
  const untilMs = await made(world);
  const seconds = Math.floor((Math.floor(untilMs / 1_000) * 1_000 - fromMs) / 1_000);
  const at = new Date(Math.ceil(fromMs / 1_000) * 1_000 + 1_000 * random.integer(0, Math.max(0, seconds - 1)));
  const undetected = await flipBits(world, random, flips);
  if (number % 3 === 0) halfDone += await killRestore(world, random, `killed-${number}`);
  const restored = await world.restore(`restored-${number}`, '--at', at.toISOString());
  if (restored.exitCode !== 0) throw new Error(`${at.toISOString()} can't be restored: ${restored.stderr}`);
  const judged = await world.onRestored(`restored-${number}`, async (sql, location) => {
    const found = await judge(sql, load, new Date(at.getTime() + skewMs));
    if (lifted) await sql.query('UPDATE db_timeline SET lifted_at = NOW(3)');
    return { ...found, ...(await calls.again(location)) };
  });
  // Only the newest copies are needed any more.
  const verified = await world.verify();
  if (verified.exitCode !== 0) throw new Error(`the backup can't be verified: ${verified.stderr}`);
  return { ...judged, undetected, halfDone, skippedDisks, flips };
}

/** Makes a backup. Returns the end of its copy, in Unix milliseconds. */
async function made(world: BackedUp): Promise<number> {
  const { exitCode, stdout, stderr } = await world.create('--json', '--keep', '1');
  if (exitCode !== 0) throw new Error(`no backup was made: ${stderr}`);
  return Date.parse((JSON.parse(stdout) as { copiedAt: string }).copiedAt);
}
