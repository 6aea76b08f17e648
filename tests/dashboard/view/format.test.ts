// How ages, durations and names are written.
import { describe, expect, test } from '@jest/globals';
import { formatAge, formatCmpObject, formatDuration, formatTime } from '../../../dashboard/src/view/format.ts';

describe('format', () => {
  test('ages go in steps that do not flicker, and are never negative', () => {
    const ages = [-10, 4, 9, 59, 60, 3_599, 3_600, 86_399, 86_400].map((seconds) => formatAge(seconds * 1000));
    expect(ages).toEqual(['<5 s', '<5 s', '5 s', '55 s', '1 min', '59 min', '1 h', '23 h', '1 d']);
  });

  test('durations', () => {
    expect([34, 1_234, 125_000].map(formatDuration)).toEqual(['34 ms', '1.2 s', '2 min 5 s']);
  });

  test('the day is named only when it matters', () => {
    const at = '2026-01-31T12:00:00.000Z';
    expect(formatTime(at, Date.parse(at) + 3_600_000)).toMatch(/^\d\d:\d\d:00$/);
    expect(formatTime(at, Date.parse(at) + 2 * 86_400_000)).toMatch(/31 Jan/);
  });

  test('the default namespace is not named', () => {
    expect(formatCmpObject({ namespace: 'default', type: 'tenant', externalId: '42' })).toBe('tenant/42');
    expect(formatCmpObject({ namespace: 'blue', type: 'tenant', externalId: '42' })).toBe('blue:tenant/42');
  });
});
