// A pull stream: values in order, its end, and a return() that does not wait.
import { expect, test } from '@jest/globals';
import { mapStream, type PullSource, pullStream } from '../../../platform/work/pull-stream.ts';

function sourceOf(values: readonly number[], ended: { times: number }): PullSource<number> {
  const left = [...values];
  return {
    next: async () => left.shift(),
    end() {
      ended.times += 1;
    },
  };
}

async function all<Value>(stream: AsyncIterable<Value>): Promise<Value[]> {
  const seen: Value[] = [];
  for await (const value of stream) seen.push(value);
  return seen;
}

test('returns its values in order, and ends its source once', async () => {
  const ended = { times: 0 };
  const stream = pullStream(sourceOf([0, 1, 2], ended));
  expect(await all(stream)).toEqual([0, 1, 2]);
  await stream.return();
  expect([await stream.next(), ended.times]).toEqual([{ done: true, value: undefined }, 1]);
});

test('return() ends all waiting pulls, whatever the source does', async () => {
  const stream = pullStream<number>({ next: () => new Promise(() => undefined), end: () => undefined });
  const waiting = [stream.next(), stream.next()];
  await stream.return();
  expect(await Promise.all(waiting)).toEqual([1, 2].map(() => ({ done: true, value: undefined })));
});

test('a value after the end is dropped, and a failure ends the stream', async () => {
  const coming = Promise.withResolvers<number>();
  const late = pullStream({ next: () => coming.promise, end: () => undefined });
  const waiting = late.next();
  await late.return();
  coming.resolve(7);
  expect(await waiting).toEqual({ done: true, value: undefined });

  const ended = { times: 0 };
  const failing = pullStream({ ...sourceOf([], ended), next: () => Promise.reject(new Error('lost')) });
  await expect(failing.next()).rejects.toThrow('lost');
  expect([await failing.next(), ended.times]).toEqual([{ done: true, value: undefined }, 1]);
  await expect(failing.throw(new Error('mine'))).rejects.toThrow('mine');
});

test('mapStream: each value is mapped, with one end for both', async () => {
  const ended = { times: 0 };
  const doubled = mapStream(pullStream(sourceOf([1, 2, 3], ended)), (value) => value * 2);
  expect(await doubled.next()).toEqual({ done: false, value: 2 });
  await doubled.return();
  expect(ended.times).toBe(1);
});
