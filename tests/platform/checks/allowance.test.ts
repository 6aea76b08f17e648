import { expect, test } from '@jest/globals';
import { Allowance } from '../../../platform/checks/allowance.ts';
import { Lateness } from '../../../platform/checks/lateness.ts';

function taken(allowance: Allowance): number {
  let count = 0;
  while (allowance.take()) count += 1;
  return count;
}

test('a late turn halves the number of checks that may begin, down to a thirty-second; each turn in time adds one, up to all', () => {
  const allowance = new Allowance(64);
  const after = (lateMs: number) => {
    allowance.turn(lateMs);
    return taken(allowance);
  };
  expect([0, 51, 60, 500, 500, 500, 500, 50, 0, 0].map(after)).toEqual([64, 32, 16, 8, 4, 2, 2, 3, 4, 5]);
  for (let turn = 0; turn < 100; turn += 1) allowance.turn(0);
  expect(after(0)).toBe(64);
});

test('the longest delay is remembered for ten to twenty seconds', () => {
  const lateness = new Lateness();
  lateness.note(700, 0);
  lateness.note(300, 9_000);
  expect([9_000, 11_000, 19_000].map((atMs) => lateness.worstMs(atMs))).toEqual([700, 700, 700]);
  expect(lateness.worstMs(31_000)).toBe(0);
  lateness.note(200, 60_000);
  expect(lateness.worstMs(90_000)).toBe(0);
});
