// An uptime in words: nothing is rounded up, and what is not known is said.
import { expect, test } from '@jest/globals';
import {
  describeSlot,
  describeSlots,
  formatUpPercent,
  remarksOf,
} from '../../../dashboard/src/view/uptime/uptime-words.ts';

test.each([
  [100, '100 %'],
  [99.999, '99.999 %'],
  [99.96, '99.960 %'],
  [99.89, '99.8 %'],
  [99.9, '99.900 %'],
  [0, '0 %'],
  [0.4, '0.4 %'],
  [null, 'not known'],
])('%p is %s', (percent, text) => {
  expect(formatUpPercent(percent)).toBe(text);
});

const base = { startedAt: '2026-11-28T00:00:00.000Z', knownSince: null, slots: [] };

test('the remarks', () => {
  expect(remarksOf({ ...base, upPercent: 100, knownPercent: 100, downCount: 0 })).toBe('');
  expect(remarksOf({ ...base, upPercent: 98, knownPercent: 100, downCount: 1 })).toBe('down once');
  expect(remarksOf({ ...base, upPercent: 98, knownPercent: 33.9, downCount: 4 })).toBe(
    'down 4 times, known for 33 % of this time',
  );
  expect(remarksOf({ ...base, upPercent: 98, knownPercent: 0.2, downCount: 0 })).toBe(
    'known for less than 1 % of this time',
  );
  expect(remarksOf({ ...base, upPercent: null, knownPercent: 0, downCount: 0 })).toBe('');
});

test('slots', () => {
  const slot = (state: 'UP' | 'DOWN' | 'UNKNOWN', upPercent: number | null, knownPercent = 100) => ({
    ...{ startedAt: base.startedAt, state, upPercent, knownPercent },
  });
  expect(describeSlot(slot('DOWN', 50, 20))).toBe('up for 50.0 %, 20 % of it known');
  expect(describeSlot(slot('UNKNOWN', null, 0))).toBe('not known');
  expect(describeSlots([slot('UP', 100), slot('DOWN', 0), slot('UNKNOWN', null, 0)])).toBe(
    '3 bars, 1 up, 1 with a time down, 1 not known',
  );
});
