// The figures that the benchmark of high availability computes from its measured times.
import { expect, test } from '@jest/globals';
import { gapMs, ratio, secondsOf } from '../../../bench/ha/figures.ts';

const at = (...times: number[]) => times.map((answeredMs) => ({ answeredMs }));

test('a gap counts in full, from the last acknowledgement before the loss; a gap that ended before it does not count', () => {
  expect(gapMs(at(0, 900, 1_000, 1_450, 1_460), 1_010)).toBe(450);
  // The acknowledgements of several connections, in any order.
  expect(gapMs(at(1_460, 0, 1_000, 900, 1_450), 1_010)).toBe(450);
});

test('a second, longer gap after the loss counts: the one when a host returns', () => {
  expect(gapMs(at(0, 10, 110, 120, 2_120), 15)).toBe(2_000);
});

test('without an acknowledgement after the loss there is no figure', () => {
  expect(gapMs(at(0, 10), 15)).toBeNaN();
  expect(gapMs([], 15)).toBeNaN();
});

test('ratios are computed from medians', () => {
  expect(ratio([1, 2, 300], [4, 4, 4])).toBe(0.5);
  expect(secondsOf([1_234, 5_000, 2_000])).toEqual({ median: 2, all: [1.23, 5, 2] });
});
