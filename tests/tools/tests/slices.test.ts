// Slices of the long test files. Each file is in one slice, and the slices take about the same time.
import { dirname } from 'node:path';
import { expect, test } from '@jest/globals';
// @ts-expect-error It has no types.
import { Sources as UntypedSources } from '../../../tools/tests/imports.mjs';
// @ts-expect-error It has no types.
import * as untypedSlices from '../../../tools/tests/slices.mjs';
// @ts-expect-error It has no types.
import * as untypedTiers from '../../../tools/tests/tiers.mjs';

type Times = Readonly<Record<string, number>>;
const { longTimes, slicesOf } = untypedSlices as unknown as {
  longTimes(root: string): Times;
  slicesOf(paths: readonly string[], seconds: Times, count: number): string[][];
};
const { isLong, testFiles } = untypedTiers as unknown as {
  isLong(path: string): boolean;
  testFiles(sources: object): string[];
};
const Sources = UntypedSources as unknown as new (root: string) => object;

test('the longest file goes to the slice with the least time, and the order of the files does not matter', () => {
  const seconds = { a: 100, b: 60, c: 50, e: 10 };
  // A file without a time counts as 60 s.
  const slices = slicesOf(['e', 'd', 'c', 'b', 'a'], seconds, 3);
  expect(slices).toEqual([['a'], ['b', 'c'], ['d', 'e']]);
  expect(slicesOf(['a', 'b', 'c', 'd', 'e'], seconds, 3)).toEqual(slices);
  expect(slicesOf(['a'], {}, 2)).toEqual([['a'], []]);
});

test('each long file has its time, and six slices differ by at most a tenth', () => {
  const root = dirname(dirname(dirname(import.meta.dirname)));
  const seconds = longTimes(root);
  const long = testFiles(new Sources(root)).filter(isLong);
  expect(Object.keys(seconds).sort()).toEqual(long);
  const slices = slicesOf(long, seconds, 6);
  expect(slices.flat().sort()).toEqual(long);
  const sums = slices.map((paths) => paths.reduce((sum, path) => sum + (seconds[path] ?? 0), 0));
  expect(Math.max(...sums)).toBeLessThan(1.1 * Math.min(...sums));
});
