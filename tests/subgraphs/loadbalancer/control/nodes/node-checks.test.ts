// How long a node that is down waits for its verdict, so that others that fell with it are known.
import { expect, test } from '@jest/globals';
import { judgeInMsOf, usualNodeChecks } from '../../../../../subgraphs/loadbalancer/control/nodes/node-checks.ts';

test('a node that is down is judged soon, whether it refuses or is silent; later where checks are late, and where one failure is enough', () => {
  const { intervalMs, timeoutMs } = usualNodeChecks;
  expect(judgeInMsOf({ lateMs: 20 }, usualNodeChecks)).toBe(100);
  expect(judgeInMsOf({ lateMs: 101 }, usualNodeChecks)).toBe(100 + intervalMs + timeoutMs);
  expect(judgeInMsOf({ lateMs: 20 }, { ...usualNodeChecks, fall: 1, intervalMs: 5_000 })).toBe(5_100);
});

test('a node is judged after another that fell with it is doubted, though the worker was paused in between', () => {
  const { intervalMs, timeoutMs } = usualNodeChecks;
  const silentMs = 250;
  // Both began to be checked when the worker continued: it knows the result of one, and not of the other.
  const judgedMs = timeoutMs + judgeInMsOf({ lateMs: 260 }, usualNodeChecks);
  const doubtedMs = timeoutMs + intervalMs + silentMs;
  expect(judgedMs).toBeGreaterThanOrEqual(doubtedMs + 250);
});

test('a check has ended when the next one is due', () => {
  expect(usualNodeChecks.timeoutMs).toBeLessThan(usualNodeChecks.intervalMs);
});
