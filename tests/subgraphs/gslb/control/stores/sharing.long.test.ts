// Which checker of a vantage point has a target: one that comes or goes moves only its own share.
import { expect, test } from '@jest/globals';
import { sharing } from '../../../../../subgraphs/gslb/control/stores/sharing.ts';
import { targetId } from '../../../../../subgraphs/gslb/wire/checker-wire.ts';

const uuid = (number: number) => `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
const targets = Array.from({ length: 20_000 }, (_, at) => targetId({ member: uuid(at), monitor: uuid(1) }));

function owners(checkers: readonly string[]): readonly (string | undefined)[] {
  return targets.map(sharing(checkers));
}

test.each([1, 2, 6, 7, 19])('one checker more than %i takes its share, and nobody else anything', (count) => {
  const checkers = Array.from({ length: count }, (_, at) => uuid(at));
  const joining = uuid(count);
  const before = owners(checkers);
  const after = owners([...checkers, joining]);
  const moved = after.filter((owner, at) => owner !== before[at]);
  expect(new Set(moved)).toEqual(new Set([joining]));
  const share = 1 / (count + 1);
  expect(moved.length / targets.length).toBeGreaterThan(share - 0.02);
  expect(moved.length / targets.length).toBeLessThan(share + 0.02);
  // Going, it leaves all as it was.
  expect(owners(checkers)).toEqual(before);
});

test('all who ask get the same, in whatever order the checkers come', () => {
  const checkers = Array.from({ length: 7 }, (_, at) => uuid(at));
  expect(owners(checkers.toReversed())).toEqual(owners(checkers));
});
