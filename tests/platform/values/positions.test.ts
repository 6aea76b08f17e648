// Positions are comparable within one history only.
import { expect, test } from '@jest/globals';
import { comparePositions, hasReached, positionShape } from '../../../platform/values/positions.ts';

const history = '5d4e51d4-9d9c-4b3f-8a35-3c2c5a1f0b01';
const other = '5d4e51d4-9d9c-4b3f-8a35-3c2c5a1f0b02';
const at = (number: number) => ({ history, number });

test('numbers of one history are ordered, and those of another are not', () => {
  expect(comparePositions(at(3), at(3))).toBe('SAME');
  expect(comparePositions(at(2), at(3))).toBe('BEHIND');
  expect(comparePositions(at(4), at(3))).toBe('AHEAD');
  for (const number of [2, 3, 4]) expect(comparePositions({ history: other, number }, at(3))).toBe('OTHER_HISTORY');
});

test('a position is reached only by the same or a higher number of its history', () => {
  expect(hasReached(at(3), at(3))).toBe(true);
  expect(hasReached(at(4), at(3))).toBe(true);
  expect(hasReached(at(2), at(3))).toBe(false);
  expect(hasReached({ history: other, number: 99 }, at(3))).toBe(false);
  expect(hasReached(undefined, at(0))).toBe(false);
});

test('the wire form is refused without a history, with a number alone, and with an unknown field', () => {
  expect(positionShape.safeParse(at(3)).success).toBe(true);
  for (const value of [
    3,
    { number: 3 },
    { history: '', number: 3 },
    { history },
    at(-1),
    at(1.5),
    { ...at(3), more: 1 },
  ])
    expect(positionShape.safeParse(value).success).toBe(false);
});
