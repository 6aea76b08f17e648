// A burst, then a rate per second, and a count of refused requests.
import { expect, test } from '@jest/globals';
import { TokenBuckets } from '../../../platform/edge/token-buckets.ts';

test('a burst is followed by the rate, for each key separately', () => {
  let nowMs = 0;
  const buckets = new TokenBuckets({ burst: 2, perSecond: 1, now: () => nowMs });
  expect([1, 2, 3, 4].map(() => buckets.take('a'))).toEqual([0, 0, undefined, undefined]);
  expect(buckets.take('b')).toBe(0);
  nowMs = 900;
  expect(buckets.take('a')).toBeUndefined();
  nowMs = 1_000;
  expect(buckets.take('a')).toBe(3);
  expect(buckets.take('a')).toBeUndefined();
  nowMs = 3_600_000;
  expect([1, 2, 3].map(() => buckets.take('a'))).toEqual([1, 0, undefined]);
});

test('a debt is paid first', () => {
  let nowMs = 0;
  const buckets = new TokenBuckets({ burst: 10, perSecond: 10, now: () => nowMs });
  buckets.spend('a', 25);
  expect(buckets.waitMs('a')).toBe(1_600);
  nowMs = 1_500;
  expect(buckets.take('a')).toBeUndefined();
  nowMs = 1_600;
  expect(buckets.take('a')).toBe(1);
});

test('several tokens at once, and the time until they are available', () => {
  let nowMs = 0;
  const buckets = new TokenBuckets({ burst: 10, perSecond: 2, now: () => nowMs });
  expect([buckets.waitMs('a', 8), buckets.take('a', 8), buckets.take('a', 3), buckets.waitMs('a', 3)]).toEqual([
    0,
    0,
    undefined,
    500,
  ]);
  nowMs = 500;
  expect([buckets.waitMs('a', 3), buckets.take('a', 3)]).toEqual([0, 1]);
});

test('the number of keys is limited', () => {
  const buckets = new TokenBuckets({ burst: 1, perSecond: 0, mostKeys: 2 });
  for (const key of ['a', 'b', 'c']) expect(buckets.take(key)).toBe(0);
  expect(buckets.take('c')).toBeUndefined();
  expect(buckets.take('a')).toBe(0);
});
