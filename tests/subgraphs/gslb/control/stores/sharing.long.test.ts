// The assignment of targets to the checkers of a vantage point. A checker that joins or leaves moves only its own
// share.
import { expect, test } from '@jest/globals';
import { sharing } from '../../../../../subgraphs/gslb/control/stores/sharing.ts';
import { targetId } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';

const uuid = (number: number) => `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const targets = Array.from({ length: 20_000 }, (_, at) => targetId({ member: uuid(at), monitor: uuid(1) }));

function owners(checkers: readonly string[]): readonly (string | undefined)[] {
  return targets.map(sharing(checkers));
}

test.each([1, 2, 6, 7, 19])('a checker that joins %i others takes its share, and no other target moves', (count) => {
  const checkers = Array.from({ length: count }, (_, at) => uuid(at));
  const joining = uuid(count);
  const before = owners(checkers);
  const after = owners([...checkers, joining]);
  const moved = after.filter((owner, at) => owner !== before[at]);
  expect(new Set(moved)).toEqual(new Set([joining]));
  const share = 1 / (count + 1);
  expect(moved.length / targets.length).toBeGreaterThan(share - 0.02);
  expect(moved.length / targets.length).toBeLessThan(share + 0.02);
  // When it leaves, the old assignment returns.
  expect(owners(checkers)).toEqual(before);
});

test('the assignment is the same for all callers, whatever the order of the checkers', () => {
  const checkers = Array.from({ length: 7 }, (_, at) => uuid(at));
  expect(owners(checkers.toReversed())).toEqual(owners(checkers));
});
