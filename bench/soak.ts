// The whole system of `npm start` for a long time, at half of the machine's processors. Memory, heap, handles, files, connections and the
// disk must stay flat, the disk after retention, whose periods are short here. First it measures the writes of an idle system.
import { readdir, stat } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { AllInOneSystem } from '../measure/all-in-one.ts';
import type { MemoryFigures, SystemOrder } from '../measure/all-in-one-process.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { closedLoop } from '../measure/closed-loop.ts';
import { anonymousKib, cpuMsOfTree, processTree } from '../measure/process-tree.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import { seededRandom } from '../trials/random.ts';
import { type Bound, CallsMade, judge, type Sample } from './soak/growth.ts';
import { type PacedFigures, paced, prepareLoad, type SoakLoad } from './soak/load.ts';

const counts = {
  minutes: { help: 'minutes of load', usual: 8, full: 60 },
  share: { help: 'percent of all processors', usual: 50 },
  keep: { help: 'seconds for which retention keeps rows', usual: 60 },
  sample: { help: 'seconds between two samples', usual: 10, full: 30 },
  idle: { help: 'seconds without load before', usual: 60 },
};

export const benchSoak = defineBench({ counts, run });

const warmUpMs = 20_000;
const warmUpClients = 4;
const clients = 32;
const askMs = 60_000;
/** If others keep the machine busy, calls are refused or late. */
const mostFailedShare = 0.05;
const largestFiles = 8;
const mebibyte = 1024 * 1024;

/** The measured figures, and how much their trend may grow over the judged part of a run. */
const bounds = {
  nodeHeapMiB: { most: 4, mostShare: 0.05 },
  nodeOutsideHeapMiB: { most: 8, mostShare: 0.1 },
  nodeMemoryMiB: { most: 12, mostShare: 0.06 },
  mariadbMemoryMiB: { most: 12, mostShare: 0.06 },
  redisMemoryMiB: { most: 4, mostShare: 0.1 },
  nodeHandles: { most: 48, mostShare: 0.05 },
  nodeFiles: { most: 8, mostShare: 0.05 },
  mariadbFiles: { most: 16, mostShare: 0.05 },
  databaseConnections: { most: 2, mostShare: 0 },
  redisKeys: { most: 16, mostShare: 0 },
  tableRowsPerCall: { most: 0.5, mostShare: 0.1 },
  diskMiB: { most: 8, mostShare: 0.05 },
  binaryLogMiB: { most: 0, mostShare: 0 },
} satisfies Record<string, Bound>;
type Name = keyof typeof bounds;

async function run({
  seed,
  counts: given,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false, nodeArguments: ['--expose-gc'] });
  const order = <Reply>(asked: SystemOrder) => system.ask<Reply>(asked, askMs);
  const writtenIdle = await writtenDuring(system, () => sleep(given.idle * 1000, undefined, { signal }));
  const idle = perSecond(writtenIdle);
  progress(`idle, per second: ${JSON.stringify(idle)}`);

  const load = await prepareLoad(stack, system.started, seededRandom(seed));
  const made = new CallsMade(performance.now());
  const rate = await turnsPerSecond(load, given.share / 100);
  progress(`${rounded(rate, 1)} turns a second`);
  const meter = await Meter.open(stack, system);
  const ending = new AbortController();
  const samples: Record<Name, Sample>[] = [];
  const watch = async (): Promise<void> => {
    const keptMs = given.keep * 1000;
    let retainedAtMs = performance.now();
    for (let tick = 0; !ending.signal.aborted; tick += 1) {
      if ((tick * given.sample) % given.keep < given.sample) {
        retainedAtMs = performance.now();
        await order({ do: 'retain', keptMs });
      }
      const memory = await order<MemoryFigures>({ do: 'memory' });
      made.read(performance.now(), load.calls);
      samples.push(await meter.read(memory, made.since(retainedAtMs - keptMs)));
      progress(JSON.stringify(Object.fromEntries(Object.entries(samples.at(-1) ?? {}).map(([k, v]) => [k, v.value]))));
      await sleep(given.sample * 1000, undefined, { signal: ending.signal }).catch(() => undefined);
    }
  };
  const watching = watch();
  const [callsBefore, cpuBefore] = [load.calls, await cpuMsOfTree(process.pid)];
  let loop: PacedFigures | undefined;
  const written = await writtenDuring(system, async () => {
    loop = await paced({ clients, perSecond: rate, forMs: given.minutes * 60_000 }, load.turn);
  });
  ending.abort();
  await watching;
  if (loop === undefined) throw new Error('there was no load');
  const calls = load.calls - callsBefore;
  const processors = ((await cpuMsOfTree(process.pid)) - cpuBefore) / loop.elapsedMs;
  await load.close();

  const growth = Object.fromEntries(
    Object.entries(bounds).map(([name, bound]) => [
      name,
      judge(
        samples.map((sample) => sample[name as Name]),
        bound,
      ),
    ]),
  );
  const notFlat = Object.keys(growth).filter((name) => growth[name]?.flat !== true);
  const invariants = await brokenInvariantsAt(system.started.database);
  const failed = sum([...loop.failures.values()]);
  const figures = {
    idlePerSecond: idle,
    perCall: Object.fromEntries(
      Object.entries(written.amounts).map(([name, amount]) => [name, rounded(amount / calls, 1)]),
    ),
    turnsPerSecondWanted: rounded(rate, 1),
    turnsPerSecond: rounded((loop.latenciesMs.length * 1000) / loop.elapsedMs, 1),
    processorsUsed: rounded(processors, 2),
    calls,
    p50Ms: rounded(percentile(loop.latenciesMs, 0.5), 1),
    p99Ms: rounded(percentile(loop.latenciesMs, 0.99), 1),
    failed,
    failures: Object.fromEntries(loop.failures),
    invariants: invariants.length,
    notFlat,
    growth,
    rows: Object.fromEntries([...(await system.rows())].filter(([, rows]) => rows > 100)),
    largestFilesMiB: await largestFilesMiB(system.dataPath),
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  const faults = [
    ...notFlat.map((name) => `${name} is not flat: ${JSON.stringify(growth[name])}`),
    ...(failed <= mostFailedShare * (failed + loop.latenciesMs.length) ? [] : [`${failed} turns failed`]),
    ...invariants.map((broken) => `broken: ${JSON.stringify(broken)}`),
  ];
  return { figures, faults };
}

/** The rate that uses the given share of all processors, including clients and devices. */
async function turnsPerSecond(load: SoakLoad, share: number): Promise<number> {
  await closedLoop({ clients: warmUpClients, forMs: warmUpMs / 2 }, load.turn);
  const before = await cpuMsOfTree(process.pid);
  const { latenciesMs } = await closedLoop({ clients: warmUpClients, forMs: warmUpMs }, load.turn);
  const cpuMsPerTurn = ((await cpuMsOfTree(process.pid)) - before) / latenciesMs.length;
  return (share * availableParallelism() * 1000) / cpuMsPerTurn;
}

interface Written {
  readonly elapsedMs: number;
  readonly amounts: Readonly<Record<'binaryLogBytes' | 'redoLogBytes' | 'commits', number>>;
}

async function writtenDuring(system: AllInOneSystem, work: () => Promise<void>): Promise<Written> {
  const read = async () => ({
    atMs: performance.now(),
    binaryLogBytes: await binaryLogBytes(system.dataPath),
    redoLogBytes: await system.status('Innodb_os_log_written'),
    commits: await system.status('Com_commit'),
  });
  const before = await read();
  await work();
  const after = await read();
  const amounts = {
    binaryLogBytes: after.binaryLogBytes - before.binaryLogBytes,
    redoLogBytes: after.redoLogBytes - before.redoLogBytes,
    commits: after.commits - before.commits,
  };
  return { elapsedMs: after.atMs - before.atMs, amounts };
}

function perSecond({ elapsedMs, amounts }: Written): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(amounts).map(([name, amount]) => [name, rounded((amount * 1000) / elapsedMs, 1)]),
  );
}

/** Reads all figures of one moment, from outside the system. */
class Meter {
  readonly #system: AllInOneSystem;
  readonly #redis: Redis;
  readonly #pids: { readonly mariadb: number; readonly redis: number };

  private constructor(system: AllInOneSystem, redis: Redis, pids: { mariadb: number; redis: number }) {
    this.#system = system;
    this.#redis = redis;
    this.#pids = pids;
  }

  static async open(stack: AsyncDisposableStack, system: AllInOneSystem): Promise<Meter> {
    const redis = new Redis({ path: join(system.dataPath, 'run', 'redis.sock') });
    redis.on('error', () => undefined);
    stack.defer(() => redis.disconnect());
    const tree = await processTree(system.pid);
    const pidOf = (name: string): number => tree.find((each) => each.name.startsWith(name))?.pid ?? -1;
    return new Meter(system, redis, { mariadb: pidOf('mariadbd'), redis: pidOf('redis-server') });
  }

  /** `callsKept`: the calls whose rows retention has kept. */
  async read(
    { heapBytes, outsideHeapBytes, handles }: MemoryFigures,
    callsKept: number,
  ): Promise<Record<Name, Sample>> {
    const { pid, dataPath } = this.#system;
    const memory = async (of: number) => (await anonymousKib(of)) / 1024;
    const values: Record<Name, number> = {
      nodeHeapMiB: heapBytes / mebibyte,
      nodeOutsideHeapMiB: outsideHeapBytes / mebibyte,
      nodeMemoryMiB: await memory(pid),
      mariadbMemoryMiB: await memory(this.#pids.mariadb),
      redisMemoryMiB: await memory(this.#pids.redis),
      nodeHandles: handles,
      nodeFiles: await openFiles(pid),
      mariadbFiles: await openFiles(this.#pids.mariadb),
      databaseConnections: await this.#system.status('Threads_connected'),
      redisKeys: await this.#redis.dbsize(),
      tableRowsPerCall: sum([...(await this.#system.rows()).values()]) / Math.max(1, callsKept),
      diskMiB: (await usedBytes(dataPath)) / mebibyte,
      binaryLogMiB: (await binaryLogBytes(dataPath)) / mebibyte,
    };
    const atMs = performance.now();
    return Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, { atMs, value: rounded(value, 2) }]),
    ) as Record<Name, Sample>;
  }
}

async function openFiles(pid: number): Promise<number> {
  return (await readdir(`/proc/${pid}/fd`)).length;
}

async function binaryLogBytes(dataPath: string): Promise<number> {
  const folder = join(dataPath, 'mariadb', 'data');
  const names = (await readdir(folder)).filter((name) => name.startsWith('binlog.'));
  return sum(
    await Promise.all(names.map(async (name) => (await stat(join(folder, name)).catch(() => undefined))?.size ?? 0)),
  );
}

/** Allocated, like du(1). */
async function usedBytes(folder: string): Promise<number> {
  return sum([...(await fileBytes(folder)).values()]);
}

async function largestFilesMiB(folder: string): Promise<Readonly<Record<string, number>>> {
  const files = [...(await fileBytes(folder))].sort(([, a], [, b]) => b - a).slice(0, largestFiles);
  return Object.fromEntries(files.map(([path, bytes]) => [path, rounded(bytes / mebibyte, 1)]));
}

async function fileBytes(folder: string): Promise<ReadonlyMap<string, number>> {
  const entries = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const sizes = entries.map(async (entry): Promise<[string, number]> => {
    const path = join(entry.parentPath, entry.name);
    // A file that was deleted in between has no size.
    const blocks = (await stat(path).catch(() => undefined))?.blocks ?? 0;
    return [relative(folder, path), blocks * 512];
  });
  return new Map(await Promise.all(sizes));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
