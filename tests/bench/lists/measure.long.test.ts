// The benchmark of lists with few rows: all its queries are answered, sorts are bounded, and slow statements are explained.
// needs: servers
import { expect, test } from '@jest/globals';
import { measureLists, type QuestionFigures, questionCount } from '../../../bench/lists/measure.ts';
import { measuredLists } from '../../../bench/lists/questions.ts';

const rows = 3_000;

test('each list answers each query to an administrator and to a member', async () => {
  const { signal } = new AbortController();
  const figures = await measureLists({
    rows,
    samples: 2,
    slowMs: 0,
    timeIsUp: () => false,
    progress: () => undefined,
    signal,
  });
  expect(figures).toHaveLength(questionCount());
  expect(figures.filter(({ errors, rowsSorted }) => errors.length > 0 || rowsSorted > 400)).toEqual([]);
  const totals = (caller: string) =>
    figures.filter((each) => each.caller === caller && each.filter === 'all').map(total);
  expect(new Set(totals('administrator'))).toEqual(new Set([rows]));
  // One percent of the rows.
  for (const count of totals('member')) expect(Math.abs(count - rows / 100)).toBeLessThan(10);
  const empty = figures.filter(({ totalCount, filter }) => totalCount === 0 && !/OfNone$/.test(filter));
  expect(empty.filter(({ caller }) => caller === 'administrator')).toEqual([]);
  const explained = figures.filter((each) => (each.explained ?? []).some(({ plan }) => plan.length > 0));
  expect(new Set(explained.map(({ list }) => list))).toEqual(new Set(measuredLists.map(({ field }) => field)));
}, 300_000);

function total({ totalCount }: QuestionFigures): number {
  return totalCount ?? Number.NaN;
}
