// Rings: shares by weight, separate replicas, and steps that move little and never two replicas of a partition.
import { expect, test } from '@jest/globals';
import { firstRing, nextRing } from '../../../platform/rings/next-ring.ts';
import {
  copyingIn,
  countsOf,
  gainsIn,
  leastOthers,
  partitionCount,
  partitionOf,
  type Ring,
  type RingMember,
} from '../../../platform/rings/ring.ts';
import { seededRandom } from '../../../trials/random.ts';
import { RandomWishes } from './random-wishes.ts';
import { deviationOf, faultsOf, movedIn, settled } from './ring-faults.ts';

const member = (cluster: number, weight = 1, zone = `z${cluster}`): RingMember => ({ cluster, weight, zone });
const members = (count: number) => Array.from({ length: count }, (_, at) => member(at + 1));

test('a first ring has shares by weight and separate replicas', () => {
  for (const wish of [
    { members: members(1), replicas: 3 },
    { members: members(3), replicas: 3 },
    { members: [member(1, 1), member(2, 2), member(3, 3), member(4, 10)], replicas: 3 },
    { members: [member(1, 1, 'a'), member(2, 1, 'a'), member(3, 5, 'b'), member(4, 5, 'c')], replicas: 3 },
    { members: [member(1, 1, 'a'), member(2, 3, 'a'), member(3, 2, 'b'), member(4, 1, 'b')], replicas: 3 },
  ]) {
    const ring = firstRing(wish);
    expect(ring.replicas).toBe(Math.min(3, wish.members.length));
    expect(faultsOf(ring, wish)).toEqual([]);
    expect(deviationOf(ring, wish)).toBeLessThanOrEqual(0.01);
    expect(nextRing(ring, wish)).toBeUndefined();
  }
});

test('a sixth cluster takes its share from the others, in one step', () => {
  const before = firstRing({ members: members(5), replicas: 3 });
  const [, after, ...more] = settled(before, { members: members(6), replicas: 3 });
  expect(more).toEqual([]);
  const { share, mostOfPartition } = movedIn(before, after as Ring);
  expect(share).toBeLessThanOrEqual(0.1675);
  expect(mostOfPartition).toBe(1);
});

test('a cluster that leaves is empty after one step, and only its replicas move', () => {
  const before = firstRing({ members: members(5), replicas: 3 });
  const after = nextRing(before, { members: members(4), replicas: 3 }) as Ring;
  expect(countsOf(after).has(5)).toBe(false);
  expect(movedIn(before, after).share).toBeLessThanOrEqual(0.2 + 0.001);
});

test('fewer clusters than replicas: each has everything, and more clusters add more replicas', () => {
  const one = firstRing({ members: members(1), replicas: 3 });
  expect(one.replicas).toBe(1);
  const rings = settled(one, { members: members(4), replicas: 3 });
  expect(rings.map(({ replicas }) => replicas).slice(0, 3)).toEqual([1, 2, 3]);
  const last = rings.at(-1) as Ring;
  expect(deviationOf(last, { members: members(4), replicas: 3 })).toBeLessThanOrEqual(0.01);
  const back = settled(last, { members: members(2), replicas: 3 });
  expect(back.at(-1)?.replicas).toBe(2);
  expect(faultsOf(back.at(-1) as Ring, { members: members(2), replicas: 3 })).toEqual([]);
});

test('with fewer replicas the remaining clusters copy from enough others, and otherwise only those that gain copy', () => {
  const step = (ring: Ring, wish: Parameters<typeof nextRing>[1]) => {
    const next = nextRing(ring, wish);
    if (next === undefined) throw new Error('no step');
    return { next, copying: copyingIn(ring, next) };
  };
  const five = firstRing({ members: members(5), replicas: 5 });
  const four = step(five, { members: members(5), replicas: 3 });
  expect(four.copying).toEqual([1, 2, 3, 4, 5]);
  expect(step(four.next, { members: members(5), replicas: 3 }).copying).toEqual([1, 2, 3, 4, 5]);
  const three = firstRing({ members: members(3), replicas: 3 });
  const two = step(three, { members: members(2), replicas: 3 });
  expect(two.copying).toEqual([1, 2]);
  // A write with two replicas is at both.
  expect(step(two.next, { members: members(1), replicas: 3 }).copying).toEqual([]);
  const moved = step(three, { members: members(4), replicas: 3 });
  expect(moved.copying).toEqual([...gainsIn(three, moved.next).keys()]);
  // A write that one holder lacks is at a majority of all holders, so at least one of that many others has it.
  for (let replicas = 1; replicas <= 7; replicas += 1) {
    const majority = Math.floor(replicas / 2) + 1;
    const lackIt = replicas - 1 - majority;
    expect(leastOthers(replicas)).toBe(lackIt + 1);
  }
});

test('random changes: no step moves two replicas of a partition, and the settled ring is as wanted', () => {
  const wishes = new RandomWishes(seededRandom(Number(process.env.SEED ?? 1)));
  let ring = firstRing(wishes.wish);
  for (let change = 0; change < 40; change += 1) {
    const wish = wishes.next();
    const rings = settled(ring, wish);
    for (const [step, next] of rings.slice(1).entries())
      expect(movedIn(rings[step] as Ring, next).mostOfPartition).toBeLessThanOrEqual(1);
    ring = rings.at(-1) as Ring;
    expect(faultsOf(ring, wish)).toEqual([]);
    expect({ change, deviates: deviationOf(ring, wish) > 0.01 }).toEqual({ change, deviates: false });
  }
});

test('keys spread over the partitions', () => {
  const seen = new Set(Array.from({ length: 50_000 }, (_, at) => partitionOf(`key ${at}`)));
  expect(seen.size).toBe(partitionCount);
  expect(Math.min(...seen)).toBe(0);
  expect(Math.max(...seen)).toBe(partitionCount - 1);
});
