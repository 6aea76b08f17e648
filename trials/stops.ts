// `npm run trials -- stops`: the trial of starts and stops: the whole system (`npm start`) under load is stopped, killed, frozen, moved and
// restarted in every way. The oracles are outside of it: the device, whose kernel shows what was done, and the clients' own logs.
// needs: system
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '../embedded/setup-log.ts';
import { inNamespace } from '../lab/exec.ts';
import { type RunningLab, startLab } from '../lab/lab.ts';
import { LoopDisk } from '../lab/loop-disk.ts';
import { fixedPort } from '../measure/fixed-port.ts';
import { registerFirewall } from '../measure/lab-firewall.ts';
import { Database, type DatabaseLocation } from '../platform/database/database.ts';
import { CursorSealer } from '../platform/secrets/cursor-sealer.ts';
import { keyFilePath } from '../platform/secrets/key-folder.ts';
import { openKeyring } from '../platform/secrets/keyring.ts';
import { brokenInvariants } from '../tests/support/stores/invariants.ts';
import { DeviceTail } from './calls/device-tail.ts';
import { readJournal, readKeys, untilEnded } from './calls/journal-evidence.ts';
import type { Answer } from './calls/verdict.ts';
import { defineTrial, type TrialRun } from './define-trial.ts';
import { sequencedTable } from './events/status-table.ts';
import type { LoggedItem } from './events/verdict.ts';
import { type Random, seededRandom } from './random.ts';
import { type DisturbanceName, disturbanceNames, disturbances } from './stops/disturbances.ts';
import { Load } from './stops/load.ts';
import { NftMonitor } from './stops/nft-monitor.ts';
import { NpmSystem } from './stops/npm-system.ts';
import { count, type Evidence, type Figure, type Finding, judge } from './stops/verdict.ts';
import { folderOption, someOf } from './trial-options.ts';

export interface StopTrialsOptions extends TrialRun {
  readonly trials: number;
  /** Default: all. */
  readonly only?: readonly DisturbanceName[];
  /** Folder for the disk, the lab and the logs; must be accessible to other users. */
  readonly folder: string;
  readonly labFolder?: string;
  /** For testing the oracle: does harm after each disturbance. */
  readonly sabotage?: (place: Sabotaged) => Promise<void>;
}

interface Sabotaged {
  readonly lab: RunningLab;
  readonly db: Database;
  readonly answers: readonly Answer[];
  /** Items received by each reader of events. */
  readonly received: readonly LoggedItem[][];
}

interface StopTrialsResult extends Record<Figure, number> {
  readonly seed: number;
  readonly trials: number;
  /** Trials by disturbance. */
  readonly disturbances: Readonly<Record<string, number>>;
  readonly operations: number;
  readonly events: number;
  /** From the end of a disturbance to a new mutation that SUCCEEDED. */
  readonly readyAgainMs: { readonly p50: number; readonly max: number };
  readonly findings: readonly string[];
  readonly seconds: number;
}

export const trialStops = defineTrial({
  counts: { trials: { help: 'disturbances', usual: 60, full: 500 } },
  options: { only: someOf('disturbances', disturbanceNames), folder: folderOption("the system's log") },
  run: runStopTrials,
  mustBeZero: ['lost', 'repeated', 'eventGaps', 'hung', 'notRecovered', 'wrongAnswers', 'uncoded', 'endedProcesses'],
});

const limits = { deadlineMs: 2_000, concurrency: 4 };
/** After a full disk MariaDB retries once a minute. */
const readyDeadlineMs = 75_000;
const answersDeadlineMs = 60_000;
/** Longer than lease, deadline and grace of the last calls. */
const endDeadlineMs = 45_000;
const diskMib = 2_048;
const [leastBeforeMs, longestBeforeMs] = [300, 1_500];

export async function runStopTrials(options: StopTrialsOptions): Promise<StopTrialsResult> {
  const { seed, progress = () => undefined, signal, timeIsUp = () => false } = options;
  const random = seededRandom(seed);
  const startedMs = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const stage = await openStage(options, random, cleanup);
  let turn: DisturbanceName[] = [];
  const findings: Finding[] = [];
  const [readyMs, names]: [number[], DisturbanceName[]] = [[], []];
  let [operations, events, first] = [0, 0, 1];
  while (names.length < options.trials && signal?.aborted !== true && !timeIsUp()) {
    // Each once per turn, so that a short run includes many of them.
    if (turn.length === 0) turn = random.shuffle(options.only ?? disturbanceNames);
    const name = turn.pop() ?? 'terminate';
    names.push(name);
    const trial = await runTrial(stage, { name, number: names.length, first });
    findings.push(...trial.findings);
    operations += trial.operations;
    events += trial.events;
    first = trial.last + 1;
    if (trial.readyMs !== undefined) readyMs.push(trial.readyMs);
    const ready = trial.readyMs === undefined ? 'NOT READY' : `ready after ${Math.round(trial.readyMs)} ms`;
    progress(`${names.length}/${options.trials}: ${name}: ${trial.what}; ${ready}; ${trial.operations} operations`);
    for (const [figure, what] of trial.findings) progress(`${figure}: ${what}`);
    if (trial.readyMs === undefined) break;
  }
  readyMs.sort((a, b) => a - b);
  return {
    seed,
    trials: names.length,
    ...count(findings),
    disturbances: Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length])),
    operations,
    events,
    readyAgainMs: { p50: Math.round(readyMs[readyMs.length >> 1] ?? 0), max: Math.round(readyMs.at(-1) ?? 0) },
    findings: findings.map(([figure, what]) => `${figure}: ${what}`),
    seconds: Math.round((performance.now() - startedMs) / 1_000),
  };
}

interface Stage {
  readonly options: StopTrialsOptions;
  readonly random: Random;
  readonly lab: RunningLab;
  readonly disk: LoopDisk;
  readonly system: NpmSystem;
  readonly tail: DeviceTail;
  readonly monitor: NftMonitor;
  readonly token: string;
  readonly projectId: string;
  readonly cursors: CursorSealer;
  /** Ends of the system that nobody wanted, not yet reported. */
  readonly unexpectedEnds: string[];
}

/** The lab is separate from the system: it exists whatever happens to that. */
async function openStage(options: StopTrialsOptions, random: Random, cleanup: AsyncDisposableStack): Promise<Stage> {
  const { folder, signal } = options;
  const labFolder = options.labFolder ?? join(folder, 'lab');
  await mkdir(labFolder, { recursive: true });
  const lab = await startLab({ folder: labFolder, log: silentLog, ...(signal === undefined ? {} : { signal }) });
  if (!lab.available) throw new Error(`there is no lab: ${lab.unavailable}`);
  cleanup.defer(() => lab.stop());
  const monitor = new NftMonitor(lab.firewall.namespace);
  cleanup.defer(() => monitor.stop());
  const tail = new DeviceTail(lab.deviceLogPath);
  cleanup.defer(() => tail.close());
  await tail.read();
  tail.records.clear();
  const disk = new LoopDisk({ image: join(folder, 'disk.ext4'), folder: join(folder, 'disk'), sizeMiB: diskMib });
  await disk.mount();
  cleanup.defer(async () => {
    await disk.unmount();
    await disk.remove();
  });
  const unexpectedEnds: string[] = [];
  const system = new NpmSystem({
    dataPath: join(disk.folder, 'data'),
    port: await fixedPort(),
    logPath: join(folder, 'npm-start.log'),
    environment: { TIDEGATE_RELAY_CHECK_INTERVAL_MS: '1000' },
    onUnexpectedEnd: (how) => unexpectedEnds.push(how),
  });
  cleanup.defer(() => system.run.killEverything());
  await system.start();
  // The first start creates the accounts after it reports ready.
  while (!system.run.output.includes('Tidegate is ready.')) await sleep(20);
  const token = await readTrimmed(join(system.dataPath, 'admin.token'));
  await registerFirewall({ url: system.url, token, lab, limits });
  const db = await openDatabase(system.dataPath);
  const [project] = await db.query<{ id: string }>("SELECT id FROM project WHERE name = 'default'");
  await db.close();
  const keys = await openKeyring(keyFilePath(join(system.dataPath, 'keys'), 'subgraphs'));
  return {
    ...{ options, random, lab, disk, system, tail, monitor, token, unexpectedEnds },
    projectId: project?.id ?? '',
    cursors: new CursorSealer(keys),
  };
}

interface Trial {
  readonly name: DisturbanceName;
  readonly number: number;
  /** The number of its first call. */
  readonly first: number;
}

async function runTrial(stage: Stage, { name, number, first }: Trial) {
  const { system, random, options } = stage;
  const findings: Finding[] = [];
  const prefix = `trial-${number}`;
  const load = await Load.start({ ...stage, url: system.url, prefix, first, seed: options.seed + 1_000 * number });
  try {
    await sleep(random.integer(leastBeforeMs, longestBeforeMs));
    system.drains.length = 0;
    const what = await disturbances[name](stage).catch((error: unknown) => {
      findings.push(['notRecovered', `${name}: ${error instanceof Error ? error.message : error}`]);
      return 'failed';
    });
    const ready = await system.untilReady(readyDeadlineMs);
    const readyMs = ready ? await load.stream.untilReady(readyDeadlineMs) : undefined;
    if (readyMs === undefined)
      findings.push(['notRecovered', `${name}: ${what}: ${ready ? 'no call succeeds' : 'not ready'}`]);
    await load.stream.finish(ready ? answersDeadlineMs : 0);
    for (const how of [...stage.unexpectedEnds.splice(0), ...system.unexpectedRestarts()])
      findings.push(['endedProcesses', `${name}: a process ended by itself: ${how}`]);
    const common = { what, readyMs, last: load.stream.last };
    if (!ready) return { ...common, findings, operations: 0, events: 0 };
    if (options.sabotage !== undefined) await sabotage(stage, load, options.sabotage);
    await load.sendAgain();
    const evidence = await gather(stage, load, prefix);
    findings.push(...judge(evidence));
    await cleanDevice(stage);
    const events = evidence.streams.reduce((sum, { items }) => sum + items.length, 0);
    return { ...common, findings, operations: evidence.journal.length, events };
  } finally {
    await load.stop();
  }
}

async function gather(stage: Stage, load: Load, prefix: string): Promise<Evidence> {
  const { system, tail, monitor } = stage;
  const db = await openDatabase(system.dataPath);
  try {
    await untilEnded(db, endDeadlineMs);
    await tail.read();
    await monitor.settle();
    const { answers } = load.stream;
    return {
      answers,
      attempts: load.attempts,
      again: load.again,
      reads: load.reads.all,
      drains: system.drains,
      journal: await readJournal(db, `${prefix}-`),
      keys: await readKeys(
        db,
        answers.map(({ key }) => key),
      ),
      received: tail.records,
      applied: monitor.applied,
      streams: await load.streams(await sequencedTable(db, stage.projectId, load.beginning)),
      brokenInvariants: await brokenInvariants(db),
    };
  } finally {
    await db.close();
  }
}

async function sabotage({ lab, system }: Stage, load: Load, harm: (place: Sabotaged) => Promise<void>): Promise<void> {
  const db = await openDatabase(system.dataPath);
  try {
    await harm({ lab, db, answers: load.stream.answers, received: load.received });
  } finally {
    await db.close();
  }
}

/** From outside the device, so that its log has no entry about it: nft reads the whole ruleset for each rule. */
async function cleanDevice({ lab, tail, monitor }: Stage): Promise<void> {
  const input = 'flush chain inet filter forward\nflush set inet filter blocked\n';
  const { exitCode, stderr } = await inNamespace(lab.firewall.namespace, 'nft', ['--file', '-'], { input });
  if (exitCode !== 0) throw new Error(`the lab's firewall could not be cleaned: ${stderr.trim()}`);
  // Later arrivals belong to the next trial, whose journal does not have them.
  tail.records.clear();
  monitor.applied.clear();
}

async function openDatabase(dataPath: string): Promise<Database> {
  const connection: DatabaseLocation = {
    socketPath: join(dataPath, 'run/mariadb.sock'),
    ...{ user: 'tidegate', database: 'tidegate' },
    password: await readTrimmed(join(dataPath, 'secrets/mariadb-application')),
  };
  return new Database({ connection, connectionLimit: 2 });
}

async function readTrimmed(path: string): Promise<string> {
  return (await readFile(path, 'utf8')).trim();
}
