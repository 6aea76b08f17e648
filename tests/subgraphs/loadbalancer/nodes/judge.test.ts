// How long a node that is down waits for its verdict, so that others that fell with it are known.
import { expect, test } from '@jest/globals';
import { judgeInMsOf, usualNodeChecks } from '../../../../subgraphs/loadbalancer/nodes/node-checks.ts';

test('a node that is down is judged soon, whether it refuses or is silent; later where checks are late, and where one failure is enough', () => {
  const { timeoutMs } = usualNodeChecks;
  expect(judgeInMsOf({ lateMs: 20 }, usualNodeChecks)).toBe(100);
  expect(judgeInMsOf({ lateMs: 101 }, usualNodeChecks)).toBe(100 + timeoutMs);
  expect(judgeInMsOf({ lateMs: 20 }, { ...usualNodeChecks, fall: 1, intervalMs: 5_000 })).toBe(5_100);
});

test('a check has ended when the next one is due', () => {
  expect(usualNodeChecks.timeoutMs).toBeLessThan(usualNodeChecks.intervalMs);
});
