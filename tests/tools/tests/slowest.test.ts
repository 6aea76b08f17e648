// The report about the slowest files at the end of a run.
import { expect, test } from '@jest/globals';
// @ts-expect-error It has no types.
import { slowestLines as untyped } from '../../../tools/tests/slowest.mjs';

const slowestLines = untyped as (times: readonly { readonly file: string; readonly seconds: number }[]) => string[];

test('the ten slowest files come first, and files over 20 s must have a long name, except main jobs', () => {
  const times = Array.from({ length: 12 }, (_, index) => ({ file: `tests/${index}.test.ts`, seconds: index }));
  const lines = slowestLines([
    ...times,
    { file: 'tests/ha.long.test.ts', seconds: 90 },
    { file: 'tests/new.test.ts', seconds: 20.1 },
    { file: 'tests/main-jobs/hosts.test.ts', seconds: 20.06 },
  ]);
  expect(lines.slice(0, 5)).toEqual([
    'The slowest files:',
    '   90.0 s  tests/ha.long.test.ts',
    '   20.1 s  tests/new.test.ts',
    '   20.1 s  tests/main-jobs/hosts.test.ts',
    '   11.0 s  tests/11.test.ts',
  ]);
  expect(lines.slice(11)).toEqual([expect.stringContaining('Over 20 s without a long name'), lines[2]]);
});

test('a run of one file prints no report', () => {
  expect(slowestLines([{ file: 'tests/a.test.ts', seconds: 30 }])).toEqual([]);
});
