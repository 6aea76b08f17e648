import { expect, test } from '@jest/globals';
import { ReadAhead } from '../../../gateway/subscriptions/read-ahead.ts';
import { until } from '../../support/machine/temporary-folder.ts';

/** A stream that counts how much was read from it. */
function numbers(end: number, failure?: Error) {
  const state = { read: 0 };
  async function* stream() {
    while (state.read < end) {
      state.read += 1;
      yield state.read;
    }
    if (failure !== undefined) throw failure;
  }
  return { state, stream: stream() };
}

test('takes all available items, up to a limit', async () => {
  const { state, stream } = numbers(10);
  const ahead = new ReadAhead(stream, 4);
  await until(() => state.read === 4);
  expect(await ahead.take()).toEqual([1, 2, 3, 4]);
  const rest: number[] = [];
  for (let taken = await ahead.take(); taken !== undefined; taken = await ahead.take()) {
    expect(taken.length).toBeLessThanOrEqual(4);
    rest.push(...taken);
  }
  expect(rest).toEqual([5, 6, 7, 8, 9, 10]);
  expect(await ahead.take()).toBeUndefined();
});

test('a failure arrives after the last item', async () => {
  const { stream } = numbers(2, new Error('lost'));
  const ahead = new ReadAhead(stream, 4);
  const items: number[] = [];
  await expect(
    (async () => {
      for (let taken = await ahead.take(); taken !== undefined; taken = await ahead.take()) items.push(...taken);
    })(),
  ).rejects.toThrow('lost');
  expect(items).toEqual([1, 2]);
});

test('close ends a wait, and nothing more is read', async () => {
  const { state, stream } = numbers(10);
  const ahead = new ReadAhead(stream, 2);
  await until(() => state.read === 2);
  ahead.close();
  expect(await ahead.take()).toBeUndefined();
  await new Promise((resolve) => setImmediate(resolve));
  expect(state.read).toBe(2);
});
