// The filters in the query string, and their effect.
import { describe, expect, test } from '@jest/globals';
import { matchesLine } from '../../../../dashboard/src/filters/filters.ts';
import {
  formatFilters,
  isFiltering,
  matchesBackend,
  matchesMapping,
  matchesPlace,
  matchesServerFilters,
  matchesText,
  parseFilters,
  type RelayFilters,
} from '../../../../dashboard/src/pages/relay/filters.ts';
import { backend, found, mapping, operation } from '../../support/samples.ts';

const none = parseFilters('');

function filters(patch: Partial<RelayFilters>): RelayFilters {
  return { ...none, ...patch };
}

describe('the query string', () => {
  test('round trip', () => {
    const all: RelayFilters = {
      states: ['UNKNOWN', 'FAILED'],
      found: ['MISSING'],
      backendId: 'QmFja2VuZDox',
      projectId: 'p/1 &',
      text: 'tenant/42 ä',
      open: { type: 'Backend', id: 'b=1' },
    };
    expect(parseFilters(formatFilters(all))).toEqual(all);
    expect(formatFilters(none)).toBe('');
    expect(formatFilters(filters({ states: ['UNKNOWN', 'FAILED'] }))).toBe('?state=unknown,failed');
  });

  test('each kind of drawer has its own parameter', () => {
    for (const type of ['RelayOperation', 'Backend', 'Mapping']) {
      const open = { type, id: `id of ${type}` };
      expect(parseFilters(formatFilters(filters({ open }))).open).toEqual(open);
    }
    expect(formatFilters(filters({ found: ['DRIFTED', 'MISSING'], open: { type: 'Mapping', id: 'm1' } }))).toBe(
      '?found=drifted,missing&mapping=m1',
    );
    expect(parseFilters('?found=missing,matches').found).toEqual(['MISSING']);
  });

  test('unknown states are left out, and a text that is too long is cut', () => {
    expect(parseFilters('?state=failed,bogus,,Sent').states).toEqual(['SENT', 'FAILED']);
    expect(parseFilters(`?q=${'x'.repeat(5000)}`).text).toHaveLength(200);
    expect(parseFilters('?operation=&show=&backend=')).toEqual(none);
  });

  test('an open drawer is not a filter', () => {
    expect(isFiltering(filters({ open: { type: 'RelayOperation', id: 'o1' } }))).toBe(false);
    expect(isFiltering(filters({ text: 'x' }))).toBe(true);
  });
});

describe('matching', () => {
  test('operations by state, backend and project', () => {
    expect(matchesServerFilters(filters({ states: ['SENT'], backendId: 'b1', projectId: 'p1' }), operation())).toBe(
      true,
    );
    expect(matchesServerFilters(filters({ states: ['FAILED'] }), operation())).toBe(false);
    expect(matchesPlace(filters({ states: ['FAILED'] }), operation())).toBe(true);
    expect(matchesPlace(filters({ backendId: 'b2' }), operation())).toBe(false);
    expect(matchesPlace(filters({ projectId: 'p2' }), operation({ project: null }))).toBe(false);
  });

  test('every word of the text must match, ignoring case', () => {
    const refused = operation({ deviceError: { code: 'DEVICE_REFUSED', message: 'No such file' } });
    expect(matchesText('RULE tenant/42 fw-1', refused)).toBe(true);
    expect(matchesText('no such file', refused)).toBe(true);
    expect(matchesText('rule tenant/43', refused)).toBe(false);
    expect(matchesText('  ', refused)).toBe(true);
  });

  test('backends by label and site', () => {
    expect(matchesBackend(filters({ text: 'rack=b12 fra1' }), backend())).toBe(true);
    expect(matchesBackend(filters({ text: 'rack=b13' }), backend())).toBe(false);
  });

  test('mappings by backend, project and every word of their known data', () => {
    const drifted = mapping(found('DRIFTED'));
    expect(matchesMapping(filters({ text: 'WEB tenant/42 fw-1 drifted action', projectId: 'p1' }), drifted)).toBe(true);
    expect(matchesMapping(filters({ text: 'missing' }), drifted)).toBe(false);
    expect(matchesMapping(filters({ backendId: 'b2' }), drifted)).toBe(false);
    expect(matchesMapping(filters({ projectId: 'p2' }), mapping({ project: null }))).toBe(false);
  });

  test('notes of the page itself are never hidden', () => {
    const note = { type: 'note', id: 'n', at: '', text: 'seam' } as const;
    expect(matchesLine(filters({ text: 'zzz', projectId: 'p9' }), note)).toBe(true);
  });
});
