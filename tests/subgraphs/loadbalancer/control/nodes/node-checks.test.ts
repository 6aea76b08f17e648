// The wait before a down node's verdict, which allows others that fell with it to become known.
import { expect, test } from '@jest/globals';
import { judgeInMsOf, usualNodeChecks } from '../../../../../subgraphs/loadbalancer/control/nodes/node-checks.ts';

test('a down node is judged soon, whether it refuses or is silent; later if checks are late or one failure is enough', () => {
  const { intervalMs, timeoutMs } = usualNodeChecks;
  expect(judgeInMsOf({ lateMs: 20 }, usualNodeChecks)).toBe(100);
  expect(judgeInMsOf({ lateMs: 101 }, usualNodeChecks)).toBe(100 + intervalMs + timeoutMs);
  expect(judgeInMsOf({ lateMs: 20 }, { ...usualNodeChecks, fall: 1, intervalMs: 5_000 })).toBe(5_100);
});

test('a node is judged after another that fell with it is in doubt, even though the worker paused in between', () => {
  const { intervalMs, timeoutMs } = usualNodeChecks;
  const silentMs = 250;
  // Both checks began when the worker continued. It knows the result of only one.
  const judgedMs = timeoutMs + judgeInMsOf({ lateMs: 260 }, usualNodeChecks);
  const doubtedMs = timeoutMs + intervalMs + silentMs;
  expect(judgedMs).toBeGreaterThanOrEqual(doubtedMs + 250);
});

test('a check has ended when the next one is due', () => {
  expect(usualNodeChecks.timeoutMs).toBeLessThan(usualNodeChecks.intervalMs);
});
