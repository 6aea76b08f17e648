// The cost of many members: a conductor with its database, and checkers that are connected to it by real links with mutual TLS. Only their
// probes are simulated. First nothing changes. Then all members of a site die at once, alternating with the same rows written by plain
// statements. Then a vantage point gets one more checker.
//
// The members are copies of four that the conductor judged, inserted in bulk (gslb-scale/data-set.ts). Each is in a pool of four with its
// own name. No name server is connected.
import { mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createConnection } from 'mariadb';
import pino from 'pino';
import { ownersOf } from '../compose/owners.ts';
import { openDataFolder } from '../embedded/data-folder.ts';
import { startMariadb } from '../embedded/mariadb.ts';
import { startRedis } from '../embedded/redis.ts';
import { silentLog } from '../embedded/setup-log.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { Child } from '../measure/child.ts';
import { CommandChild } from '../measure/command-child.ts';
import { cpuMsOf } from '../measure/cpu.ts';
import { median, rounded } from '../measure/statistics.ts';
import { migrate } from '../platform/database/migrate.ts';
import { setCheckerRecord } from '../platform/machines/checker-record.ts';
import { readVantagePoints } from '../subgraphs/gslb/control/stores/vantage-store.ts';
import { gslbRow } from '../subgraphs/gslb/row.ts';
import { checkerRole } from '../subgraphs/gslb/wire/checker-wire.ts';
import { freePort } from '../tests/support/machine/free-port.ts';
import { testAuthority, testMachine } from '../tests/support/product/machines.ts';
import { LocalContext } from '../tests/support/product/test-context.ts';
import type { Program } from '../trials/gslb-outage/program.ts';
import { bareRows, marksNow, type Site } from './gslb-scale/bare-rows.ts';
import type { CheckerFigures, CheckerQuestion, SimulatedMachine } from './gslb-scale/checker-process.ts';
import { fill, membersOfPool, rangeOf } from './gslb-scale/data-set.ts';

const counts = {
  endpoints: { help: 'members, each in a pool of four with a name', usual: 100_000, full: 1_000_000, least: 1_000 },
  dying: { help: 'members that die at once', usual: 5_000, full: 50_000 },
  checkers: { help: 'checkers of three vantage points together', usual: 20, least: 3 },
  seconds: { help: 'of quiet', usual: 20, full: 60 },
  rounds: { help: 'deaths of a site, each alternating with its plain rows', usual: 2 },
};

type Counts = Readonly<Record<keyof typeof counts, number>>;

export const benchGslbScale = defineBench({ counts, run });

const vantagePoints = ['eu', 'us', 'ap'];
const askMs = 120_000;
const mostMs = 7_200_000;
const quietAfterMs = 5_000;
const script = fileURLToPath(new URL('../trials/gslb-outage/program.ts', import.meta.url));
const log = pino({ level: 'silent' });

async function run({ counts: given, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const place = await open(stack, given);
  progress(`${given.endpoints} members are inserted`);
  const settledMs = await timed(() => place.connect(signal));
  progress(`all checkers are heard after ${Math.round(settledMs / 1_000)} s`);
  await sleep(quietAfterMs, undefined, { signal });
  const before = await place.writes();
  const conductorBefore = cpuMsOf(place.conductorPid());
  await sleep(given.seconds * 1_000, undefined, { signal });
  const quietWritesPerSecond = ((await place.writes()) - before) / given.seconds;
  const quietCpuShare = (cpuMsOf(place.conductorPid()) - conductorBefore) / (given.seconds * 1_000);
  progress(`quiet: ${rounded(quietWritesPerSecond, 1)} transactions/s`);
  const rounds: Round[] = [];
  for (let number = 0; number < given.rounds; number += 1) {
    rounds.push(await round(place, given, number, signal));
    progress(JSON.stringify(rounds.at(-1)));
  }
  const of = (figure: keyof Round) => median(rounds.map((each) => each[figure]));
  const moved = await place.oneMore(signal);
  return {
    figures: {
      quietWritesPerSecond: rounded(quietWritesPerSecond, 1),
      siteDownToFloor: rounded(median(rounds.map(({ downMs, bareMs }) => downMs / bareMs)), 2),
      movedShare: rounded(moved.share, 3),
      ownShare: rounded(moved.own, 3),
      joinEpochs: moved.epochs,
      ...{ downMs: rounded(of('downMs'), 0), bareMs: rounded(of('bareMs'), 0), rows: of('rows') },
      ...{ downDatabaseCpuMs: of('downDatabaseCpuMs'), bareDatabaseCpuMs: of('bareDatabaseCpuMs') },
      ...{ settledSeconds: rounded(settledMs / 1_000, 1), reconnects: await place.reconnects() },
      ...{ conductorMiB: rounded(await place.conductorMiB(), 0), quietCpuShare: rounded(quietCpuShare, 3) },
      machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    },
    faults: rounds.flatMap(({ missing }) =>
      missing > 0 ? [`${missing} verdicts, histories or events are missing`] : [],
    ),
  };
}

type Round = Awaited<ReturnType<typeof round>>;

async function round(place: Place, { dying }: Counts, number: number, signal: AbortSignal) {
  const first = (2 * number * dying) % Math.max(1, place.pools - 2 * dying + 1);
  const [died, other]: [Site, Site] = [
    { from: first, to: first + dying },
    { from: first + dying, to: first + 2 * dying },
  ];
  const marks = await marksNow(place.ground.db);
  const databaseCpu = () => cpuMsOf(place.databasePid);
  const fromCpuMs = databaseCpu();
  const downMs = await timed(() => place.see(died, false, signal));
  const downDatabaseCpuMs = databaseCpu() - fromCpuMs;
  const missing = await place.missing(died, marks);
  const bare = await bareRows(place.ground.db, died, other, marks);
  const fromBareCpuMs = databaseCpu();
  const bareMs = await bare.write();
  const bareDatabaseCpuMs = databaseCpu() - fromBareCpuMs;
  await bare.restore();
  await place.see(died, true, signal);
  return { downMs, bareMs, rows: bare.rows, downDatabaseCpuMs, bareDatabaseCpuMs, missing };
}

type Place = Awaited<ReturnType<typeof open>>;

/** The database with its members, a conductor and a worker; no checker is connected yet. */
async function open(stack: AsyncDisposableStack, { endpoints, checkers }: Counts) {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'gslb-scale-')));
  stack.defer(() => rm(path, { recursive: true, force: true }));
  const folder = await openDataFolder(join(path, 'data'), { version: 1 });
  stack.defer(() => folder.close());
  const poolMiB = Math.max(256, Math.ceil(endpoints / 250));
  const mariadb = await startMariadb({
    ...{ folder, log: silentLog },
    extraArguments: ['--max-connections=100', `--innodb-buffer-pool-size=${poolMiB}M`, '--innodb-log-file-size=512M'],
  });
  stack.defer(() => mariadb.stop());
  const redisServer = await startRedis({ folder, log: silentLog });
  stack.defer(() => redisServer.stop());
  const root = await createConnection(mariadb.rootConnection);
  stack.defer(() => root.end());
  await root.query("SET GLOBAL innodb_monitor_enable = 'trx_rw_commits'");
  const connection = mariadb.application;
  await migrate(connection, ownersOf(['gslb'], [gslbRow]));
  const redis = { path: redisServer.path, prefix: '{scale}' };
  const ground = new LocalContext({ connection, connectionLimit: 10 }, { redis });
  stack.defer(() => ground.stop());
  const { pools, monitorId } = await fill(ground, { endpoints, vantagePoints });
  ground.sequencer.start();
  const authority = await testAuthority();
  const machine = async (role: string, name: string) => {
    const { id, cert, key, ca = '' } = await testMachine(authority, role, name, log);
    return { id, tls: { cert: String(cert), key: String(key), ca: String(ca) } };
  };
  const checkerPort = await freePort();
  const started = async (name: string, program: Program) => {
    const child = stack.adopt(new CommandChild({ script, file: join(path, `${name}.json`), program }), (each) =>
      each.kill(),
    );
    await child.start();
    return child;
  };
  const shared = { connection, redis };
  const { tls } = await machine('gslb', 'conductor');
  const ports = { checkerPort, dnsPort: await freePort() };
  const conductor = await started('conductor', { kind: 'conductor', ...shared, ...ports, tls });
  await started('worker', { kind: 'worker', ...shared, settings: {} });
  const children: Child[] = [];
  const begin = async (vantagePoint: string) => {
    const child = new Child(new URL('./gslb-scale/checker-process.ts', import.meta.url));
    stack.defer(() => child.stop());
    children.push(child);
    const { id, tls: pem } = await machine(checkerRole, `checker-${children.length}`);
    await ground.db.transaction((tx) => setCheckerRecord(tx, id, { vantagePoint }));
    const start: SimulatedMachine = { vantagePoint, url: `wss://127.0.0.1:${checkerPort}/link`, ...pem };
    await child.ask({ start } satisfies CheckerQuestion, askMs);
  };
  const ask = (question: CheckerQuestion): Promise<readonly CheckerFigures[]> =>
    Promise.all(children.map((child) => child.ask<CheckerFigures>(question, askMs)));
  const until = async (is: (figures: readonly CheckerFigures[]) => boolean, signal: AbortSignal, everyMs = 25) => {
    const fromMs = performance.now();
    for (let figures = await ask({}); !is(figures); figures = await ask({})) {
      if (performance.now() - fromMs > mostMs) throw new Error(`not within ${mostMs} ms: ${JSON.stringify(figures)}`);
      await sleep(everyMs, undefined, { signal });
    }
  };
  const members = pools * membersOfPool;
  const isSettled = (figures: readonly CheckerFigures[]) =>
    figures.every(({ isHeard }) => isHeard) && targetsOf(figures) === members * vantagePoints.length;
  const count = async (sql: string, values: readonly (string | number)[]) =>
    Number((await ground.db.query<{ n: number }>(`SELECT COUNT(*) AS n FROM ${sql}`, values))[0]?.n);
  return {
    ...{ ground, pools },
    databasePid: mariadb.pid,
    conductorPid: () => conductor.pid,
    async writes(): Promise<number> {
      const rows = (await root.query(
        "SELECT COUNT AS commits FROM information_schema.INNODB_METRICS WHERE NAME = 'trx_rw_commits'",
      )) as { commits: bigint }[];
      return Number(rows[0]?.commits);
    },
    async connect(signal: AbortSignal): Promise<void> {
      for (let number = 0; number < checkers; number += 1)
        await begin(vantagePoints[number % vantagePoints.length] ?? '');
      await until(isSettled, signal, 200);
    },
    /**
     * Resolves when all observations of the checkers are acknowledged, judged and written. Votes that were acknowledged too late to count
     * are judged with the next batch of their checker, or by the worker.
     */
    async see(site: Site, up: boolean, signal: AbortSignal): Promise<void> {
      await ask({ see: { monitorId, ...site, up } });
      await until(isSettled, signal);
      const sql = 'gslb_pool_member WHERE id BETWEEN ? AND ? AND verdict = ?';
      const own = rangeOf('member', site.from, site.to);
      const wanted = (site.to - site.from) * (up ? membersOfPool : 1);
      const fromMs = performance.now();
      while ((await count(sql, [...own, up ? 'UP' : 'DOWN'])) !== wanted) {
        if (performance.now() - fromMs > askMs) throw new Error(`not all are judged ${up ? 'UP' : 'DOWN'}`);
        await sleep(50, undefined, { signal });
      }
    },
    async missing({ from, to }: Site, marks: Awaited<ReturnType<typeof marksNow>>): Promise<number> {
      const own = rangeOf('member', from, to);
      const wanted = to - from;
      const down = await count("gslb_pool_member WHERE id BETWEEN ? AND ? AND verdict = 'DOWN'", own);
      const flips = await count('gslb_flip WHERE member_id BETWEEN ? AND ? AND id > ? AND late = 0', [
        ...own,
        marks.flipId,
      ]);
      const told = "status_change WHERE id > ? AND kind = 'gslbPoolMember.verdict' AND subject_id BETWEEN ? AND ?";
      const events = await count(told, [marks.eventId, ...own]);
      return [down, flips, events].reduce((sum, found) => sum + Math.abs(wanted - found), 0);
    },
    /**
     * Adds a checker to the first vantage point. Returns the share of targets that change their checker, and the share of the new checker.
     * More than one epoch means that other checkers fell silent, so their targets moved too.
     */
    async oneMore(
      signal: AbortSignal,
    ): Promise<{ readonly share: number; readonly own: number; readonly epochs: number }> {
      const [grown = ''] = vantagePoints;
      const camesOf = (figures: readonly CheckerFigures[]) =>
        figures.reduce((sum, { came, vantagePoint }) => sum + (vantagePoint === grown ? came : 0), 0);
      const epoch = async () => (await readVantagePoints(ground.db)).find(({ name }) => name === grown)?.epoch ?? 0;
      const [before, from] = [await ask({}), await epoch()];
      await begin(grown);
      await until((figures) => figures.length > before.length && isSettled(figures), signal, 200);
      const now = await ask({});
      const own = 1 / now.filter(({ vantagePoint }) => vantagePoint === grown).length;
      return { share: (camesOf(now) - camesOf(before)) / members, own, epochs: (await epoch()) - from };
    },
    async reconnects(): Promise<number> {
      return (await ask({})).reduce((sum, { connections }) => sum + connections - 1, 0);
    },
    async conductorMiB(): Promise<number> {
      const status = await readFile(`/proc/${conductor.pid}/status`, 'utf8');
      return Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) / 1_024;
    },
  };
}

function targetsOf(figures: readonly CheckerFigures[]): number {
  return figures.reduce((sum, { targets }) => sum + targets, 0);
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const fromMs = performance.now();
  await work();
  return performance.now() - fromMs;
}
