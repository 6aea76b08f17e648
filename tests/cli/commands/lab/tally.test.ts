// The summary of a load's writes: the pauses between which they were acknowledged.
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { Tally } from '../../../../cli/commands/lab/load/tally.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

test('each pause of at least a second divides the writes, even a pause that has not ended', () => {
  const tally = new Tally();
  const write = (count: number, everyMs: number) => {
    for (let number = 0; number < count; number += 1) {
      jest.advanceTimersByTime(everyMs);
      tally.acknowledge({ kind: 'plain', mappingId: 'm', version: number });
    }
  };
  write(10, 200);
  jest.advanceTimersByTime(2_800);
  write(5, 200);
  expect(tally.writing.stretches).toEqual([
    { count: 10, thenGapMs: 3_000 },
    { count: 5, thenGapMs: 0 },
  ]);
  jest.advanceTimersByTime(4_000);
  expect(tally.writing.stretches.at(-1)).toEqual({ count: 5, thenGapMs: 4_000 });
  expect(tally.writing.longestMs).toBe(4_000);
});
