// Durable mutations per second through the whole gateway with 16 clients: changes of projects, with one transaction each, and relayed
// writes to a device with minimal cost, with two each. In alternating rounds.
import { loadavg } from 'node:os';
import { AllInOneSystem, type Usage } from '../measure/all-in-one.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { closedLoop, type LoopFigures } from '../measure/closed-loop.ts';
import { GraphClient } from '../measure/graph-client.ts';
import { type CallData, CallMaker, checkSucceeded } from '../measure/relay/calls.ts';
import { mostConcurrency, register, startDevice } from '../measure/relay/devices.ts';
import { percentile, rounded } from '../measure/statistics.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import { projectWrites } from './support/project-writes.ts';

const deviceName = 'bench-firewall';
const idleMs = 3_000;
const warmUpMs = 3_000;

interface Round {
  readonly result: LoopFigures;
  readonly usage: Usage;
}

const counts = {
  clients: { help: 'clients at once', usual: 16 },
  rounds: { help: 'alternating rounds', usual: 4 },
  seconds: { help: 'of each kind in a round', usual: 4 },
};

export const benchWrites = defineBench({
  counts,
  against: {
    counts: { clients: 16, rounds: 2, seconds: 4 },
    rounds: 7,
    cpuPerUnit: [
      ...['cpuMsPerWrite', 'relayCpuMsPerWrite'],
      ...['projectUpdate > databaseCpuMsPerWrite', 'relayedCall > databaseCpuMsPerWrite'],
    ],
    measuredBy: 'its own benchmark',
  },
  run,
});

async function run({
  counts: { clients, rounds, seconds },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, token, adminPassword } = system.started;
  const { place } = await startDevice(stack, 'ssh');
  const client = new GraphClient(url, clients);
  stack.defer(() => client.close());
  await register(client.as(token), { name: deviceName, place, concurrency: mostConcurrency });

  const kinds = {
    project: await projectWrites(client, adminPassword, clients),
    relay: relayWrites(client, token),
  };
  const load = async (kind: keyof typeof kinds, forMs: number): Promise<LoopFigures> => {
    signal.throwIfAborted();
    return closedLoop({ clients, forMs }, kinds[kind]);
  };
  await load('project', warmUpMs);
  await load('relay', warmUpMs);
  await system.measureIdle(idleMs, signal);
  const results: Record<keyof typeof kinds, Round[]> = { project: [], relay: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of round % 2 === 0 ? (['project', 'relay'] as const) : (['relay', 'project'] as const))
      results[kind].push(await system.measure(() => load(kind, seconds * 1000)));
    progress(`round ${round + 1} of ${rounds}: ${JSON.stringify(figuresOf(results.project.slice(-1)))}`);
  }
  const [project, relay] = [figuresOf(results.project), figuresOf(results.relay)];
  const figures = {
    writesPerSecond: project.writesPerSecond,
    cpuMsPerWrite: project.cpuMsPerWrite,
    relayWritesPerSecond: relay.writesPerSecond,
    relayCpuMsPerWrite: relay.cpuMsPerWrite,
    projectUpdate: project,
    relayedCall: relay,
    clients,
    deviceConcurrency: mostConcurrency,
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    invariants: (await brokenInvariantsAt(system.started.database)).length,
  };
  return { figures };
}

function figuresOf(rounds: readonly Round[]) {
  const latenciesMs = rounds.flatMap(({ result }) => result.latenciesMs);
  const elapsedMs = rounds.reduce((sum, { result }) => sum + result.elapsedMs, 0);
  const perWrite = (figure: keyof Usage, digits: number) =>
    rounded(rounds.reduce((sum, { usage }) => sum + usage[figure], 0) / latenciesMs.length, digits);
  return {
    writesPerSecond: rounded((latenciesMs.length * 1000) / elapsedMs, 1),
    cpuMsPerWrite: perWrite('cpuMs', 2),
    databaseCpuMsPerWrite: perWrite('databaseCpuMs', 2),
    allCommitsPerWrite: perWrite('allCommits', 2),
    p50Ms: rounded(percentile(latenciesMs, 0.5), 1),
    p99Ms: rounded(percentile(latenciesMs, 0.99), 1),
    writes: latenciesMs.length,
  };
}

function relayWrites(client: GraphClient, token: string): () => Promise<void> {
  const [ask, maker] = [client.as(token), new CallMaker('ssh', 11)];
  return async () => checkSucceeded(await ask<CallData>(maker.document, { input: maker.input(deviceName) }));
}
