// The cost of a backup for those who write meanwhile, in rounds with and without one by turns, and the time of a restore against that of a plain copy
// of the same files. The load is transactions at the database itself: a gateway in between would hide delays behind its own time.
// needs: system
import { rm } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mariadb';
import { runProgram } from '../embedded/run-program.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { closedLoop, type LoopFigures } from '../measure/closed-loop.ts';
import { median, percentile, rounded } from '../measure/statistics.ts';
import { BackedUp } from '../tests/backup/support/backed-up.ts';
import { layOutTemplate } from '../tests/support/stores/database-template.ts';
import { TestServers } from '../tests/support/stores/servers.ts';
import { writeRow } from '../trials/backup/writers.ts';
import { untilTrue } from '../trials/until.ts';
import { othersDuring } from './support/others.ts';

const counts = {
  mebi: { help: 'MiB of rows', usual: 1_024, least: 16 },
  clients: { help: 'clients that write at once', usual: 8 },
  rounds: { help: 'with and without a backup, by turns; as many restores', usual: 3 },
};

export const benchBackup = defineBench({ counts, run });

const [mostP99Ratio, leastWritesRatio, mostRestoreToCopy] = [1.3, 0.85, 4];
const program = fileURLToPath(new URL('../bin/tidegate.ts', import.meta.url));
const warmUpMs = 3_000;
const mostBackupMs = 600_000;
const startMs = 60_000;
/** Rows in a MiB, about. */
const rowsPerMebi = 3_000;
const mebiPerInsert = 32;
/** Of the load. Those of the data are lower. */
const firstId = 1_500_000_000;

interface Round {
  readonly p99Ms: number;
  readonly perSecond: number;
  readonly elapsedMs: number;
}
type Rounds = Record<'during' | 'alone', Round[]>;

async function run({
  counts: { mebi, clients, rounds },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const servers = stack.adopt(await TestServers.start(), (each) => each.stop());
  servers.publish(await layOutTemplate(servers));
  const world = stack.use(await BackedUp.start());
  await fill(world, mebi);
  progress(`${mebi} MiB of rows`);
  const write = await writing(world, clients, stack);
  await closedLoop({ clients, forMs: warmUpMs }, write);
  const measured = async () => {
    const results: Rounds = { during: [], alone: [] };
    for (let round = 0; round < rounds; round += 1) {
      signal.throwIfAborted();
      const kinds = round % 2 === 0 ? (['during', 'alone'] as const) : (['alone', 'during'] as const);
      for (const kind of kinds) results[kind].push(await roundOf(kind, { world, clients, write, results }));
      progress(`round ${round + 1} of ${rounds}: ${JSON.stringify([results.during.at(-1), results.alone.at(-1)])}`);
    }
    return results;
  };
  const { result, others } = await othersDuring(measured);
  const restores: RestoreTimes[] = [];
  for (let number = 1; number <= rounds; number += 1) {
    restores.push(await restoreAndCopy(world));
    progress(`restore ${number} of ${rounds}: ${JSON.stringify(restores.at(-1))}`);
    signal.throwIfAborted();
  }
  return figuresOf(result, restores, others);
}

function figuresOf({ during, alone }: Rounds, restores: readonly RestoreTimes[], others: number): BenchResult {
  const of = (rounds: readonly Round[], figure: keyof Round) => median(rounds.map((each) => each[figure]));
  const p99Ratio = of(during, 'p99Ms') / of(alone, 'p99Ms');
  const writesRatio = of(during, 'perSecond') / of(alone, 'perSecond');
  const restoreMs = median(restores.map((each) => each.restoreMs));
  const copyMs = median(restores.map((each) => each.copyMs));
  const restoreToCopy = restoreMs / copyMs;
  const bounds: readonly (readonly [holds: boolean, words: string])[] = [
    [p99Ratio <= mostP99Ratio, `p99Ratio: at most ${mostP99Ratio} is allowed`],
    [writesRatio >= leastWritesRatio, `writesRatio: at least ${leastWritesRatio} is needed`],
    [restoreToCopy <= mostRestoreToCopy, `restoreToCopy: at most ${mostRestoreToCopy} is allowed`],
  ];
  return {
    figures: {
      ...{ p99Ratio: rounded(p99Ratio, 2), writesRatio: rounded(writesRatio, 2) },
      restoreToCopy: rounded(restoreToCopy, 1),
      ...{ backupP99Ms: rounded(of(during, 'p99Ms'), 1), p99Ms: rounded(of(alone, 'p99Ms'), 1) },
      backupWritesPerSecond: Math.round(of(during, 'perSecond')),
      writesPerSecond: Math.round(of(alone, 'perSecond')),
      backupSeconds: rounded(of(during, 'elapsedMs') / 1_000, 1),
      ...{ restoreSeconds: rounded(restoreMs / 1_000, 1), copySeconds: rounded(copyMs / 1_000, 1) },
      ...{ others: rounded(others, 2), machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1) },
    },
    faults: bounds.filter(([holds]) => !holds).map(([, words]) => words),
  };
}

/** Rows that compress about as well as those of calls and mappings. They are in no binary log: archiving that is a cost of writes alone. */
async function fill(world: BackedUp, mebi: number): Promise<void> {
  await world.sql.query('SET SESSION sql_log_bin = 0');
  for (let done = 0; done < mebi; done += mebiPerInsert) {
    const rows = Math.min(mebiPerInsert, mebi - done) * rowsPerMebi;
    await world.sql.query(
      `INSERT INTO written (id, note) SELECT seq + ?, JSON_OBJECT('id', UUID(), 'name', CONCAT('rule-', seq), 'action', 'ACCEPT',
        'protocol', 'TCP', 'destinationPort', seq MOD 65536, 'source', JSON_OBJECT('address', '192.0.2.0/24'), 'hash', SHA2(seq + ?, 256),
        'scope', 'inet filter forward', 'state', 'ACTIVE') FROM seq_1_to_${rows}`,
      [done * rowsPerMebi, done],
    );
  }
  await world.sql.query('SET SESSION sql_log_bin = 1');
}

async function writing(world: BackedUp, clients: number, stack: AsyncDisposableStack): Promise<() => Promise<void>> {
  const free = await Promise.all(
    Array.from({ length: clients }, () => createConnection({ ...world.location, connectTimeout: startMs })),
  );
  for (const each of free) stack.defer(() => each.end());
  let id = firstId;
  return async () => {
    const sql = free.pop();
    if (sql === undefined) throw new Error('there are more clients than connections');
    id += 1;
    await writeRow(sql, id);
    free.push(sql);
  };
}

interface RoundOptions {
  readonly world: BackedUp;
  readonly clients: number;
  readonly write: () => Promise<void>;
  readonly results: Rounds;
}

/** A round without a backup is as long as the last one with it. */
async function roundOf(kind: keyof Rounds, { world, clients, write, results }: RoundOptions): Promise<Round> {
  const forMs = results.during.at(-1)?.elapsedMs ?? 0;
  return roundFigures(
    kind === 'during' ? await whileBackedUp(world, clients, write) : await closedLoop({ clients, forMs }, write),
  );
}

function roundFigures({ latenciesMs, elapsedMs }: LoopFigures): Round {
  const perSecond = rounded((latenciesMs.length * 1_000) / elapsedMs, 1);
  return { p99Ms: rounded(percentile(latenciesMs, 0.99), 2), perSecond, elapsedMs: Math.round(elapsedMs) };
}

/** The load, from the first byte that the backup copies to the end of its program. */
async function whileBackedUp(world: BackedUp, clients: number, write: () => Promise<void>): Promise<LoopFigures> {
  const ended = new AbortController();
  const words = ['--disable-warning=ExperimentalWarning', program, ...world.createWords];
  // In a session of its own, as a service is: the kernel may share the processor between sessions.
  const made = runProgram('setsid', ['--wait', process.execPath, ...words], { timeoutMs: mostBackupMs }).finally(() =>
    ended.abort(),
  );
  const copies = async () => ended.signal.aborted || (await world.leftOver()).includes('.unfinished');
  const hasBegun = await untilTrue(startMs, copies);
  const figures = await closedLoop({ clients, forMs: mostBackupMs, signal: ended.signal }, write);
  const { exitCode, stderr } = await made;
  if (exitCode !== 0 || !hasBegun) throw new Error(`the backup ended with ${exitCode}: ${stderr}`);
  return figures;
}

interface RestoreTimes {
  readonly restoreMs: number;
  readonly copyMs: number;
}

/** Both end when everything is on disk. */
async function restoreAndCopy(world: BackedUp): Promise<RestoreTimes> {
  const [restored, copied] = [world.path('restored'), world.path('copied')];
  await ran('sync', []);
  const beginMs = performance.now();
  const { exitCode, stderr } = await world.restore('restored');
  if (exitCode !== 0) throw new Error(`the restore ended with ${exitCode}: ${stderr}`);
  const restoredMs = performance.now();
  await ran('cp', ['--archive', restored, copied]);
  await ran('sync', ['--file-system', copied]);
  const copiedMs = performance.now();
  for (const folder of [restored, copied]) await rm(folder, { recursive: true });
  return { restoreMs: Math.round(restoredMs - beginMs), copyMs: Math.round(copiedMs - restoredMs) };
}

async function ran(name: string, args: readonly string[]): Promise<void> {
  const { exitCode, stderr } = await runProgram(name, args, { timeoutMs: mostBackupMs });
  if (exitCode !== 0) throw new Error(`${name} ended with ${exitCode}: ${stderr}`);
}
