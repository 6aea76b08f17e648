// The pace of a standby's applier: how long it needs for its backlog, and since when it stands still.
import { beforeEach, expect, test } from '@jest/globals';
import { ApplyPace, longestMs } from '../../../../ha/agent/state/apply-pace.ts';
import type { Replica, ServerView } from '../../../../ha/agent/view.ts';

const replica: Replica = {
  ...{ source: 'a', reign: 'r', receiving: true, connected: true, drained: false, diverged: false },
  failure: undefined,
};
const standby = (position: number, received: number, changed: object = {}): ServerView => ({
  ...{ state: 'up', duty: 'standby', incarnation: 'of-b', writable: false, semiSync: false, aliveAtMs: 0 },
  ...{ waitingSinceMs: undefined, admissions: [], replica, position, received, ...changed },
});

let nowMs: number;
let pace: ApplyPace;
/** Applies so many in each 100 ms. */
const applies = (from: number, each: number, received: number, turns: number) => {
  for (let at = 0; at <= turns; at += 1) {
    pace.saw(standby(from + at * each, received));
    nowMs += 100;
  }
};

beforeEach(() => {
  nowMs = 1_000;
  pace = new ApplyPace(() => nowMs);
});

test('before a second was measured, a usual pace counts', () => {
  pace.saw(standby(0, 2_000));
  expect(pace.drainsInMs).toBe(2_000);
  expect(pace.stalledMs).toBe(0);
});

test('the pace is that of the last seconds', () => {
  applies(0, 1_000, 200_000, 20);
  applies(20_000, 155, 120_000, 60);
  expect(pace.drainsInMs / 1_000).toBeCloseTo((120_000 - 29_300) / 1_550, 0);
});

test('an applier that stands still needs the longest time, until it has nothing to apply', () => {
  applies(5, 0, 6, 12);
  expect(pace.drainsInMs).toBe(longestMs);
  expect(pace.stalledMs).toBe(1_300);
  pace.saw(standby(6, 6));
  expect([pace.drainsInMs, pace.stalledMs]).toEqual([0, 0]);
  // The next transaction is not blocked because the last one was.
  pace.saw(standby(6, 7));
  expect(pace.drainsInMs).toBe(1);
});

test('a primary, and a server that follows nobody, have nothing to apply', () => {
  pace.saw(standby(0, 10, { duty: 'primary' }));
  expect(pace.drainsInMs).toBe(0);
  pace.saw(standby(0, 10, { replica: undefined }));
  expect(pace.drainsInMs).toBe(0);
  pace.saw({ state: 'down' });
  expect(pace.drainsInMs).toBe(0);
});
