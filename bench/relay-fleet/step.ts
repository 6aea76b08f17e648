// One step of the search for the highest rate: a few seconds of calls at a rate, and whether the system sustained it.

import type { AllInOneSystem } from '../../measure/all-in-one.ts';
import { median, percentile, rounded } from '../../measure/statistics.ts';
import type { Random } from '../../trials/random.ts';
import { openLoop } from '../support/open-loop.ts';
import { othersDuring } from '../support/others.ts';
import type { BacklogReader } from './backlog.ts';

export interface StepDependencies {
  readonly system: AllInOneSystem;
  readonly backlog: BacklogReader;
  readonly random: Random;
  readonly call: () => Promise<void>;
  readonly p99LimitMs: number;
}

export interface Step {
  readonly perSecond: number;
  readonly calls: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** CPU time of the process with all roles, above its idle use. */
  readonly cpuMsPerCall: number;
  readonly databaseCpuMsPerCall: number;
  /** The median of the last third. */
  readonly underWay: number;
  readonly pending: number;
  readonly unsequenced: number;
  /** The share of the machine's processors used by other processes at the same time, 0 to 1. */
  readonly others: number;
  /** The reason why the rate is too high. Undefined if the system sustained it. */
  readonly tooMuch: string | undefined;
}

const mostUnderWay = 1_000;
/** A queue that grows by this much may be coincidence. */
const queueNoise = 8;

export async function runStep(dependencies: StepDependencies, perSecond: number, forMs: number): Promise<Step> {
  const { system, backlog, random, call, p99LimitMs } = dependencies;
  const work = () => Promise.all([openLoop({ perSecond, forMs, random, mostUnderWay }, call), backlog.during(forMs)]);
  const { result: measured, others } = await othersDuring(() => system.measure(work));
  const [loop, backlogs] = measured.result;
  const calls = loop.latenciesMs.length;
  const p99Ms = percentile(loop.latenciesMs, 0.99);
  const queues = {
    'requests under way': loop.underWay,
    'calls that wait': backlogs.map(({ pending }) => pending),
    'calls on the wire': backlogs.map(({ sent }) => sent),
    'events without a place': backlogs.map(({ unsequenced }) => unsequenced),
  };
  const growing = Object.entries(queues).find(([, lengths]) => grows(lengths));
  const tooMuch =
    (loop.failed > 0 ? `${loop.failed} failed: ${loop.firstFailure}` : undefined) ??
    (p99Ms > p99LimitMs ? `p99 is ${Math.round(p99Ms)} ms` : undefined) ??
    (growing === undefined ? undefined : `${growing[0]} grew: ${growing[1].join(' ')}`);
  return {
    perSecond: rounded((calls * 1000) / loop.elapsedMs, 1),
    calls,
    failed: loop.failed,
    p50Ms: rounded(percentile(loop.latenciesMs, 0.5), 1),
    p99Ms: rounded(p99Ms, 1),
    cpuMsPerCall: rounded(measured.usage.cpuMs / calls, 2),
    databaseCpuMsPerCall: rounded(measured.usage.databaseCpuMs / calls, 2),
    underWay: median(third(loop.underWay, 2)),
    pending: median(third(queues['calls that wait'], 2)),
    unsequenced: median(third(queues['events without a place'], 2)),
    others: rounded(others, 2),
    tooMuch,
  };
}

/** True if a queue is clearly longer in the last third of the time than in the first. */
function grows(lengths: readonly number[]): boolean {
  return median(third(lengths, 2)) > 2 * median(third(lengths, 0)) + queueNoise;
}

function third<T>(values: readonly T[], index: 0 | 1 | 2): readonly T[] {
  return values.slice(Math.floor((values.length * index) / 3), Math.floor((values.length * (index + 1)) / 3));
}
