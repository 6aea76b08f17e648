// The total times of tiers and parts that CI prints.
import { expect, it } from '@jest/globals';
import { reportOfTimes, timesIn } from '../../../tools/ci/times.ts';

it('shows the time of each tier, each part and the slowest files', () => {
  const times = Array.from({ length: 12 }, (_, index) => ({
    ...{ path: `tests/${index < 2 ? 'slow' : 'quick'}/${index}.test.ts`, wallMs: 12_000 - index * 1_000, cpuMs: 500 },
  }));
  const tierOf = (path: string) => (path.includes('slow') ? 'system' : 'unit');
  const lines = reportOfTimes(times, ['unit', 'system'], tierOf, (path) => path.split('/')[1] ?? '');
  expect(lines.slice(1, 3)).toEqual([
    'unit             10 files     55.0 s wall      5.0 s CPU',
    'system            2 files     23.0 s wall      1.0 s CPU',
  ]);
  expect(lines.slice(4, 6)).toEqual([
    'quick            10 files     55.0 s wall      5.0 s CPU',
    'slow              2 files     23.0 s wall      1.0 s CPU',
  ]);
  expect(lines.slice(7)).toHaveLength(12);
  expect(lines[7]).toBe('    0.5 s CPU  tests/slow/0.test.ts');
});

it('shows nothing if nothing was recorded, and omits an incomplete record', () => {
  expect(
    reportOfTimes(
      timesIn(''),
      ['unit'],
      () => 'unit',
      () => 'cli',
    ),
  ).toEqual([]);
  const record = { path: 'tests/a.test.ts', wallMs: 1, cpuMs: 1 };
  expect(timesIn(`${JSON.stringify(record)}\n{"path":"tes`)).toEqual([record]);
});
