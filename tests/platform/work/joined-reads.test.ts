import { expect, test } from '@jest/globals';
import { JoinedReads } from '../../../platform/work/joined-reads.ts';

test('keys that are requested while a query is under way are read together by the next query', async () => {
  const queries: { readonly keys: readonly string[]; readonly answer: (found: ReadonlyMap<string, number>) => void }[] =
    [];
  const reads = new JoinedReads<string, number>(
    (keys) => new Promise((resolve) => queries.push({ keys, answer: resolve })),
  );
  const first = [reads.read('a'), reads.read('b')];
  await Promise.resolve();
  const second = [reads.read('c'), reads.read('a')];
  await new Promise(setImmediate);
  expect(queries.map(({ keys }) => keys)).toEqual([['a', 'b']]);
  queries[0]?.answer(new Map([['a', 1]]));
  expect(await Promise.all(first)).toEqual([1, undefined]);
  await new Promise(setImmediate);
  expect(queries.map(({ keys }) => keys)).toEqual([
    ['a', 'b'],
    ['c', 'a'],
  ]);
  queries[1]?.answer(
    new Map([
      ['a', 2],
      ['c', 3],
    ]),
  );
  expect(await Promise.all(second)).toEqual([3, 2]);
});

test('a query that fails affects only its readers', async () => {
  let fails = true;
  const reads = new JoinedReads<string, number>(async (keys) => {
    if (fails) throw new Error('lost');
    return new Map(keys.map((key) => [key, 1]));
  });
  await expect(reads.read('a')).rejects.toThrow('lost');
  fails = false;
  expect(await reads.read('a')).toBe(1);
});
