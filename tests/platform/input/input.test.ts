// Checks of inputs. Each fault has a code and the path of its field, and all faults are reported at once.
import { describe, expect, test } from '@jest/globals';
import { Refusal } from '../../../platform/errors/errors.ts';
import { InputCheck } from '../../../platform/input/input.ts';
import { encodeId, newUuid } from '../../../platform/values/ids.ts';

/** The codes of one check. Empty if it passed. */
function codes(run: (check: InputCheck) => void): string[] {
  const check = new InputCheck();
  run(check);
  return check.errors.map((error) => error.code);
}

const bad = ['INVALID_INPUT'];

test('all faults are reported at once, with their paths', () => {
  const check = new InputCheck();
  check.name('name', 'Bad Name');
  check.port('address.port', 70_000);
  check.text('note', 'x'.repeat(2000));
  expect(() => check.throwIfAny()).toThrow(Refusal);
  expect(check.errors.map(({ code, field }) => [code, field.join('.')])).toEqual([
    ['INVALID_INPUT', 'input.name'],
    ['INVALID_INPUT', 'input.address.port'],
    ['TOO_LONG', 'input.note'],
  ]);
  new InputCheck().throwIfAny();
});

describe('text', () => {
  test.each([
    ['plain', []],
    ['', []],
    ['naïve 日本', []],
    ['tab\there', bad],
    ['line\nbreak', bad],
    ['nul\0', bad],
    ['\u001b[31m', bad],
    ['c1\u0085', bad],
    ['turned\u202etxt', bad],
    ['sep\u2028', bad],
    ['x'.repeat(1025), ['TOO_LONG']],
  ])('%j', (value, expected) => {
    expect(codes((check) => check.text('f', value))).toEqual(expected);
  });

  test('of several lines can contain line breaks, but no other control characters', () => {
    expect(codes((check) => check.text('f', 'a\r\n\tb', { multiline: true }))).toEqual([]);
    expect(codes((check) => check.text('f', 'a\0b', { multiline: true }))).toEqual(bad);
  });

  test('a missing value is a fault only where it is required', () => {
    expect(codes((check) => check.text('f', null))).toEqual([]);
    expect(codes((check) => check.text('f', undefined, { required: true }))).toEqual(bad);
    expect(codes((check) => check.text('f', '', { min: 1 }))).toEqual(bad);
  });
});

test.each([
  ['web-1', []],
  ['a', []],
  ['1a', []],
  ['x'.repeat(63), []],
  ['x'.repeat(64), ['TOO_LONG']],
  ['', bad],
  ['-a', bad],
  ['a-', bad],
  ['A', bad],
  ['a b', bad],
  ['a;rm', bad],
  ['ä', bad],
  [undefined, bad],
])('name %j', (value, expected) => {
  expect(codes((check) => check.name('f', value))).toEqual(expected);
});

test.each([
  ['fw1.example.org', []],
  ['localhost', []],
  ['192.0.2.1', []],
  ['2001:db8::1', []],
  ['300.1.1.1', bad],
  ['1.2.3', bad],
  ['-a.example', bad],
  ['a..b', bad],
  ['a b', bad],
  ['host:22', bad],
  ['user@host', bad],
  ['', bad],
  [`${'a'.repeat(64)}.org`, bad],
  ['a.'.repeat(150), ['TOO_LONG']],
  [null, bad],
])('host %j', (value, expected) => {
  expect(codes((check) => check.host('f', value))).toEqual(expected);
});

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['203.0.113.7/32', '203.0.113.7'],
  ['203.0.113.0/24', '203.0.113.0/24'],
  ['2001:DB8:0::/32', '2001:db8::/32'],
  ['203.0.113.7/24', undefined],
  ['203.0.113.0/33', undefined],
  ['256.0.0.1', undefined],
  ['nonsense', undefined],
  ['', undefined],
  [null, undefined],
])('address block %j', (value, canonical) => {
  const check = new InputCheck();
  expect(check.addressBlock('f', value)).toBe(canonical);
  expect(check.errors.length).toBe(canonical === undefined ? 1 : 0);
});

test('ports and integers', () => {
  for (const value of [1, 22, 65_535]) expect(codes((check) => check.port('f', value))).toEqual([]);
  for (const value of [0, -1, 65_536, 1.5, Number.NaN, null])
    expect(codes((check) => check.port('f', value))).toEqual(bad);
  expect(codes((check) => check.integer('f', null, { min: 0, max: 5 }))).toEqual([]);
  expect(codes((check) => check.integer('f', 6, { min: 0, max: 5 }))).toEqual(bad);
});

test('ids: another type, an unknown text and no id are all NOT_FOUND', () => {
  const uuid = newUuid();
  const check = new InputCheck();
  expect(check.id('f', encodeId('Backend', uuid), 'Backend')).toBe(uuid);
  expect(check.errors).toEqual([]);
  for (const value of [encodeId('Project', uuid), encodeId('Backend', 'x'), 'x', '', null])
    expect(codes((each) => each.id('f', value, 'Backend'))).toEqual(['NOT_FOUND']);
});

test('idempotency keys', () => {
  expect(codes((check) => check.idempotencyKey(undefined))).toEqual([]);
  expect(codes((check) => check.idempotencyKey('k-1', { required: true }))).toEqual([]);
  expect(codes((check) => check.idempotencyKey(null, { required: true }))).toEqual(['KEY_REQUIRED']);
  expect(codes((check) => check.idempotencyKey(''))).toEqual(bad);
  expect(codes((check) => check.idempotencyKey('a\nb'))).toEqual(bad);
  expect(codes((check) => check.idempotencyKey('x'.repeat(256)))).toEqual(['TOO_LONG']);
});

test('labels and counts', () => {
  for (const value of ['rack-1', 'a', 'team/net', 'v1.2_x'])
    expect(codes((check) => check.label('f', value))).toEqual([]);
  for (const value of ['', ' a', 'a=b', '/a', 'a\n']) expect(codes((check) => check.label('f', value))).toEqual(bad);
  expect(codes((check) => check.count('f', [1, 2, 3], { max: 2 }))).toEqual(['TOO_LONG']);
  expect(codes((check) => check.count('f', [], { min: 1, max: 2 }))).toEqual(bad);
  const check = new InputCheck();
  const upper = check.list('f', ['a', '', 'c'], { max: 2 }, (each, field, at) => {
    check.text(field, each, { min: 1 });
    return `${at}${each.toUpperCase()}`;
  });
  expect(upper).toEqual(['0A', '1']);
  expect(check.errors.map(({ field }) => field)).toEqual([
    ['input', 'f'],
    ['input', 'f', '1'],
  ]);
});

test('messages cut long values and escape control characters', () => {
  const check = new InputCheck();
  check.name('f', `A${'\u001b'.repeat(40)}`, { max: 500 });
  check.host('g', 'ü'.repeat(200));
  for (const { message } of check.errors) {
    expect(message.length).toBeLessThan(200);
    expect(message).not.toContain('\u001b');
  }
  expect(check.errors).toHaveLength(2);
});
