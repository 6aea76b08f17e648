// The bounds of a schedule: days, times over midnight, and time zones with summer time.
import { expect, test } from '@jest/globals';
import { boundsAt, isTimeZone } from '../../../../subgraphs/loadbalancer/rules/schedule.ts';

const own = { minNodes: 2, maxNodes: 10 };
const office = { days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00', minNodes: 4, maxNodes: 8 };
const night = { days: [5], from: '22:00', to: '06:00', minNodes: 1, maxNodes: 99 };

function bounds(timeZone: string, time: string) {
  const { min, max } = boundsAt({ timeZone, schedule: [office, night] }, own, new Date(time));
  return [min, max];
}

test('a window is open on its days, from its start until before its end', () => {
  // 2026-11-23 is a Monday.
  expect(bounds('UTC', '2026-11-23T07:59:59Z')).toEqual([2, 10]);
  expect(bounds('UTC', '2026-11-23T08:00:00Z')).toEqual([4, 8]);
  expect(bounds('UTC', '2026-11-23T17:59:59Z')).toEqual([4, 8]);
  expect(bounds('UTC', '2026-11-23T18:00:00Z')).toEqual([2, 10]);
  expect(bounds('UTC', '2026-11-22T12:00:00Z')).toEqual([2, 10]);
});

test('a window over midnight belongs to the day of its start, and stays within the bounds of the load balancer', () => {
  const open = boundsAt({ timeZone: 'UTC', schedule: [night] }, own, new Date('2026-11-28T05:59:00Z'));
  expect(open).toEqual({ min: 2, max: 10, window: night });
  const closed = boundsAt({ timeZone: 'UTC', schedule: [night] }, own, new Date('2026-11-27T05:59:00Z'));
  expect(closed.window).toBeUndefined();
});

test('a window follows the wall clock of its zone, in summer and in winter', () => {
  expect(bounds('Europe/Berlin', '2026-07-06T06:00:00Z')).toEqual([4, 8]);
  expect(bounds('Europe/Berlin', '2026-07-06T05:59:00Z')).toEqual([2, 10]);
  expect(bounds('Europe/Berlin', '2026-11-23T06:30:00Z')).toEqual([2, 10]);
  expect(bounds('Europe/Berlin', '2026-11-23T07:00:00Z')).toEqual([4, 8]);
  expect(bounds('Pacific/Kiritimati', '2026-11-22T18:00:00Z')).toEqual([4, 8]);
  // Midnight is 00:00, not 24:00.
  const midnight = { ...office, days: [1], from: '00:00', to: '00:30' };
  const at = boundsAt({ timeZone: 'Europe/Berlin', schedule: [midnight] }, own, new Date('2026-11-22T23:10:00Z'));
  expect(at.window).toEqual(midnight);
});

test('names of time zones are checked', () => {
  for (const name of ['UTC', 'Europe/Berlin', 'America/Argentina/Buenos_Aires', 'Etc/GMT+5'])
    expect(isTimeZone(name)).toBe(true);
  for (const name of ['', 'Europe/Nowhere', '+01:00', '../etc/passwd', 'Europe/Berlin\n'])
    expect(isTimeZone(name)).toBe(false);
});
