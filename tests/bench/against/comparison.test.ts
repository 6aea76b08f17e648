import { describe, expect, test } from '@jest/globals';
import { compareRounds } from '../../../bench/against/comparison.ts';

const round = (now: number, before: number) => ({
  now: { cpuMs: now, deep: { 'one, 20 ms': { cpuMs: 2 * now } }, writes: 10, seed: 5, text: 'x' },
  before: { cpuMs: before, deep: { 'one, 20 ms': { cpuMs: before } }, writes: 20 },
});

describe('rounds of two commits', () => {
  test('the ratio is the median of the rounds, not the ratio of the medians', () => {
    // A machine that becomes slower for both commits. Each round by itself gives 1.1.
    const told = compareRounds([round(11, 10), round(22, 20), round(99, 30)], ['cpuMs', 'deep > one, 20 ms > cpuMs']);
    expect(told.ratio).toEqual({ cpuMs: 1.1, 'deep > one, 20 ms > cpuMs': 2.2 });
    expect(told.ratios.cpuMs).toEqual([1.1, 1.1, 3.3]);
    expect(told.now).toEqual({ cpuMs: 22, 'deep > one, 20 ms > cpuMs': 44, writes: 10 });
    expect(told.before).toEqual({ cpuMs: 20, 'deep > one, 20 ms > cpuMs': 20, writes: 20 });
  });

  test('the median of an even count of rounds is the mean of the two in the middle', () => {
    expect(compareRounds([round(10, 10), round(12, 10)], ['cpuMs']).ratio).toEqual({ cpuMs: 1.1 });
  });

  test('a missing figure is an error, and no ratio is computed', () => {
    expect(() => compareRounds([round(1, 1)], ['cpuMsPerWrite'])).toThrow('there is no figure cpuMsPerWrite');
  });
});
