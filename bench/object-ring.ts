// `npm run bench -- object-ring`: what moves when a sixth cluster comes, and whether rings are right after each of many random changes.
import { firstRing } from '../platform/rings/next-ring.ts';
import type { Ring } from '../platform/rings/ring.ts';
import { type BenchContext, type BenchResult, defineBench } from './bench.ts';
import { deviationOf, faultsOf, movedIn, settled } from './object-ring/judge.ts';
import { RandomWishes } from './object-ring/random-wishes.ts';
import { rounded } from './support/statistics.ts';
import { seededRandom } from './trials/random.ts';

const counts = {
  changes: { help: 'random changes of clusters, weights and zones, one after the other', usual: 1_000 },
};

export const benchObjectRing = defineBench({ counts, run });

const equal = (clusters: number) =>
  Array.from({ length: clusters }, (_, at) => ({ cluster: at + 1, weight: 1, zone: `zone ${at + 1}` }));

async function run({
  seed,
  counts: wanted,
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  const five = firstRing({ members: equal(5), replicas: 3 });
  const sixth = settled(five, { members: equal(6), replicas: 3 });
  const wishes = new RandomWishes(seededRandom(seed));
  let ring = firstRing(wishes.wish);
  let [twoInOneStep, sameZone, worstDeviation, steps] = [0, 0, 0, 0];
  for (let change = 0; change < wanted.changes; change += 1) {
    signal.throwIfAborted();
    const wish = wishes.next();
    const rings = settled(ring, wish);
    for (const [step, next] of rings.slice(1).entries())
      if (movedIn(rings[step] as Ring, next).mostOfPartition > 1) twoInOneStep += 1;
    steps += rings.length - 1;
    ring = rings.at(-1) as Ring;
    sameZone += faultsOf(ring, wish).length;
    worstDeviation = Math.max(worstDeviation, deviationOf(ring, wish));
    if (change % 100 === 99) progress(`${change + 1} changes, ${steps} steps`);
  }
  const movedShare = sixth.slice(1).reduce((sum, next, at) => sum + movedIn(sixth[at] as Ring, next).share, 0);
  const figures = { movedShare: rounded(movedShare, 4), twoInOneStep, sameZone };
  return { figures: { ...figures, worstDeviation: rounded(worstDeviation, 4), steps } };
}
