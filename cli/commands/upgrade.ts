// `tidegate upgrade`: takes an installation that serves to this version, process by process, or back. It changes the tables and says what to
// restart. A person or a script restarts the processes.
import { setTimeout as sleep } from 'node:timers/promises';
import { ownersOf } from '../../compose/owners.ts';
import { migrationsFolder } from '../../compose/places.ts';
import { newestMigration } from '../../platform/database/migrate.ts';
import { lastRelease } from '../../platform/database/migration-plan.ts';
import { areNeighbours, describeProcess } from '../../platform/database/registered-processes.ts';
import { programVersion } from '../../platform/process/program-version.ts';
import { migrationsOf } from '../../platform/process/subgraph-row.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { CommandFailure, exitCodes, Interruption, UsageError } from '../failures.ts';
import { configOption, settings } from '../local-options.ts';
import { flag, integer, text } from '../option.ts';
import { printerOf } from '../printer.ts';
import { commonOptions } from '../remote-verb.ts';
import { describeFailure } from '../start-failure.ts';
import { backupLines, linesOf, nextOf, type UpgradeReport } from '../upgrade/report.ts';
import { UpgradeRun } from '../upgrade/upgrade-run.ts';
import { localVerb, type Surroundings } from '../verb.ts';

const pauseMs = 500;

export const upgrade = localVerb({
  summary: 'Take an installation that serves to this version, one process after the other, or back.',
  about: [
    'Run it from the new version. It adds to the tables, and says which process to restart next; it restarts none itself.',
    'It can be interrupted and run again at any time. Until --finish, --back says what to restart in the version before.',
  ],
  page: 'docs/operating.md#upgrading',
  takes: [],
  examples: [
    'tidegate upgrade --to 0.3.0 --config /etc/tidegate/control.yaml --wait 3600',
    'tidegate upgrade --config /etc/tidegate/control.yaml --finish',
  ],
  options: {
    config: configOption,
    to: text('VERSION', 'Refuse another version: that of this program, or with --back the one before.'),
    wait: integer('SECONDS', 'Follow the restarts for at most this long.', { least: 1, most: 86_400 }),
    finish: flag('Once no older process lives, remove what only older ones use. There is no way back afterwards.'),
    back: flag(`Go back to ${lastRelease.version}.`),
    json: commonOptions.json,
  },
  async run({ options, signal, ...around }) {
    const { wait, finish, back, json } = options;
    if (finish && back) throw new UsageError('give --finish or --back, not both');
    try {
      const { version, commit } = await programVersion();
      if (options.to !== undefined) refuseOther(options.to, version, back);
      const program = { version, commit, newestMigration: await newestMigration(migrationsFolder) };
      const config = settings(options.config, around.env);
      const tables = { owners: ownersOf(config.roles, subgraphRows), others: migrationsOf(subgraphRows) };
      const run = new UpgradeRun({ config, ...tables, program, back, finish });
      const { backupAgeSeconds } = await run.begin();
      const tell = tellerOf(around, { json, back }, back ? [] : backupLines(backupAgeSeconds));
      await follow(run, { tell, signal, wait, isPatient: wait !== undefined || finish });
    } catch (error) {
      throw describeFailure(error);
    }
  },
});

/** Each version has its own migrations, so only its own program upgrades to it. */
function refuseOther(to: string, version: string, back: boolean): void {
  if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(to))
    throw new UsageError(`--to must be a version such as 0.3.0, not '${to}'`);
  if (back && to !== lastRelease.version)
    throw new CommandFailure(`version ${version} goes back to ${lastRelease.version}, not to ${to}: leave out --to`);
  if (back || to === version) return;
  const isNear = areNeighbours(to, version);
  throw new CommandFailure(
    isNear
      ? `this program is version ${version}: unpack ${to} beside it, and run its "bin/tidegate upgrade --to ${to}"`
      : `${to} does not follow ${version}: upgrade release by release, each time with the program of the new version`,
  );
}

type Tell = (report: UpgradeReport) => Promise<void>;

interface Following {
  readonly tell: Tell;
  readonly signal: AbortSignal;
  /** Seconds. */
  readonly wait: number | undefined;
  /** It fails if it is not finished at the end. Otherwise the first report is enough. */
  readonly isPatient: boolean;
}

async function follow(run: UpgradeRun, { tell, signal, wait, isPatient }: Following): Promise<void> {
  const untilMs = performance.now() + (wait ?? 0) * 1000;
  for (;;) {
    const report = await run.look();
    if (typeof report !== 'string') {
      await tell(report);
      if (!isPatient || report.state === 'FINISHED') return;
    }
    const why = typeof report === 'string' ? report : nextOf(report);
    if (wait === undefined) throw new CommandFailure(`not finished: ${why}`);
    if (performance.now() + pauseMs > untilMs)
      throw new CommandFailure(`not finished within ${wait} s: ${why}`, exitCodes.late);
    await sleep(pauseMs, undefined, { signal }).catch(() => {
      throw new Interruption('run it again to go on');
    });
  }
}

/** Prints a report if it differs from the last one. */
function tellerOf(
  around: Pick<Surroundings, 'stdout' | 'env' | 'output'>,
  { json, back }: { readonly json: boolean; readonly back: boolean },
  first: readonly string[],
): Tell {
  const printer = printerOf(around);
  let last: string | undefined;
  return async (report) => {
    const lines = linesOf(report, back);
    const left = report.left.map(describeProcess);
    const text = [...left, ...lines].join('\n');
    if (text === last && report.applied.length === 0) return;
    const plan = last === undefined ? [...first, ...left.map((each) => `to restart: ${each}`)] : [];
    const applied = report.applied.map((name) => `applied ${name}`);
    if (json) await printer.ndjson(report);
    else for (const line of [...applied, ...plan, ...lines]) await printer.line(line);
    last = text;
  };
}
