// The bars of the last 24 hours are computed back from the present state and the stored changes.
import { describe, expect, test } from '@jest/globals';
import { heartbeat, sinceBySubject, type Transition } from '../../../dashboard/src/view/heartbeat.ts';

const nowMs = Date.parse('2026-01-31T12:30:00.000Z');
const isTrouble = (status: string): boolean => status === 'OFFLINE';

function change(minutesAgo: number, from: string | null, to: string): Transition {
  return { changedAt: new Date(nowMs - minutesAgo * 60_000).toISOString(), from, to };
}

/** The last `count` hours. */
function last(count: number, inTroubleNow: number, transitions: readonly Transition[], hasOlder = false) {
  return heartbeat(inTroubleNow, { transitions, hasOlder }, isTrouble, nowMs)
    .slice(-count)
    .map(({ inTrouble }) => inTrouble);
}

describe('heartbeat', () => {
  test('has 24 hours, the present one last', () => {
    const beats = heartbeat(0, { transitions: [], hasOlder: false }, isTrouble, nowMs);
    expect(beats).toHaveLength(24);
    expect(new Date(beats.at(-1)?.startMs ?? 0).toISOString()).toBe('2026-01-31T12:00:00.000Z');
    expect(new Date(beats[0]?.startMs ?? 0).toISOString()).toBe('2026-01-30T13:00:00.000Z');
  });

  test('without changes every hour is as it is now', () => {
    expect(last(3, 0, [])).toEqual([0, 0, 0]);
    expect(last(3, 2, [])).toEqual([2, 2, 2]);
  });

  test('trouble counts from the hour in which it began to the one in which it ended', () => {
    const ended = [change(70, 'OFFLINE', 'ONLINE'), change(130, 'ONLINE', 'OFFLINE')];
    expect(last(4, 0, ended)).toEqual([0, 1, 1, 0]);
    expect(last(3, 1, [change(70, 'ONLINE', 'OFFLINE')])).toEqual([0, 1, 1]);
  });

  test('a short trouble within an hour is seen, and several at once add up', () => {
    const short = [change(5, 'OFFLINE', 'ONLINE'), change(6, 'ONLINE', 'OFFLINE')];
    expect(last(2, 0, short)).toEqual([0, 1]);
    const two = [...short, change(7, 'OFFLINE', 'ONLINE'), change(8, 'OFFLINE', 'ONLINE')];
    expect(last(2, 0, two)).toEqual([2, 2]);
  });

  test('a first status that is trouble was none before; other statuses change nothing', () => {
    expect(last(2, 1, [change(5, null, 'OFFLINE'), change(9, 'UNKNOWN', 'ONLINE')])).toEqual([0, 1]);
  });

  test('hours before the oldest change that was read are not known', () => {
    expect(last(4, 0, [change(70, 'OFFLINE', 'ONLINE')], true)).toEqual([null, null, 1, 0]);
    expect(last(4, 0, [change(70, 'OFFLINE', 'ONLINE')], false)).toEqual([1, 1, 1, 0]);
  });
});

test('the newest change of each subject says since when it is so', () => {
  const changes = [change(5, 'ONLINE', 'OFFLINE'), change(50, 'OFFLINE', 'ONLINE'), change(60, null, 'ONLINE')];
  const since = sinceBySubject(changes.map((each, index) => ({ ...each, subjectId: index === 1 ? 'b' : 'a' })));
  expect([...since]).toEqual([
    ['a', changes[0]?.changedAt],
    ['b', changes[1]?.changedAt],
  ]);
});
