// Estimates of other hosts' clocks, from reports that arrive early or late.
import { expect, test } from '@jest/globals';
import { Clocks } from '../../../ha/agent/clocks.ts';

test('a clock is known after its second report, and of several estimates the one least behind counts', () => {
  const clocks = new Clocks();
  const hear = (said: string, aheadMs: number) => clocks.hear('w', said, Date.now() + aheadMs);
  // This report may come from a host that is gone.
  hear('1', -3_600_000);
  hear('1', -3_600_000);
  expect(clocks.aheadMs()).toEqual({});
  const ahead = () => Math.round((clocks.aheadMs().w ?? 0) / 1_000);
  hear('2', 60_000);
  expect(ahead()).toBe(60);
  hear('3', 40_000);
  expect(ahead()).toBe(60);
  // The clock was set, and earlier reports expire over time.
  for (let at = 4; at < 24; at += 1) hear(String(at), 1_000);
  expect(ahead()).toBe(1);
});
