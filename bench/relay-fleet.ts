// A fleet of 200 backends at one `npm start`, half over SSH and half over HTTPS, whose devices take 20 ms per call. It measures the highest
// rate of calls that it sustains through the gateway (HTTP on loopback), the cost of a call, and the memory of an idle session. Devices,
// load and system share this machine.
import { loadavg } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { AllInOneSystem } from '../measure/all-in-one.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { GraphClient } from '../measure/graph-client.ts';
import { rounded } from '../measure/statistics.ts';
import { brokenInvariantsAt } from '../tests/support/stores/invariants.ts';
import { seededRandom } from '../trials/random.ts';
import { BacklogReader } from './relay-fleet/backlog.ts';
import { fleetCall, startFleet, warmUp } from './relay-fleet/fleet.ts';
import { findRate } from './relay-fleet/rate-search.ts';
import { measureSessionMemory } from './relay-fleet/session-memory.ts';

const warmUpMs = 5_000;
/** Backends are checked every 10 s. */
const idleMs = 10_000;
const connections = 256;
const searchMs = 120_000;

const counts = {
  backends: { help: 'backends', usual: 200 },
  from: { help: 'calls per second to begin with', usual: 60 },
  seconds: { help: 'of a step', usual: 4 },
  p99: { help: 'milliseconds that are too much', usual: 250 },
};

export const benchRelayFleet = defineBench({ counts, run });

async function run({ seed, counts: given, progress, signal }: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const { backends: count, from: fromPerSecond, p99: p99LimitMs } = given;
  const stepMs = given.seconds * 1000;
  const random = seededRandom(seed);

  const memory = await measureSessionMemory(count, signal);
  progress(`sessions: ${JSON.stringify(memory)}`);

  await using stack = new AsyncDisposableStack();
  const system = await AllInOneSystem.start(stack, { withLab: false });
  const { url, token, database } = system.started;
  const client = new GraphClient(url, connections);
  stack.defer(() => client.close());
  const ask = client.as(token);
  const fleet = await startFleet(stack, ask, count);
  const backlog = await BacklogReader.open(stack, database);
  const call = fleetCall(ask);
  await warmUp(call, { fleet, random, forMs: warmUpMs });
  // Until the work that follows the answers is done.
  await sleep(1_000, undefined, { signal });
  const idle = await system.measureIdle(idleMs, signal, { logged: false });
  progress(`idle: ${JSON.stringify(idle)}`);

  const { best, proved, steps } = await findRate(
    { system, backlog, random, call: () => call(random.pick(fleet)), p99LimitMs },
    { fromPerSecond, stepMs, mostMs: searchMs, progress, signal },
  );
  const figures = {
    callsPerSecond: best.perSecond,
    failed: steps.reduce((sum, { failed }) => sum + failed, 0),
    p99Ms: best.p99Ms,
    cpuMsPerCall: best.cpuMsPerCall,
    kibPerSession: Math.max(memory.ssh.kibPerSession, memory.https.kibPerSession),
    databaseCpuMsPerCall: best.databaseCpuMsPerCall,
    p50Ms: best.p50Ms,
    backends: count,
    ...{ best, proved, memory, steps: steps.length },
    idlePerSecond: { cpuMs: rounded(idle.cpuMs, 1), databaseCpuMs: rounded(idle.databaseCpuMs, 1) },
    machineLoad: rounded(loadavg()[0] ?? Number.NaN, 1),
    invariants: (await brokenInvariantsAt(database)).length,
  };
  return { figures };
}
