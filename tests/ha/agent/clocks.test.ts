// Other hosts' clocks, from early and late reports.
import { expect, test } from '@jest/globals';
import { Clocks } from '../../../ha/agent/clocks.ts';

test('a clock is known after its second report; of several times the one that seems least behind counts', () => {
  const clocks = new Clocks();
  const hear = (said: string, aheadMs: number) => clocks.hear('w', said, Date.now() + aheadMs);
  // By a host that is gone, perhaps.
  hear('1', -3_600_000);
  hear('1', -3_600_000);
  expect(clocks.aheadMs()).toEqual({});
  const ahead = () => Math.round((clocks.aheadMs().w ?? 0) / 1_000);
  hear('2', 60_000);
  expect(ahead()).toBe(60);
  hear('3', 40_000);
  expect(ahead()).toBe(60);
  // The clock was set: earlier reports expire in time.
  for (let at = 4; at < 24; at += 1) hear(String(at), 1_000);
  expect(ahead()).toBe(1);
});
