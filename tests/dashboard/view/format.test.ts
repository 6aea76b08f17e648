// Formats of ages, durations and names.
import { describe, expect, test } from '@jest/globals';
import { formatCmpObject } from '../../../dashboard/src/cmp-object.ts';
import {
  formatAge,
  formatAgo,
  formatCountdown,
  formatDuration,
  formatTime,
  formatType,
  formatValue,
  formatWord,
} from '../../../dashboard/src/view/format.ts';

describe('format', () => {
  test('ages change in steps that do not flicker, and are never negative', () => {
    const ages = [-10, 4, 9, 59, 60, 3_599, 3_600, 86_399, 86_400].map((seconds) => formatAge(seconds * 1000));
    expect(ages).toEqual(['<5 s', '<5 s', '5 s', '55 s', '1 min', '59 min', '1 h', '23 h', '1 d']);
  });

  test('a subject seen just now has no age', () => {
    expect([0, 4_999, 5_000, 720_000].map(formatAgo)).toEqual(['just now', 'just now', '5 s ago', '12 min ago']);
  });

  test('acronyms keep their capitals', () => {
    expect(['GslbPoolMember', 'CmpObject', 'L7Policy'].map(formatType)).toEqual([
      'GSLB pool member',
      'CMP object',
      'L7 policy',
    ]);
    expect(formatWord('LEAST_MAPPED')).toBe('least mapped');
    expect(formatWord('IN_DNS')).toBe('in DNS');
  });

  test('durations', () => {
    expect([34, 1_000, 1_234, 59_960, 125_000].map(formatDuration)).toEqual([
      ...['34 ms', '1 s', '1.2 s', '1 min', '2 min 5 s'],
    ]);
    expect([14_400_000, 14_465_000, 86_400_000, 93_600_000].map(formatDuration)).toEqual([
      ...['4 h', '4 h 1 min', '1 d', '1 d 2 h'],
    ]);
  });

  test('countdowns, in whole seconds', () => {
    const left = [0, 1, 33_001, 60_000, 545_000, 3_600_000].map(formatCountdown);
    expect(left).toEqual(['0 s', '1 s', '34 s', '1:00', '9:05', '1:00:00']);
  });

  test('empty device values, empty texts and lists can be distinguished', () => {
    const values = [null, '', 'DROP', 443, ['a'], { to: 'b' }].map(formatValue);
    expect(values).toEqual(['nothing', '""', 'DROP', '443', '["a"]', '{"to":"b"}']);
  });

  test('the date is shown only when it matters', () => {
    const at = '2026-01-31T12:00:00.000Z';
    expect(formatTime(at, Date.parse(at) + 3_600_000)).toMatch(/^\d\d:\d\d:00$/);
    expect(formatTime(at, Date.parse(at) + 2 * 86_400_000)).toMatch(/31 Jan/);
  });

  test('the default namespace is not shown', () => {
    expect(formatCmpObject({ namespace: 'default', type: 'tenant', externalId: '42' })).toBe('tenant/42');
    expect(formatCmpObject({ namespace: 'blue', type: 'tenant', externalId: '42' })).toBe('blue:tenant/42');
  });
});
