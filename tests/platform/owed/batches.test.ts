// Deletions in batches.
import { expect, it } from '@jest/globals';
import { batchSize, inBatches } from '../../../platform/owed/batches.ts';

/** Deletes this many rows, batch by batch. */
function rows(count: number) {
  let [left, calls] = [count, 0];
  const batch = async () => {
    calls += 1;
    const deleted = Math.min(left, batchSize);
    left -= deleted;
    return deleted;
  };
  return { batch, calls: () => calls };
}

it('ends with the first batch that is not full', async () => {
  const { batch, calls } = rows(2 * batchSize + 1);
  expect(await inBatches(batch, undefined)).toEqual({ rows: 2 * batchSize + 1, more: false });
  expect(calls()).toBe(3);
});

it('leaves the rest for the next run', async () => {
  const { batch, calls } = rows(10 * batchSize);
  expect(await inBatches(batch, undefined, { mostBatches: 4 })).toEqual({ rows: 4 * batchSize, more: true });
  expect(calls()).toBe(4);
});

it('begins no batch after a stop was requested', async () => {
  const ending = new AbortController();
  const { batch, calls } = rows(10 * batchSize);
  const once = () => {
    ending.abort();
    return batch();
  };
  expect(await inBatches(once, ending.signal)).toEqual({ rows: batchSize, more: true });
  expect(await inBatches(batch, ending.signal)).toEqual({ rows: 0, more: true });
  expect(calls()).toBe(1);
});
