// The judge of the high availability trial.
import { expect, test } from '@jest/globals';
import { type Acknowledgement, judge, overlapMs, type Row } from '../../trials/ha/verdict.ts';

const told = (host: string, key: string, sentMs: number, answeredMs: number): Acknowledgement => ({
  ...{ host, key, sentMs, answeredMs },
});
const rows = (epochs: Readonly<Record<string, number>>): ReadonlyMap<string, Row> =>
  new Map(Object.entries(epochs).map(([key, epoch]) => [key, { epoch, server: epoch }]));

test('a write that the primary lacks is lost, and a write that only one host has is reported', () => {
  const acknowledged = [told('a', 'one', 0, 1), told('a', 'two', 2, 3)];
  const [whole, part] = [rows({ one: 1, two: 1 }), rows({ one: 1 })];
  expect(judge(acknowledged, part, whole)).toMatchObject({ lost: ['two'], wrongReplication: 1 });
  expect(judge(acknowledged, whole, part)).toMatchObject({ lost: [], wrongReplication: 1 });
  expect(judge(acknowledged, whole, whole)).toMatchObject({ lost: [], wrongReplication: 0, acknowledged: 2 });
});

test('an old epoch that answers a request sent after a newer answer is detected; one sent before it is not', () => {
  const whole = rows({ one: 1, two: 2, three: 1 });
  const dual = (sentMs: number) =>
    judge([told('a', 'one', 0, 1), told('b', 'two', 10, 20), told('a', 'three', sentMs, 30)], whole, whole)
      .dualAcknowledged;
  expect(dual(25)).toBe(1);
  expect(dual(15)).toBe(0);
});

test('hosts that acknowledge alternately in different groups are detected; a changing group is not', () => {
  const seen = (host: string, key: string, at: number, view: string) => ({ ...told(host, key, at, at + 1), view });
  const dual = (...all: Acknowledgement[]) => judge(all, rows({}), rows({})).dualAcknowledged;
  expect(dual(seen('a', 'one', 0, 'ab'), seen('b', 'two', 10, 'b'), seen('a', 'three', 20, 'ab'))).toBe(1);
  // Both are in the same group. Then b is alone, after a. Then a is back in a group with its own number.
  expect(dual(seen('a', 'one', 0, 'ab'), seen('b', 'two', 10, 'ab'), seen('a', 'three', 20, 'ab'))).toBe(0);
  expect(dual(seen('a', 'one', 0, 'ab'), seen('b', 'two', 10, 'b'), seen('a', 'three', 20, 'ab again'))).toBe(0);
  // Sent before the other one answered.
  const early = { ...told('a', 'three', 5, 30), view: 'ab' };
  expect(dual(seen('a', 'one', 0, 'ab'), seen('b', 'two', 10, 'b'), early)).toBe(0);
});

test('the longest gap is between two answers', () => {
  expect(
    judge([told('a', 'one', 0, 10), told('a', 'two', 5, 500), told('a', 'three', 6, 520)], rows({}), rows({}))
      .longestGapMs,
  ).toBe(490);
});

test('two hosts that are writable at once overlap until one is not', () => {
  const a = [
    [0, true],
    [10, true],
    [20, true],
    [30, false],
  ] as const;
  const b = [
    [5, false],
    [15, true],
    [25, true],
  ] as const;
  expect(overlapMs({ a, b })).toBe(10);
  expect(overlapMs({ a, b: [[35, true]] })).toBe(0);
});
