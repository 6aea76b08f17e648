// `tidegate upgrade` of this version as a process: killed amid its migrations until they are applied, and asked how far the upgrade is.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { UpgradeReport } from '../../cli/upgrade/report.ts';
import type { Database } from '../../platform/database/database.ts';
import { recordedMigrations } from '../../platform/database/migrate.ts';
import type { Random } from '../random.ts';
import { thisFolder, tidegate } from './release.ts';

const mostStepsPerRun = 20;

/** Each run is killed with SIGKILL after a few more statements, until one ends by itself. Returns the number of kills. */
export async function upgradeWithKills(settings: string, db: Database, random: Random): Promise<number> {
  for (let kills = 0; ; kills += 1) {
    const wanted = (await stepsDone(db)) + random.integer(1, mostStepsPerRun);
    const child = spawn(process.execPath, [join(thisFolder, 'bin/tidegate.ts'), 'upgrade', '--config', settings], {
      env: { ...process.env, NODE_ENV: 'production' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.on('data', (part) => {
      said += part;
    });
    const closed = once(child, 'close');
    while (child.exitCode === null && (await stepsDone(db)) < wanted) await sleep(1);
    child.kill('SIGKILL');
    const [code] = await closed;
    if (code === 0) return kills;
    if (code !== null) throw new Error(`tidegate upgrade failed after ${kills} kills: ${said}`);
  }
}

/** Statements of migrations, and migrations that are finished. */
async function stepsDone(db: Database): Promise<number> {
  const rows = [...(await recordedMigrations(db)).values()];
  return rows.reduce((sum, row) => sum + Number(row.applied_steps_count) + (row.finished_at === null ? 0 : 1), 0);
}

/** What it reports now. Without `--back` it also applies what it lacks. */
export async function upgradeReport(settings: string, ...flags: readonly string[]): Promise<UpgradeReport> {
  return JSON.parse(await tidegate(thisFolder, 'upgrade', '--config', settings, '--json', ...flags)) as UpgradeReport;
}
