// What a relayed call costs beyond the same call on a warm pooled SSH connection, in short alternating rounds: at the relay
// subgraph (resolvers, journal, sessions), and through the whole gateway (HTTP on the loopback, credential, admission, plan).
// The device is a server that costs next to nothing, answering at once or after 20 ms; then the lab's real firewall.
import { loadavg } from 'node:os';
import type { Endpoint } from '../subgraphs/relay/transports/session.ts';
import type { Bench } from './bench.ts';
import { type CallData, CallMaker, checkSucceeded, document } from './relay/calls.ts';
import type { DeviceOrder, DevicePlace } from './relay/device-process.ts';
import { Figures } from './relay/figures.ts';
import { deviceConcurrency, deviceName, endpointOf, registerDevice } from './relay/register.ts';
import { AllInOneSystem } from './support/all-in-one.ts';
import type { CallWay } from './support/all-in-one-process.ts';
import { Child } from './support/child.ts';
import { closedLoop, type LoopFigures } from './support/closed-loop.ts';
import { GraphClient } from './support/graph-client.ts';
import { wholeNumber } from './support/options.ts';
import { rounded } from './support/statistics.ts';

const levels = ['direct', 'subgraph', 'gateway'] as const;
const askDeadlineMs = 60_000;
const idleMs = 3_000;
const labConcurrency = 4;

interface Case {
  readonly name: string;
  readonly backend: string;
  readonly endpoint: Endpoint;
  readonly concurrency: number;
  readonly clients: number;
  readonly delayMs: number;
}

/** Options: `--rounds` (6), `--block` milliseconds of each way in a round (800), `--lab no`. */
export const benchRelay: Bench = async ({ options, progress, signal }) => {
  const rounds = wholeNumber(options, 'rounds', 6);
  const blockMs = wholeNumber(options, 'block', 800);
  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: options.lab !== 'no' });
  const { url, token, lab } = system.started;
  const simulator = new Child(new URL('./relay/device-process.ts', import.meta.url));
  stack.defer(() => simulator.stop());
  const place = await simulator.ask<DevicePlace>({ do: 'start' } satisfies DeviceOrder, askDeadlineMs);
  const client = new GraphClient(url, deviceConcurrency);
  stack.defer(() => client.close());
  await registerDevice(client, token, place);

  const device = { backend: deviceName, endpoint: endpointOf(place), concurrency: deviceConcurrency };
  const cases: Case[] = [
    { name: 'instant, 1 client', ...device, clients: 1, delayMs: 0 },
    { name: '20 ms, 1 client', ...device, clients: 1, delayMs: 20 },
    { name: 'instant, 16 clients', ...device, clients: 16, delayMs: 0 },
    { name: '20 ms, 16 clients', ...device, clients: 16, delayMs: 20 },
  ];
  if (lab !== undefined) {
    const firewall = { backend: 'lab-firewall', endpoint: lab, concurrency: labConcurrency };
    cases.push({ name: 'lab, 1 client', ...firewall, clients: 1, delayMs: 0 });
  }

  const maker = new CallMaker(11);
  const overHttp = async (backend: string): Promise<void> =>
    checkSucceeded(await client.ask<CallData>(document, { input: maker.input(backend) }, token));
  const runBlock = (one: Case, level: (typeof levels)[number]): Promise<LoopFigures> => {
    const load = { clients: one.clients, forMs: blockMs };
    if (level === 'gateway') return closedLoop(load, () => overHttp(one.backend));
    const way: CallWay = level === 'direct' ? { level, ...one } : { level, backend: one.backend, token };
    return system.ask({ do: 'calls', way, ...load }, blockMs + askDeadlineMs);
  };

  for (const level of levels) await runBlock(cases[0] as Case, level);
  const idle = await system.measureIdle(idleMs, signal);
  const results = new Map<string, Figures>();
  for (const one of cases) {
    await simulator.ask({ do: 'delay', delayMs: one.delayMs } satisfies DeviceOrder, askDeadlineMs);
    for (const level of levels) await runBlock(one, level);
    const figures = new Figures(levels);
    for (let round = 0; round < rounds; round += 1) {
      // Whoever comes first in one round comes last in the next.
      for (const level of round % 2 === 0 ? levels : levels.toReversed()) {
        signal.throwIfAborted();
        figures.add(level, await system.measure(() => runBlock(one, level)));
      }
    }
    for (const level of ['subgraph', 'gateway'] as const) {
      let calls = 0;
      const logged = await system.logged(async () => {
        calls = (await runBlock(one, level)).latenciesMs.length;
      });
      figures.setLogged(level, { ...logged, calls });
    }
    results.set(one.name, figures);
    progress(`${one.name}: ${JSON.stringify(figures.report())}`);
  }
  const of = (name: string) => results.get(name)?.compare('subgraph');
  const [instant, slow] = [of('instant, 1 client'), of('20 ms, 1 client')];
  return {
    addedP50Ms: instant?.addedP50Ms,
    addedP99Ms: instant?.addedP99Ms,
    ratio20ms: slow?.ratio,
    commitsPerCall: instant?.commitsPerCall,
    cpuMsPerCall: instant?.cpuMsPerCall,
    cases: Object.fromEntries([...results].map(([name, figures]) => [name, figures.report()])),
    idlePerSecond: {
      commits: rounded(idle.commits, 2),
      roundTrips: rounded(idle.statements, 1),
      cpuMs: rounded(idle.cpuMs, 1),
      databaseCpuMs: rounded(idle.databaseCpuMs, 1),
    },
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
  };
};
