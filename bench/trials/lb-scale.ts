// `npm run trials -- lb-scale`: simulated hours of autoscaling under many courses of load.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { countFlaps } from './lb-scale/judge.ts';
import { type Course, courses } from './lb-scale/load.ts';
import { type SimulatedHour, simulateHour } from './lb-scale/simulation.ts';
import { seededRandom } from './random.ts';

const counts = { hours: { help: 'simulated hours', usual: 1_000 } };

export const trialLbScale = defineBench({ counts, run });

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
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
  const perCourse = Object.fromEntries([...byCourse].map(([course, hours]) => [course, summary(hours)]));
  return { figures: { runs, flaps, outOfBounds, perCourse }, ran: { hours: runs }, faults: faults.slice(0, 20) };
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
