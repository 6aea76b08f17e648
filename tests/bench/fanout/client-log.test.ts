import { describe, expect, test } from '@jest/globals';
import { ClientLog } from '../../../bench/fanout/client-log.ts';
import { percentile } from '../../../measure/statistics.ts';

/** A client that began with a checkpoint at 10 and then received these. */
function logOf(...seqs: number[]): ClientLog {
  const log = new ClientLog();
  log.add(10, false, 0);
  for (const [index, seq] of seqs.entries()) log.add(seq, true, 100 + index);
  return log;
}

describe('the judge of a client in the fan-out bench', () => {
  const expected = [4, 9, 12, 15, 19];

  test('accepts events that came once and in order; events before the first cursor are not required', () => {
    const log = logOf(12, 15, 19);
    expect(log.resultFor(expected)).toEqual({ missing: 0, repeated: 0, wrong: 0 });
    expect(log.due(expected)).toBe(3);
  });

  test('a gap, including one at the end, counts as missing', () => {
    expect(logOf(12).resultFor(expected)).toEqual({ missing: 2, repeated: 0, wrong: 0 });
  });

  test('a repeated event is counted', () => {
    expect(logOf(12, 15, 15, 19, 12).resultFor(expected)).toEqual({ missing: 0, repeated: 2, wrong: 0 });
  });

  test("another project's event, and one out of order, count as wrong", () => {
    expect(logOf(12, 13, 19, 15).resultFor(expected)).toEqual({ missing: 0, repeated: 0, wrong: 2 });
  });

  test('a client that received nothing misses everything', () => {
    const log = new ClientLog();
    expect(log.started).toBe(false);
    expect(log.resultFor(expected)).toEqual({ missing: 5, repeated: 0, wrong: 0 });
  });

  test('a client whose first item is an event began right before that event', () => {
    const log = new ClientLog();
    log.add(12, true, 0);
    log.add(15, true, 0);
    expect(log.resultFor(expected)).toEqual({ missing: 1, repeated: 0, wrong: 0 });
  });

  test('only events with a known commit are timed', () => {
    expect(logOf(12, 15, 19).latenciesMs(new Map([[15, 90]]))).toEqual([11]);
  });
});

test('percentiles use the nearest rank', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(hundred, 0.99)).toBe(99);
  expect(percentile(hundred, 0.5)).toBe(50);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNaN();
});
