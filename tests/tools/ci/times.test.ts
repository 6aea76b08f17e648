// The tiers' sums that CI prints.
import { expect, it } from '@jest/globals';
import { reportOfTimes, timesIn } from '../../../tools/ci/times.ts';

it('shows what each tier cost', () => {
  const times = Array.from({ length: 12 }, (_, index) => ({
    ...{ path: `tests/${index < 2 ? 'slow' : 'quick'}/${index}.test.ts`, wallMs: 12_000 - index * 1_000, cpuMs: 500 },
  }));
  const lines = reportOfTimes(times, ['unit', 'system'], (path) => (path.includes('slow') ? 'system' : 'unit'));
  expect(lines.slice(1)).toEqual([
    'unit      10 files     55.0 s wall      5.0 s CPU',
    'system     2 files     23.0 s wall      1.0 s CPU',
  ]);
});

it('shows nothing when nothing was recorded, and leaves half a record out', () => {
  expect(reportOfTimes(timesIn(''), ['unit'], () => 'unit')).toEqual([]);
  const record = { path: 'tests/a.test.ts', wallMs: 1, cpuMs: 1 };
  expect(timesIn(`${JSON.stringify(record)}\n{"path":"tes`)).toEqual([record]);
});
