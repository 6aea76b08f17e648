import { describe, expect, test } from '@jest/globals';
import { CallsMade, judge, type Sample } from '../../../bench/soak/growth.ts';
import { seededRandom } from '../../../trials/random.ts';

const bound = { most: 4, mostShare: 0.05 };
const samples = (values: readonly number[]): Sample[] =>
  values.map((value, index) => ({ atMs: index * 10_000, value }));

describe('the growth of a figure', () => {
  test('a figure that grows while pools fill and then stays is flat', () => {
    const values = Array.from({ length: 60 }, (_, index) => Math.min(120, 60 + index * 5));
    expect(judge(samples(values), bound)).toMatchObject({ first: 60, median: 120, last: 120, growth: 0, flat: true });
  });

  test('a figure that grows steadily is not flat, even below its noise', () => {
    const random = seededRandom(1);
    const leak = Array.from({ length: 120 }, (_, index) => 100 + index * 0.2 + random.integer(-10, 10));
    expect(judge(samples(leak), bound).flat).toBe(false);
    const noise = Array.from({ length: 120 }, () => 100 + random.integer(-10, 10));
    expect(judge(samples(noise), bound).flat).toBe(true);
  });

  test('single peaks do not matter, and growth up to the larger bound is allowed', () => {
    const peaks = Array.from({ length: 60 }, (_, index) => (index % 15 === 14 ? 500 : 100));
    expect(judge(samples(peaks), bound).flat).toBe(true);
    const slow = Array.from({ length: 61 }, (_, index) => 1_000 + index);
    expect(judge(samples(slow), bound)).toMatchObject({ growth: 40, allowed: 52, flat: true, perHour: 360 });
    expect(judge(samples(slow), { most: 4, mostShare: 0.01 }).flat).toBe(false);
  });

  test('no growth at all where none is allowed', () => {
    expect(judge(samples([0, 0, 0, 0, 0, 0]), { most: 0, mostShare: 0 }).flat).toBe(true);
    expect(judge(samples([0, 1, 2, 3, 4, 5]), { most: 0, mostShare: 0 }).flat).toBe(false);
  });

  test('too few samples prove nothing', () => {
    expect(judge(samples([1, 1]), bound).flat).toBe(false);
  });
});

describe('rows for each call kept', () => {
  /** The load grows threefold. Retention runs every sixth sample and keeps 60 s. */
  function rowsPerCall(leakedPerCall: number): readonly Sample[] {
    const made = new CallsMade(0);
    let total = 0;
    let retainedAtMs = 0;
    return Array.from({ length: 60 }, (_, index) => {
      const atMs = index * 10_000;
      if (index % 6 === 0) retainedAtMs = atMs;
      total += 100 + 200 * Math.min(1, index / 30);
      made.read(atMs, total);
      const kept = made.since(retainedAtMs - 60_000);
      return { atMs, value: (8 * kept + leakedPerCall * total) / kept };
    });
  }

  test('are flat while the load varies; rows that are never deleted are not flat', () => {
    const few = { most: 0.5, mostShare: 0.1 };
    expect(judge(rowsPerCall(0), few)).toMatchObject({ median: 8, growth: 0, flat: true });
    expect(judge(rowsPerCall(0.5), few).flat).toBe(false);
  });

  test('calls between two readings are spread evenly; there are none before the first', () => {
    const made = new CallsMade(1_000);
    made.read(3_000, 10);
    made.read(5_000, 50);
    expect([0, 1_000, 2_000, 4_000, 5_000, 9_000].map((atMs) => made.since(atMs))).toEqual([50, 50, 45, 20, 0, 0]);
  });
});
