// An uptime in words. Nothing is rounded up, and unknown time is stated.
import { expect, test } from '@jest/globals';
import {
  describeSlot,
  describeSlots,
  formatUpPercent,
  remarksOf,
} from '../../../dashboard/src/view/uptime/uptime-words.ts';
import type { UptimeFieldsFragment } from '../../../generated/dashboard/graphql.ts';

test.each([
  [100, '100 %'],
  [99.999, '99.999 %'],
  [99.96, '99.960 %'],
  [99.89, '99.8 %'],
  [99.9, '99.900 %'],
  [0, '0 %'],
  [0.4, '0.4 %'],
  [null, 'no data'],
])('%p is %s', (percent, text) => {
  expect(formatUpPercent(percent)).toBe(text);
});

const startedAt = '2026-11-28T00:00:00.000Z';
const base = { startedAt, knownSince: null, slots: [] };
const dayEnd = Date.parse('2026-11-29T00:00:00.000Z');

test('the remarks', () => {
  const remarks = (
    of: Pick<UptimeFieldsFragment, 'upPercent' | 'knownPercent' | 'downCount'>,
    knownSince = startedAt,
  ) => remarksOf({ ...base, knownSince, ...of }, dayEnd);
  expect(remarks({ upPercent: 100, knownPercent: 100, downCount: 0 })).toBe('');
  expect(remarks({ upPercent: 98, knownPercent: 100, downCount: 1 })).toBe('down once');
  expect(remarks({ upPercent: 98, knownPercent: 33.9, downCount: 4 })).toBe(
    'down 4 times, data for 33 % of this period',
  );
  const late = '2026-11-28T23:47:00.000Z';
  expect(remarks({ upPercent: 98, knownPercent: 0.9, downCount: 0 }, late)).toBe('data for the last 13 min only');
  const noon = '2026-11-28T12:00:00.000Z';
  expect(remarks({ upPercent: 98, knownPercent: 49.9, downCount: 0 }, noon)).toBe('data for the last 12 h only');
  expect(remarks({ upPercent: 98, knownPercent: 0.2, downCount: 0 }, noon)).toBe(
    'data for less than 1 % of this period',
  );
  expect(remarksOf({ ...base, upPercent: null, knownPercent: 0, downCount: 0 }, dayEnd)).toBe('');
});

test('slots', () => {
  const slot = (state: 'UP' | 'DOWN' | 'UNKNOWN', upPercent: number | null, knownPercent = 100) => ({
    ...{ startedAt: base.startedAt, state, upPercent, knownPercent },
  });
  expect(describeSlot(slot('DOWN', 50, 20))).toBe('up for 50.0 %, data for 20 %');
  expect(describeSlot(slot('UNKNOWN', null, 0))).toBe('no data');
  expect(describeSlots([slot('UP', 100), slot('DOWN', 0), slot('UNKNOWN', null, 0)])).toBe(
    '3 bars, 1 up, 1 with downtime, 1 without data',
  );
});
