// `npm run trials -- objects-model`: object storage's registers in simulated time, with lost, duplicated and late messages, dead
// coordinators, wrong clocks, ring changes, forgotten deletions, restored backups and answers of single replicas. A judge checks the
// answers that clients got. Then each guard of the protocol is removed in turn, and the judge must notice.
import { defineTrial, type TrialRun } from './define-trial.ts';
import { applyStep, shownBy } from './objects-model/history.ts';
import { isLinearizable } from './objects-model/linearizable.ts';
import { untrue } from './objects-model/nearest.ts';
import { type Trap, traps } from './objects-model/traps.ts';
import { type Emphasis, productGuards, World, type WorldOptions } from './objects-model/world.ts';
import { seededRandom } from './random.ts';

export const trialObjectsModel = defineTrial({
  counts: {
    schedules: { help: 'schedules, each with its own seed', usual: 100_000, full: 1_000_000 },
    caught: { help: 'schedules in which a guard that was taken out must be missed', usual: 40_000 },
  },
  run: runModelTrials,
  mustBeZero: ['violations'],
});

/** Whether the answers in one schedule are consistent. */
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

/** In every third schedule single replicas are queried, and in another third clocks are stepped. */
export function emphasisOf(seed: number): readonly Emphasis[] {
  return [['single replicas are asked'], ['clocks step'], []][seed % 3] as readonly Emphasis[];
}

/** The first schedule that reveals the trap. Undefined if none does. */
export async function caughtBy(trap: Trap, fromSeed: number, schedules: number): Promise<number | undefined> {
  for (let seed = fromSeed; seed < fromSeed + schedules; seed += 1) if (!(await holds(seed, trap))) return seed;
  return undefined;
}

async function runModelTrials(given: Required<TrialRun> & { readonly schedules: number; readonly caught: number }) {
  const { seed, timeIsUp, progress, signal } = given;
  const findings: string[] = [];
  let trapsCaught = 0;
  for (const [what, trap] of Object.entries(traps)) {
    const found = await caughtBy(trap, trap.seed, given.caught);
    if (found === undefined) findings.push(`nothing shows that this is missing: ${what}`);
    else trapsCaught += 1;
    progress(`${what}: ${found === undefined ? 'not caught' : `caught after ${found - trap.seed + 1}`}`);
    signal.throwIfAborted();
  }
  let schedules = 0;
  let violations = 0;
  for (; schedules < given.schedules && !timeIsUp() && !signal.aborted; schedules += 1) {
    if (!(await holds(seed + schedules, { guards: productGuards, emphasis: emphasisOf(seed + schedules) }))) {
      violations += 1;
      findings.push(`a violation: --seed ${seed + schedules} --schedules 1`);
    }
    if (schedules % 10_000 === 9_999) progress(`${schedules + 1} schedules, ${violations} violations`);
  }
  return { schedules, violations, traps: Object.keys(traps).length, trapsCaught, findings };
}
