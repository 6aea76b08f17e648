// Work with a deadline: its result, its signal, and late results.
import { expect, test } from '@jest/globals';
import { atMost, TooLateError, within } from '../../../platform/work/within.ts';

test("returns the work's result, and throws its error", async () => {
  expect(await within(10_000, 'no answer', () => 7)).toBe(7);
  await expect(within(10_000, 'no answer', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

test('at the deadline the signal aborts and the caller gets an error, even if the work ignores the signal', async () => {
  let told: AbortSignal | undefined;
  const late = within(5, 'no answer', (signal) => {
    told = signal;
    return new Promise<never>(() => undefined);
  });
  await expect(late).rejects.toThrow(new TooLateError('no answer', 5));
  await expect(late).rejects.toThrow('no answer within 5 ms');
  expect(told?.aborted).toBe(true);
});

test('ends with its signal, and does not begin if the signal is already aborted', async () => {
  const caller = new AbortController();
  const waiting = within(10_000, 'no answer', () => new Promise<never>(() => undefined), caller.signal);
  caller.abort(new Error('given up'));
  await expect(waiting).rejects.toThrow('given up');
  let begun = false;
  const work = () => {
    begun = true;
  };
  await expect(within(10_000, 'no answer', work, caller.signal)).rejects.toThrow('given up');
  expect(begun).toBe(false);
});

test('work that aborts its own caller and throws is one failure', async () => {
  const caller = new AbortController();
  const work = (): never => {
    caller.abort(new Error('given up'));
    throw new Error('no');
  };
  await expect(within(10_000, 'no answer', work, caller.signal)).rejects.toThrow('no');
});

test('atMost: undefined if it takes longer, and a failure remains a failure', async () => {
  expect(await atMost(10_000, Promise.resolve(7))).toBe(7);
  expect(await atMost(5, new Promise<number>(() => undefined))).toBeUndefined();
  await expect(atMost(10_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
});
