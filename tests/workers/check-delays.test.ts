import { expect, test } from '@jest/globals';
import { delaysOf } from '../../workers/check-delays.ts';

const late = [{ name: 'backends', delays: () => ({ targets: 40, upMs: 9_000, othersMs: 0 }) }];
const since = (starvedMs: number) => ({
  starvedSince: (startedMs: number) => performance.now() - starvedMs >= startedMs,
});

test('late checks call for another worker, but not after a standstill of the process', () => {
  expect(() => delaysOf(late, since(3_600_000))).toThrow(
    'checks of backends begin up to 9.0 s late: 40 are more than this process can check; add a worker',
  );
  expect(() => delaysOf(late, since(5_000))).toThrow(
    'checks of backends begin up to 9.0 s late: this process or its machine stood still, and catches up',
  );
});
