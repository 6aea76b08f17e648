// `npm run trials -- lb-scale`: simulated hours of autoscaling under many courses of load.
import { defineTrial, type TrialRun } from './define-trial.ts';
import { descentFault, simulateDescent } from './lb-scale/descent.ts';
import { type Course, courses } from './lb-scale/load.ts';
import type { RealRun } from './lb-scale/real-runs.ts';
import { type SimulatedHour, simulateHour } from './lb-scale/simulation.ts';
import { countFlaps } from './lb-scale/verdict.ts';
import { seededRandom } from './random.ts';

export const trialLbScale = defineTrial({
  counts: {
    hours: { help: 'simulated hours', usual: 1_000 },
    courses: { help: 'courses of load by the default policy that must come down again', usual: 200 },
    real: { help: 'runs on real nodes, a minute and a half each', usual: 0, full: 4, least: 0 },
  },
  run: runScaleTrials,
  mustBeZero: ['flaps', 'outOfBounds'],
  ran: ({ runs, descents, real }) => ({ hours: runs - real.length, courses: descents, real: real.length }),
});

interface ScaleOptions extends Required<TrialRun> {
  readonly hours: number;
  readonly courses: number;
  readonly real: number;
}

const realCourses: readonly Course[] = ['square', 'spike', 'saw', 'diurnal'];

async function runScaleTrials(given: ScaleOptions) {
  const { seed, progress, timeIsUp, signal } = given;
  const findings: string[] = [];
  const byCourse = new Map<Course, SimulatedHour[]>();
  let [runs, flaps, outOfBounds] = [0, 0, 0];
  for (; runs < given.hours && !timeIsUp() && !signal.aborted; runs += 1) {
    const course = courses[runs % courses.length] ?? 'square';
    const hour = simulateHour(course, seededRandom(seed + runs));
    const { decisions, policy } = hour;
    const own = countFlaps(decisions, policy.cooldownMs);
    const outside = decisions.filter(({ toNodes, min, max }) => toNodes < min || toNodes > max).length;
    if (own + outside > 0)
      findings.push(
        `hour ${runs} (${course}, --seed ${seed + runs} --hours 1): ${own} flaps, ${outside} out of bounds`,
      );
    flaps += own;
    outOfBounds += outside;
    byCourse.set(course, [...(byCourse.get(course) ?? []), hour]);
    if (runs % 100 === 99) {
      progress(`${runs + 1} hours, ${flaps} flaps`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  let [descents, cameDown] = [0, 0];
  for (; descents < given.courses && !timeIsUp() && !signal.aborted; descents += 1) {
    const descent = simulateDescent(60_000 + 15_000 * (descents % 200), seededRandom(seed + descents));
    const fault = descentFault(descent);
    if (fault === undefined) cameDown += 1;
    else findings.push(`course ${descents} (--seed ${seed}): ${fault}`);
    if (descents % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
  }
  const real = await runReal(given);
  for (const each of real) {
    if (each.flaps + each.outOfBounds > 0) findings.push(`on real nodes: ${JSON.stringify(each)}`);
    flaps += each.flaps;
    outOfBounds += each.outOfBounds;
  }
  const perCourse = Object.fromEntries([...byCourse].map(([course, hours]) => [course, summary(hours)]));
  return { runs: runs + real.length, flaps, outOfBounds, descents, cameDown, perCourse, real, findings };
}

/** Each with its own servers. */
async function runReal({ seed, real, progress, timeIsUp, signal }: ScaleOptions): Promise<RealRun[]> {
  if (real === 0) return [];
  const { TestServers } = await import('../tests/support/stores/servers.ts');
  const { runOnNodes } = await import('./lb-scale/real-runs.ts');
  const servers = await TestServers.start();
  const done: RealRun[] = [];
  try {
    servers.publish(undefined);
    for (let run = 0; run < real && !timeIsUp() && !signal.aborted; run += 1) {
      const course = realCourses[run % realCourses.length] ?? 'square';
      done.push(await runOnNodes(course, seededRandom(seed + run), signal));
      progress(`on real nodes: ${JSON.stringify(done.at(-1))}`);
    }
  } finally {
    await servers.stop();
  }
  return done;
}

function summary(hours: readonly SimulatedHour[]) {
  const sum = (of: (hour: SimulatedHour) => number) => hours.reduce((total, hour) => total + of(hour), 0);
  return {
    changesAnHour: round(
      sum(({ decisions }) => decisions.filter(({ action }) => action !== 'KEEP').length) / hours.length,
    ),
    overloadedSecondsAnHour: round(sum(({ overloadedSeconds }) => overloadedSeconds) / hours.length),
    /** Node time, relative to the node time of the smallest number that meets the target at each moment. */
    nodeTimeToNeeded: round(sum(({ nodeSeconds }) => nodeSeconds) / sum(({ neededSeconds }) => neededSeconds)),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
