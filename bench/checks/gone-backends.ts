// Health checks of backends by the system of `npm start`, with thousands of dead backends: how soon the death of a live one is detected.
// Some of the dead backends refuse the connection, and the others never answer.
import { fork } from 'node:child_process';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { AllInOneSystem } from '../../measure/all-in-one.ts';
import { Child } from '../../measure/child.ts';
import { GraphClient } from '../../measure/graph-client.ts';
import type { Wire } from '../../measure/relay/calls.ts';
import { register, startDevices } from '../../measure/relay/devices.ts';
import { Database } from '../../platform/database/database.ts';
import type { ListenQuestion } from './listener-process.ts';

interface GoneContext {
  readonly counts: {
    readonly closed: number;
    readonly silent: number;
    readonly living: number;
    readonly seconds: number;
  };
  readonly progress: (line: string) => void;
  readonly signal: AbortSignal;
}

/** First with the processors free, then with another process on each of them. */
const situations = ['quiet', 'busy'] as const;

interface DeathFigures {
  /** Time from the end of the devices until all of them are recorded OFFLINE. */
  readonly deathSeenS: number;
  /** Live backends that were recorded OFFLINE. */
  readonly falseOffline: number;
  readonly checksPerSecond: number;
  readonly inconclusive: number;
  /** The delay of checks of live backends. */
  readonly lateS: number;
  /** Processors used by the system and its database. */
  readonly cpus: number;
}

const wire: Wire = 'ssh';
const port = 18_081;
const registeredAtOnce = 16;
const perSilentHost = 10;
const mostWaitS = 180;
/** The bound of `deathSeenS`: the engine's fall × the interval of the settings + 1. */
export const deathBoundS = 2 * 10 + 1;

export async function measureDeaths({
  counts,
  progress,
  signal,
}: GoneContext): Promise<Readonly<Record<(typeof situations)[number], DeathFigures>>> {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, token, database } = system.started;
  const client = new GraphClient(url, registeredAtOnce);
  stack.defer(() => client.close());
  const ask = client.as(token);
  const db = new Database({ connection: database, connectionLimit: 2 });
  stack.defer(() => db.close());

  const groups = await Promise.all(situations.map((name) => startGroup(stack, name, counts.living)));
  const like = groups[0]?.places[0];
  if (like === undefined) throw new Error('no device was started');
  const closed = Array.from({ length: counts.closed }, (_, index) => ({
    name: `closed-${index}`,
    host: hostOf(30, index),
  }));
  const silent = Array.from({ length: counts.silent }, (_, index) => ({
    name: `silent-${index}`,
    host: hostOf(40, Math.floor(index / perSilentHost)),
  }));
  await fallSilent(stack, new Set(silent.map(({ host }) => host)));
  const left = [
    ...groups.flatMap(({ name, places }) => places.map((place, index) => ({ name: `${name}-${index}`, place }))),
    ...[...closed, ...silent].map(({ name, host }) => ({ name, place: { ...like, host, port } })),
  ];
  const registering = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) await register(ask, one);
  };
  const fromMs = performance.now();
  await Promise.all(Array.from({ length: registeredAtOnce }, registering));
  progress(`registered after ${since(fromMs)} s`);

  const countOf = async (name: string, status: string): Promise<number> => {
    const sql = 'SELECT COUNT(*) AS count FROM backend WHERE name LIKE ? AND operating_status = ?';
    const [row] = await db.query<{ count: bigint }>(sql, [`${name}-%`, status]);
    return Number(row?.count);
  };
  /** Until the deadline. */
  const offline = async (names: readonly string[], count: number): Promise<void> => {
    const beganMs = performance.now();
    for (let seen = 0; seen < count && since(beganMs) < mostWaitS; await sleep(500, undefined, { signal })) {
      seen = 0;
      for (const name of names) seen += await countOf(name, 'OFFLINE');
    }
  };
  await offline(['closed', 'silent'], counts.closed + counts.silent);
  progress(`all gone ones seen after ${since(fromMs)} s`);
  const measure = async ({ name, end }: (typeof groups)[number]): Promise<DeathFigures> => {
    await using load = new AsyncDisposableStack();
    if (name === 'busy') keepBusy(load);
    const before = await readMetrics(url);
    const { usage } = await system.measure(() => sleep(counts.seconds * 1000, undefined, { signal }));
    const after = await readMetrics(url);
    const falseOffline = counts.living - (await countOf(name, 'ONLINE'));
    await end();
    const deadMs = performance.now();
    await offline([name], counts.living);
    const figures = {
      deathSeenS: since(deadMs),
      falseOffline,
      checksPerSecond: (after.checks - before.checks) / counts.seconds,
      inconclusive: after.inconclusive - before.inconclusive,
      lateS: after.lateS,
      cpus: (usage.cpuMs + usage.databaseCpuMs) / 1000 / counts.seconds,
    };
    progress(`${name}: ${JSON.stringify(figures)}`);
    return figures;
  };
  const [first, second] = groups;
  if (first === undefined || second === undefined) throw new Error('two groups of devices are needed');
  return { quiet: await measure(first), busy: await measure(second) };
}

async function startGroup(stack: AsyncDisposableStack, name: (typeof situations)[number], count: number) {
  const devices = stack.use(new AsyncDisposableStack());
  const { places } = await startDevices(devices, wire, count);
  return { name, places, end: () => devices.disposeAsync() };
}

function keepBusy(stack: AsyncDisposableStack): void {
  for (let core = 0; core < availableParallelism(); core += 1) {
    const child = fork(new URL('./busy-process.ts', import.meta.url), { execArgv: [] });
    stack.defer(() => void child.kill('SIGKILL'));
  }
}

/** A listener on each host that never accepts connections and whose queue is full. */
async function fallSilent(stack: AsyncDisposableStack, hosts: ReadonlySet<string>): Promise<void> {
  const listener = new Child(new URL('./listener-process.ts', import.meta.url));
  stack.defer(async () => {
    process.kill(listener.pid, 'SIGCONT');
    await listener.stop();
  });
  await listener.ask({ hosts: [...hosts], port, backlog: 1 } satisfies ListenQuestion, 60_000);
  process.kill(listener.pid, 'SIGSTOP');
  const fillers = [...hosts].flatMap((host) =>
    [1, 2, 3].map(() => connect({ host, port }).on('error', () => undefined)),
  );
  stack.defer(() => {
    for (const filler of fillers) filler.destroy();
  });
}

async function readMetrics(url: string) {
  const text = await (await fetch(new URL('/metrics', url))).text();
  const sumOf = (name: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(name))
      .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
  return {
    checks: sumOf('tidegate_checks_total'),
    inconclusive: sumOf('tidegate_checks_total{tenant="backends",outcome="INCONCLUSIVE"}'),
    lateS: sumOf('tidegate_check_late_seconds{tenant="backends",targets="up"}'),
  };
}

function hostOf(second: number, index: number): string {
  return `127.${second + Math.floor(index / 62_500)}.${Math.floor(index / 250) % 250}.${(index % 250) + 1}`;
}

function since(fromMs: number): number {
  return Math.round((performance.now() - fromMs) / 100) / 10;
}
