// Primary host over time, from moves of the primary.
import { expect, test } from '@jest/globals';
import { leadersOf } from '../../../../dashboard/src/pages/hosts/picture/leaders.ts';

const nowMs = Date.UTC(2026, 10, 28, 12);
const hourMs = 3_600_000;
const move = (hours: number, previousName: string | null, primaryName: string, state = 'SUCCEEDED') => ({
  ...{ previousName, primaryName, state, gapMs: 87, createdAt: new Date(nowMs - hours * hourMs).toISOString() },
});

function shown(...[moves, primary = 'a']: [moves: readonly ReturnType<typeof move>[], primary?: string | null]) {
  const { startMs, lanes } = leadersOf(moves as never, primary, nowMs);
  const hours = (ms: number) => (nowMs - ms) / hourMs;
  const spans = lanes.map(({ host, spans: own }) => [
    host,
    ...own.map(({ fromMs, untilMs }) => [hours(fromMs), hours(untilMs)]),
  ]);
  return [hours(startMs), ...spans];
}

test('each host has the times in which it was primary, with the newest move given first', () => {
  const moves = [move(1, 'b', 'a'), move(2, 'b', 'c', 'FAILED'), move(3, 'a', 'b'), move(10, 'b', 'a')];
  expect(shown(moves)).toEqual([10, ['a', [10, 3], [1, 0]], ['b', [3, 1]]]);
});

test('a week at most', () => {
  expect(shown([move(24, 'b', 'a'), move(400, 'a', 'b')])).toEqual([168, ['a', [24, 0]], ['b', [168, 24]]]);
});

test('without a move the current primary has been primary for the whole time shown', () => {
  expect(shown([])).toEqual([1, ['a', [1, 0]]]);
});

test('without a primary the last one has no unknown time', () => {
  expect(shown([move(5, 'b', 'a')], null)).toEqual([5]);
  expect(shown([], null)).toEqual([1]);
});

test('a clock that was set back makes no negative time', () => {
  const [, ...lanes] = shown([move(-2, 'b', 'a'), move(3, 'a', 'b')]);
  expect(lanes).toEqual([['b', [3, 0]]]);
});
