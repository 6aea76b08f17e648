// The cost of a relayed call above the same call on a warm pooled session, over SSH and over HTTPS, in short alternating rounds. It is
// measured at the relay subgraph (resolvers, journal, sessions), and through the whole gateway (HTTP on loopback, credential, admission,
// plan). The lower bound is measured too: the direct call between two durable rows, which is the machine's own cost of two commits per
// call. The devices are servers with minimal cost that answer at once or after 20 ms; then the lab's firewall is used.
import { loadavg } from 'node:os';
import { AllInOneSystem } from '../measure/all-in-one.ts';
import type { CallWay } from '../measure/all-in-one-process.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { closedLoop, type LoopFigures } from '../measure/closed-loop.ts';
import { GraphClient } from '../measure/graph-client.ts';
import { type CallData, CallMaker, checkSucceeded, type Wire } from '../measure/relay/calls.ts';
import { mostConcurrency } from '../measure/relay/devices.ts';
import { rounded } from '../measure/statistics.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import { type Case, nameOf, slowMs, startCases } from './relay/cases.ts';
import { Figures } from './relay/figures.ts';

const levels = ['direct', 'floor', 'subgraph', 'gateway'] as const;
const askDeadlineMs = 60_000;
const idleMs = 3_000;

const counts = {
  rounds: { help: 'alternating rounds', usual: 6 },
  block: { help: 'milliseconds of each way in a round', usual: 700 },
};
const compared = [nameOf('ssh', 0, mostConcurrency), nameOf('https', 0, mostConcurrency)];

export const benchRelay = defineBench({
  counts,
  options: { lab: 'no: without the firewall of the lab' },
  against: {
    counts: { rounds: 3, block: 700 },
    options: { lab: 'no' },
    rounds: 5,
    cpuPerUnit: [
      ...['cpuMsPerCall', 'httpsCpuMsPerCall'],
      ...compared.flatMap((name) => [
        `cases > ${name} > subgraph > cpuMsPerCall`,
        `cases > ${name} > gateway > cpuMsPerCall`,
      ]),
    ],
    measuredBy: 'its own benchmark',
  },
  run,
});

async function run({
  counts: { rounds, block: blockMs },
  options,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: options.lab !== 'no' });
  const { url, token, lab } = system.started;
  const client = new GraphClient(url, mostConcurrency);
  stack.defer(() => client.close());
  const ask = client.as(token);
  const cases = await startCases(stack, ask, lab);

  const makers = { ssh: new CallMaker('ssh', 11), https: new CallMaker('https', 11) };
  const overHttp = async ({ wire, backend }: Case): Promise<void> =>
    checkSucceeded(await ask<CallData>(makers[wire].document, { input: makers[wire].input(backend) }));
  const runBlock = (one: Case, level: (typeof levels)[number]): Promise<LoopFigures> => {
    const { wire, backend, endpoint, concurrency, clients } = one;
    const load = { clients, forMs: blockMs };
    if (level === 'gateway') return closedLoop(load, () => overHttp(one));
    const way: CallWay = level === 'subgraph' ? { level, wire, backend } : { level, wire, endpoint, concurrency };
    return system.ask({ do: 'calls', way, ...load }, blockMs + askDeadlineMs);
  };

  for (const level of levels) await runBlock(cases[0] as Case, level);
  const idle = await system.measureIdle(idleMs, signal);
  const results = new Map<string, Figures>();
  for (const one of cases) {
    await one.prepare();
    for (const level of levels) await runBlock(one, level);
    const ways = new Figures(levels);
    for (let round = 0; round < rounds; round += 1) {
      // The order changes in each round.
      for (const level of round % 2 === 0 ? levels : levels.toReversed()) {
        signal.throwIfAborted();
        ways.add(level, await system.measure(() => runBlock(one, level)));
      }
    }
    for (const level of ['subgraph', 'gateway'] as const) {
      let calls = 0;
      const logged = await system.logged(async () => {
        calls = (await runBlock(one, level)).latenciesMs.length;
      });
      ways.setLogged(level, { ...logged, calls });
    }
    results.set(one.name, ways);
    progress(`${one.name}: ${JSON.stringify(ways.report())}`);
  }
  const of = (wire: Wire, delayMs: number, level: 'floor' | 'subgraph' = 'subgraph') =>
    results.get(nameOf(wire, delayMs, 1))?.compare(level);
  const [ssh, https] = [of('ssh', 0), of('https', 0)];
  /** The relay's addition to a call at 20 ms, relative to the addition of two commits. */
  const addedToFloor = (wire: Wire) => {
    const [own, floor] = [of(wire, slowMs)?.addedP50Ms, of(wire, slowMs, 'floor')?.addedP50Ms];
    return own === undefined || floor === undefined ? undefined : rounded(own / floor, 2);
  };
  const with16 = (wire: Wire) => results.get(nameOf(wire, 0, mostConcurrency))?.compare('gateway');
  const cpuMs16 = (wire: Wire) => {
    const gateway = with16(wire);
    return gateway && rounded(gateway.cpuMsPerCall + gateway.databaseCpuMsPerCall, 2);
  };
  const sshRatio20ms = of('ssh', slowMs)?.ratio;
  const figures = {
    sshAddedToFloor: addedToFloor('ssh'),
    httpsAddedToFloor: addedToFloor('https'),
    sshCpuMs16: cpuMs16('ssh'),
    httpsCpuMs16: cpuMs16('https'),
    sshAddedP50Ms16: with16('ssh')?.addedP50Ms,
    httpsAddedP50Ms16: with16('https')?.addedP50Ms,
    sshRatio20ms,
    httpsRatio20ms: of('https', slowMs)?.ratio,
    sshAddedP50Ms: ssh?.addedP50Ms,
    httpsAddedP50Ms: https?.addedP50Ms,
    sshFloorRatio20ms: of('ssh', slowMs, 'floor')?.ratio,
    httpsFloorRatio20ms: of('https', slowMs, 'floor')?.ratio,
    sshFloorAddedP50Ms: of('ssh', 0, 'floor')?.addedP50Ms,
    httpsFloorAddedP50Ms: of('https', 0, 'floor')?.addedP50Ms,
    commitsPerCall: ssh?.commitsPerCall,
    cpuMsPerCall: ssh?.cpuMsPerCall,
    httpsAddedP99Ms: https?.addedP99Ms,
    httpsCommitsPerCall: https?.commitsPerCall,
    httpsCpuMsPerCall: https?.cpuMsPerCall,
    // Their names are from the time when SSH was the only protocol.
    addedP50Ms: ssh?.addedP50Ms,
    addedP99Ms: ssh?.addedP99Ms,
    ratio20ms: sshRatio20ms,
    cases: Object.fromEntries([...results].map(([name, ways]) => [name, ways.report()])),
    idlePerSecond: {
      commits: rounded(idle.commits, 2),
      roundTrips: rounded(idle.statements, 1),
      cpuMs: rounded(idle.cpuMs, 1),
      databaseCpuMs: rounded(idle.databaseCpuMs, 1),
    },
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    invariants: (await brokenInvariantsAt(system.started.database)).length,
  };
  return { figures };
}
