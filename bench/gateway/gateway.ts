// The cost of a request at this project's gateway, with subgraphs in its own process and over HTTP, compared with Hive Gateway and Grafbase
// with the same HTTP subgraphs. In short alternating rounds it requests 50 entities from three subgraphs, one such entity, and the query of
// the open benchmark of federation gateways. The gateway's CPU time is reliable on a busy machine. For requests per second, the subgraphs
// and the load share the processors.
import { loadavg } from 'node:os';
import { defaultLimits } from '../../gateway/access/limits.ts';
import { ArgumentError } from '../../measure/arguments.ts';
import { type BenchContext, type BenchResult, defineBench } from '../../measure/bench.ts';
import { cpuMsOf } from '../../measure/cpu.ts';
import { rounded } from '../../measure/statistics.ts';
import { figuresOf, medianCpuMs, type Rounds, ratioOf, type Turn } from './figures.ts';
import { hasGrafbase, installGrafbase } from './grafbase.ts';
import { type GraphName, graphNamed, graphNames } from './graphs.ts';
import { installHive } from './hive.ts';
import type { LoadFigures, LoadOrder } from './load-process.ts';
import { checkSameAnswers, type MeasuredGateway } from './same-answers.ts';
import { startChild, startGateways } from './start-gateways.ts';

const turnGraceMs = 20_000;

const counts = {
  rounds: { help: 'alternating rounds', usual: 9 },
  seconds: { help: 'of each gateway in a round', usual: 2 },
  warmup: { help: 'seconds before the first round', usual: 4 },
  clients: { help: 'clients at once', usual: 8 },
};

type Context = BenchContext<keyof typeof counts>;

const allWorkloads = graphNames.flatMap((name) => Object.keys(graphNamed(name).workloads));

export const benchGateway = defineBench({
  counts,
  options: { workload: `only this one of ${allWorkloads.join(', ')}` },
  against: {
    counts: { rounds: 3, seconds: 1, warmup: 3, clients: 8 },
    rounds: 5,
    cpuPerUnit: ['inProcessCpuMs', 'httpCpuMs'],
    measuredBy: 'its own benchmark',
  },
  run,
});

async function run(context: Context): Promise<BenchResult> {
  const { options, counts, progress, signal } = context;
  const { workload: only } = options;
  if (only !== undefined && !allWorkloads.includes(only))
    throw new ArgumentError(`--workload must be one of ${allWorkloads.join(', ')}, not '${only}'`);
  progress('installing Hive Gateway and Grafbase, if they are not there yet …');
  await installHive(signal);
  if (hasGrafbase) await installGrafbase(signal);

  const results = new Map<string, Rounds>();
  for (const graph of graphNames) {
    const workloads = Object.keys(graphNamed(graph).workloads).filter((name) => only === undefined || name === only);
    if (workloads.length > 0) await measureGraph(graph, workloads, results, context);
  }
  const [fanout, single, open] = [results.get('fanout'), results.get('single'), results.get('public')];
  const figures = {
    inProcessCpuMs: medianCpuMs(fanout, 'inProcess'),
    httpCpuMs: medianCpuMs(fanout, 'http'),
    httpToHive: ratioOf(fanout, 'http', 'hive'),
    inProcessToHive: ratioOf(fanout, 'inProcess', 'hive'),
    httpToGrafbase: ratioOf(fanout, 'http', 'grafbase'),
    singleToHive: ratioOf(single, 'http', 'hive'),
    singleToGrafbase: ratioOf(single, 'http', 'grafbase'),
    publicToHive: ratioOf(open, 'http', 'hive'),
    publicInProcessToHive: ratioOf(open, 'inProcess', 'hive'),
    publicToGrafbase: ratioOf(open, 'http', 'grafbase'),
    ...Object.fromEntries([...results].map(([workload, rounds]) => [workload, figuresOf(rounds)])),
    rounds: counts.rounds,
    clients: counts.clients,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
  return { figures };
}

/** All workloads of a graph, on the same gateways. */
async function measureGraph(
  graph: GraphName,
  workloads: readonly string[],
  results: Map<string, Rounds>,
  context: Context,
): Promise<void> {
  const { progress, signal } = context;
  await using stack = new AsyncDisposableStack();
  const { gateways, token } = await startGateways(graph, stack, signal);
  await checkSameAnswers(gateways, graphNamed(graph), token, defaultLimits);
  progress(`all gateways of ${graph} give the same answers and refuse the same requests`);

  const load = startChild(stack, './load-process.ts');
  for (const workload of workloads) {
    const turn = async ({ url, pid }: MeasuredGateway, seconds: number): Promise<Turn> => {
      signal.throwIfAborted();
      const beforeMs = cpuMsOf(pid);
      const order: LoadOrder = { graph, workload, url, token, clients: context.counts.clients, seconds };
      const { requests, elapsedMs } = await load.ask<LoadFigures>(order, seconds * 1000 + turnGraceMs);
      return { cpuMs: (cpuMsOf(pid) - beforeMs) / requests, requestsPerSecond: (requests * 1000) / elapsedMs };
    };
    results.set(workload, await measure(workload, gateways, turn, context));
  }
}

async function measure(
  workload: string,
  gateways: readonly MeasuredGateway[],
  turn: (gateway: MeasuredGateway, seconds: number) => Promise<Turn>,
  { counts: { rounds, seconds, warmup }, progress }: Context,
): Promise<Rounds> {
  for (const gateway of gateways) await turn(gateway, warmup);
  const turns = new Map<string, Turn[]>(gateways.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order changes in each round, so that no gateway always follows the same one.
    const order = round % 2 === 0 ? gateways : gateways.toReversed();
    for (const gateway of order) turns.get(gateway.name)?.push(await turn(gateway, seconds));
    const line = gateways.map(({ name }) => `${name} ${turns.get(name)?.at(-1)?.cpuMs.toFixed(2)}`).join(', ');
    progress(`${workload}, round ${round + 1} of ${rounds}, CPU ms per request: ${line}`);
  }
  return turns;
}
