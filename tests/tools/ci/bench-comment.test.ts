// The comment about benchmarks that CI makes on a pull request.
import { expect, test } from '@jest/globals';
import { benchComment } from '../../../tools/ci/bench-comment.ts';

function rowsOf(ratio: number, rounds: readonly number[]): string[] {
  const comment = benchComment(
    new Map([['relay', { ratio: { cpuMsPerCall: ratio }, ratios: { cpuMsPerCall: rounds } }]]),
  );
  return comment.split('\n').filter((line) => line.startsWith('| relay'));
}

test.each([
  [1.2, [1.1, 1.2, 1.3], '**slower**, 1.1 to 1.3'],
  [0.8, [0.7, 0.8, 0.9], 'faster, 0.7 to 0.9'],
  [1.2, [0.9, 1.2, 1.3], '0.9 to 1.3'],
  [1.04, [1.01, 1.04, 1.05], '1.01 to 1.05'],
])('%d of rounds %j', (ratio, rounds, verdict) => {
  expect(rowsOf(ratio, rounds)).toEqual([`| relay | cpuMsPerCall | ${ratio} | ${verdict} |`]);
});

test('a benchmark without a result is named', () => {
  expect(benchComment(new Map([['gateway', undefined]]))).toContain('| gateway | no result | | |');
});
