// How long a node that is down waits for its verdict, so that others that fell with it are known.
import { expect, test } from '@jest/globals';
import { judgeInMsOf, usualNodeChecks } from '../../../../subgraphs/loadbalancer/nodes/node-checks.ts';

test('a node that refuses is judged soon; later one that was silent, where checks are late, and where one failure is enough', () => {
  expect(judgeInMsOf({ latencyMs: 2, lateMs: 20 }, usualNodeChecks)).toBe(100);
  expect(judgeInMsOf({ latencyMs: 500, lateMs: 20 }, usualNodeChecks)).toBe(600);
  expect(judgeInMsOf({ latencyMs: 2, lateMs: 101 }, usualNodeChecks)).toBe(600);
  expect(judgeInMsOf({ latencyMs: 2, lateMs: 20 }, { ...usualNodeChecks, fall: 1, intervalMs: 5_000 })).toBe(5_100);
});
