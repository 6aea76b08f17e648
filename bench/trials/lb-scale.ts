// `npm run trials -- lb-scale`: simulated hours of autoscaling under many courses of load.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { countFlaps } from './lb-scale/judge.ts';
import { type Course, courses } from './lb-scale/load.ts';
import type { RealRun } from './lb-scale/real-runs.ts';
import { type SimulatedHour, simulateHour } from './lb-scale/simulation.ts';
import { seededRandom } from './random.ts';

const counts = {
  hours: { help: 'simulated hours', usual: 1_000 },
  real: { help: 'runs on real nodes, a minute and a half each', usual: 0, full: 4, least: 0 },
};

export const trialLbScale = defineBench({ counts, run });

type CountName = keyof typeof counts;

const realCourses: readonly Course[] = ['square', 'spike', 'saw', 'diurnal'];

async function run(context: BenchContext<CountName>): Promise<BenchResult<CountName>> {
  const { seed, counts, progress, timeIsUp, signal } = context;
  const faults: string[] = [];
  const byCourse = new Map<Course, SimulatedHour[]>();
  let [runs, flaps, outOfBounds] = [0, 0, 0];
  for (; runs < counts.hours && !timeIsUp() && !signal.aborted; runs += 1) {
    const course = courses[runs % courses.length] ?? 'square';
    const hour = simulateHour(course, seededRandom(seed + runs));
    const { decisions, policy } = hour;
    const own = countFlaps(decisions, policy.cooldownMs);
    const outside = decisions.filter(({ toNodes, min, max }) => toNodes < min || toNodes > max).length;
    if (own + outside > 0)
      faults.push(`hour ${runs} (${course}, --seed ${seed + runs} --hours 1): ${own} flaps, ${outside} out of bounds`);
    flaps += own;
    outOfBounds += outside;
    byCourse.set(course, [...(byCourse.get(course) ?? []), hour]);
    if (runs % 100 === 99) {
      progress(`${runs + 1} hours, ${flaps} flaps`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  const real = await runReal(context);
  for (const each of real) {
    if (each.flaps + each.outOfBounds > 0) faults.push(`on real nodes: ${JSON.stringify(each)}`);
    flaps += each.flaps;
    outOfBounds += each.outOfBounds;
  }
  const perCourse = Object.fromEntries([...byCourse].map(([course, hours]) => [course, summary(hours)]));
  return {
    figures: { runs: runs + real.length, flaps, outOfBounds, perCourse, real },
    ran: { hours: runs, real: real.length },
    faults: faults.slice(0, 20),
  };
}

/** Each with servers of its own. */
async function runReal({ seed, counts, progress, timeIsUp, signal }: BenchContext<CountName>): Promise<RealRun[]> {
  if (counts.real === 0) return [];
  const { TestServers } = await import('../../tests/support/servers.ts');
  const { runOnNodes } = await import('./lb-scale/real-runs.ts');
  const servers = await TestServers.start();
  const done: RealRun[] = [];
  try {
    servers.publish(undefined);
    for (let run = 0; run < counts.real && !timeIsUp() && !signal.aborted; run += 1) {
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
    /** Node time against that of the smallest number that meets the target at each moment. */
    nodeTimeToNeeded: round(sum(({ nodeSeconds }) => nodeSeconds) / sum(({ neededSeconds }) => neededSeconds)),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
