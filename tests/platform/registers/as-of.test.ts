// An upper bound for the age of one replica's data. The data is never reported younger than a write that it lacks, whichever majorities wrote
// and whichever replica it followed.
// needs: load
import { expect, test } from '@jest/globals';
import { asOfAll } from '../../../platform/registers/as-of.ts';
import { seededRandom } from '../../../trials/random.ts';

const of = (groups: readonly (readonly number[])[], known: Readonly<Record<number, number>>) =>
  asOfAll({ epoch: 1, groups }, (cluster) => known[cluster]);

test('the bound is the latest moment at which the other replicas were no majority', () => {
  expect(of([[0]], { 0: 9 })).toBe(9);
  // With two replicas, each write is at both.
  expect(of([[0, 1]], { 0: 9 })).toBe(9);
  expect(of([[0, 1, 2]], { 0: 9 })).toBeUndefined();
  expect(of([[0, 1, 2]], { 0: 9, 1: 4, 2: 6 })).toBe(6);
  expect(of([[0, 1, 2, 3]], { 0: 9, 1: 4 })).toBe(4);
  expect(of([[0, 1, 2, 3, 4]], { 0: 9, 1: 8, 2: 3, 3: 5 })).toBe(5);
  expect(of([[0, 1, 2, 3, 4]], { 0: 9, 1: 8 })).toBeUndefined();
  // While a ring changes, both groups count.
  const both = [
    [0, 1, 2],
    [0, 1, 3],
  ] as const;
  expect(of(both, { 0: 9, 1: 8 })).toBe(8);
  expect(of(both, { 0: 9, 2: 8, 3: 5 })).toBe(5);
  expect(of(both, { 0: 9, 2: 8 })).toBeUndefined();
});

test('every write that was acknowledged before that moment is here', () => {
  const random = seededRandom(11);
  let said = 0;
  for (let round = 0; round < 3_000; round += 1) {
    const count = random.integer(1, 7);
    const clusters = Array.from({ length: count }, (_, cluster) => cluster);
    const has = clusters.map(() => new Set<number>());
    const known = new Map<number, number>();
    const acknowledged: { readonly write: number; readonly at: number }[] = [];
    for (let now = 1; now <= 30; now += 1) {
      if (random.next() < 0.5) {
        const takers = random.shuffle(clusters).slice(0, random.integer(0, count));
        for (const taker of takers) has[taker]?.add(now);
        if (takers.length * 2 > count) acknowledged.push({ write: now, at: now });
      } else {
        const other = random.integer(0, count - 1);
        for (const write of has[other] ?? []) has[0]?.add(write);
        if (other !== 0) known.set(other, now);
      }
      const asOf = asOfAll({ epoch: 1, groups: [clusters] }, (cluster) => (cluster === 0 ? now : known.get(cluster)));
      if (asOf === undefined) continue;
      said += 1;
      const lacking = acknowledged.filter(({ write, at }) => at < asOf && !has[0]?.has(write));
      expect({ round, now, lacking }).toEqual({ round, now, lacking: [] });
    }
  }
  expect(said).toBeGreaterThan(10_000);
});
