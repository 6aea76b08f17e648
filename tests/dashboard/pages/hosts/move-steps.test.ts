// The steps of a move of the primary, with the duration of each.
import { expect, test } from '@jest/globals';
import { stepsOf } from '../../../../dashboard/src/pages/hosts/move-steps.ts';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 28, 12) + ms).toISOString();

function shown(patch: object): readonly (readonly [string, number | null])[] {
  const move = {
    ...({ moveKind: 'SWITCHOVER', state: 'SUCCEEDED', primaryName: 'b', previousName: 'a' } as const),
    ...{ createdAt: at(0), startedAt: at(800), finishedAt: at(887) },
    ...patch,
  };
  return stepsOf(move).map(({ text, afterMs }) => [text, afterMs]);
}

test('a switchover is requested, begins and ends', () => {
  expect(shown({})).toEqual([
    ['requested: b', null],
    ['no primary any more', 800],
    ['b accepts writes', 87],
  ]);
});

test('ends with the steps that have not happened yet', () => {
  const waiting = { startedAt: null, finishedAt: null };
  expect(shown({ ...waiting, state: 'PENDING' }).slice(1)).toEqual([['b takes over', null]]);
  expect(shown({ state: 'RUNNING', finishedAt: null }).slice(1)).toEqual([
    ['no primary any more', 800],
    ['b starts accepting writes', null],
  ]);
});

test('a failover has no request; a request that was not granted has no other step; clocks may differ', () => {
  expect(shown({ moveKind: 'FAILOVER', createdAt: at(800) }).map(([text]) => text)).toEqual([
    'no primary any more',
    'b accepts writes',
  ]);
  expect(shown({ state: 'FAILED', startedAt: null, finishedAt: at(30_000) }).slice(1)).toEqual([
    ['the hosts did not carry it out', 30_000],
  ]);
  expect(shown({ state: 'UNKNOWN' }).at(-1)).toEqual(['b did not report accepting writes', 87]);
  expect(shown({ createdAt: at(900) })[1]).toEqual(['no primary any more', 0]);
});
