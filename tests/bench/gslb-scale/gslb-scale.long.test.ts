// The benchmark of many members at a small size, with a real conductor, worker, MariaDB and Redis, and checkers over real links.
import { expect, test } from '@jest/globals';
import { idOf, shifted, zoneOf } from '../../../bench/gslb-scale/data-set.ts';
import { benchGslbScale } from '../../../bench/gslb-scale.ts';
import { patience } from '../../support/machine/patience.ts';

test(
  'every death is judged and written, and an additional checker takes its share',
  async () => {
    const { figures, faults } = await benchGslbScale.run({
      counts: { endpoints: 1_000, dying: 50, checkers: 3, seconds: 1, rounds: 1 },
      ...{ seed: 1, options: {}, timeIsUp: () => false, progress: () => undefined },
      signal: AbortSignal.timeout(500_000 * patience),
    });
    expect(faults).toEqual([]);
    // For each member that dies: three votes, its row, verdict, history and two events. For its name: a row, a plan, a change and two events.
    expect(figures.rows).toBe(50 * 13);
    expect(figures.ownShare).toBe(0.5);
    expect(figures.movedShare).toBeGreaterThan(0.4);
    expect(figures.movedShare).toBeLessThan(0.6);
    expect(figures.quietWritesPerSecond).toBeGreaterThan(0);
  },
  600_000 * patience,
);

test('a row of one pool, as it would look in another', () => {
  expect(shifted(`${idOf('member', 4)} of ${idOf('pool', 1)}`, 2)).toBe(`${idOf('member', 12)} of ${idOf('pool', 3)}`);
  expect(shifted('n1.z0.gslb.test', 5_000)).toBe('n5001.z1.gslb.test');
  expect(shifted(zoneOf(5_000), 5_000)).toBe(zoneOf(10_000));
});
