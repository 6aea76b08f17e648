// `npm run trials -- objects-model`: object storage's registers in simulated time, with messages lost, doubled and late, dead coordinators, wrong
// clocks, changes of rings, forgotten deletions, restored backups and answers of single replicas, against a judge of what clients were told. Then
// each guard of the protocol is taken out in turn, and must be missed.
import { type BenchContext, type BenchResult, defineBench } from '../bench.ts';
import { applyStep, shownBy } from './objects-model/history.ts';
import { isLinearizable } from './objects-model/linearizable.ts';
import { untrue } from './objects-model/nearest.ts';
import { type Trap, traps } from './objects-model/traps.ts';
import { type Emphasis, productGuards, World, type WorldOptions } from './objects-model/world.ts';
import { seededRandom } from './random.ts';

const counts = {
  schedules: { help: 'schedules, each with a seed of its own', usual: 100_000, full: 1_000_000 },
  caught: { help: 'schedules in which a guard that was taken out must be missed', usual: 40_000 },
};

export const trialObjectsModel = defineBench({ counts, run });

/** Whether what clients were told in one schedule could be true. */
export async function holds(seed: number, options: WorldOptions): Promise<boolean> {
  const world = new World(seededRandom(seed), options);
  await world.run();
  return (
    [...world.history.values()].every((operations) => isLinearizable(operations, '', applyStep)) &&
    [...world.nearest].every(([name, reads]) => {
      const shown = (world.history.get(name) ?? []).flatMap(shownBy);
      return reads.every((read) => untrue(read, shown) === undefined);
    })
  );
}

/** In every third schedule single replicas are asked. */
export function emphasisOf(seed: number): readonly Emphasis[] {
  return seed % 3 === 0 ? ['single replicas are asked'] : [];
}

/** The first schedule that shows the trap; undefined: none of them does. */
export async function caughtBy(trap: Trap, fromSeed: number, schedules: number): Promise<number | undefined> {
  for (let seed = fromSeed; seed < fromSeed + schedules; seed += 1) if (!(await holds(seed, trap))) return seed;
  return undefined;
}

async function run(context: BenchContext<keyof typeof counts>): Promise<BenchResult<keyof typeof counts>> {
  const { seed, counts: wanted, timeIsUp, progress, signal } = context;
  const faults: string[] = [];
  let trapsCaught = 0;
  for (const [what, trap] of Object.entries(traps)) {
    const found = await caughtBy(trap, trap.seed, wanted.caught);
    if (found === undefined) faults.push(`nothing shows that this is missing: ${what}`);
    else trapsCaught += 1;
    progress(`${what}: ${found === undefined ? 'not caught' : `caught after ${found - trap.seed + 1}`}`);
    signal.throwIfAborted();
  }
  let schedules = 0;
  let violations = 0;
  for (; schedules < wanted.schedules && !timeIsUp() && !signal.aborted; schedules += 1) {
    if (!(await holds(seed + schedules, { guards: productGuards, emphasis: emphasisOf(seed + schedules) }))) {
      violations += 1;
      faults.push(`a violation: --seed ${seed + schedules} --schedules 1`);
    }
    if (schedules % 10_000 === 9_999) progress(`${schedules + 1} schedules, ${violations} violations`);
  }
  const figures = { schedules, violations, traps: Object.keys(traps).length, trapsCaught };
  return { figures, ran: { schedules }, faults: faults.slice(0, 20) };
}
