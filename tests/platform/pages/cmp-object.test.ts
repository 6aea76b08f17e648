// The id of a CMP's object. There is one id per object, and no other text is accepted as an id.
import { describe, expect, test } from '@jest/globals';
import { cmpObjectProblems, decodeCmpObject, encodeCmpObject } from '../../../platform/pages/cmp-object.ts';
import { encodeId } from '../../../platform/values/ids.ts';

const key = { namespace: 'default', type: 'tenant', externalId: '42' };

describe('id', () => {
  test.each([['42'], ['a "quoted" \\ name'], ['größe/ü:#?'], ['"'.repeat(255)], ['😀'.repeat(63)]])(
    'of external id %s is parsed back',
    (externalId) => {
      const full = { namespace: 'n'.repeat(63), type: 't'.repeat(63), externalId };
      expect(cmpObjectProblems(full)).toEqual([]);
      expect(decodeCmpObject(encodeCmpObject(full))).toEqual(full);
    },
  );

  test.each([
    ['another type', encodeId('Project', JSON.stringify(['default', 'tenant', '42']))],
    ['no JSON', encodeId('CmpObject', 'default/tenant/42')],
    ['too few parts', encodeId('CmpObject', JSON.stringify(['default', 'tenant']))],
    ['a number', encodeId('CmpObject', JSON.stringify(['default', 'tenant', 42]))],
    ['another notation of the same', encodeId('CmpObject', '["default", "tenant", "42"]')],
    ['a bad name', encodeId('CmpObject', JSON.stringify(['de fault', 'tenant', '42']))],
    ['no id', 'nonsense'],
  ])('is refused: %s', (_, id) => {
    expect(decodeCmpObject(id)).toBeUndefined();
  });
});

describe('problems', () => {
  test.each([
    ['namespace', { ...key, namespace: '' }, 'INVALID_INPUT'],
    ['namespace', { ...key, namespace: 'a b' }, 'INVALID_INPUT'],
    ['namespace', { ...key, namespace: 'n'.repeat(64) }, 'TOO_LONG'],
    ['type', { ...key, type: '-x' }, 'INVALID_INPUT'],
    ['type', { ...key, type: 't'.repeat(64) }, 'TOO_LONG'],
    ['externalId', { ...key, externalId: '' }, 'INVALID_INPUT'],
    ['externalId', { ...key, externalId: '4\u00002' }, 'INVALID_INPUT'],
    ['externalId', { ...key, externalId: '4\n2' }, 'INVALID_INPUT'],
    ['externalId', { ...key, externalId: '42 ' }, 'INVALID_INPUT'],
    ['externalId', { ...key, externalId: '\ud800' }, 'INVALID_INPUT'],
    ['externalId', { ...key, externalId: 'ü'.repeat(128) }, 'TOO_LONG'],
  ])('names %s', (field, bad, code) => {
    expect(cmpObjectProblems(bad)).toMatchObject([{ field, code }]);
  });
});
