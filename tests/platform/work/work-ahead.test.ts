// Work ahead of a stream's reader: concurrent, in order, and limited.
import { expect, test } from '@jest/globals';
import { pullStream } from '../../../platform/work/pull-stream.ts';
import { WorkAhead } from '../../../platform/work/work-ahead.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

interface Begun {
  readonly value: number;
  readonly finish: () => void;
  readonly fail: (error: Error) => void;
}

/** A source of the numbers from 1 to `count`. Its work ends when the test decides. */
function rig({ count, most }: { readonly count: number; readonly most?: number }) {
  const begun: Begun[] = [];
  let [read, returned] = [0, 0];
  const source: AsyncIterator<number, void> = {
    async next() {
      if (read >= count) return { done: true, value: undefined };
      read += 1;
      return { done: false, value: read };
    },
    async return() {
      returned += 1;
      return { done: true, value: undefined };
    },
  };
  const work = (value: number) =>
    new Promise<string>((resolve, reject) => {
      begun.push({ value, finish: () => resolve(`done ${value}`), fail: reject });
    });
  const stream = pullStream(new WorkAhead({ source, work, ...(most === undefined ? {} : { most }) }));
  return { stream, begun, read: () => read, returned: () => returned };
}

test('available items are processed at once, and delivered in order', async () => {
  const { stream, begun } = rig({ count: 5 });
  const first = stream.next();
  await waitFor('work to begin', () => begun.length === 5);
  for (const { finish } of begun.toReversed()) finish();
  expect(await first).toEqual({ done: false, value: 'done 1' });
  const rest: string[] = [];
  for await (const value of stream) rest.push(value);
  expect(rest).toEqual(['done 2', 'done 3', 'done 4', 'done 5']);
});

test('the source is not read before the first pull, or beyond the limit', async () => {
  const { stream, begun, read } = rig({ count: 100, most: 4 });
  expect(read()).toBe(0);
  const first = stream.next();
  await waitFor('work to begin', () => begun.length === 5);
  for (const { finish } of begun) finish();
  await first;
  await stream.next();
  await waitFor('work to begin', () => begun.length === 6);
  expect(read()).toBe(6);
});

test('a failure of the work arrives in its turn, and ends the stream', async () => {
  const { stream, begun, returned } = rig({ count: 3 });
  const first = stream.next();
  await waitFor('work to begin', () => begun.length === 3);
  begun[1]?.fail(new Error('the second one'));
  begun[0]?.finish();
  expect(await first).toEqual({ done: false, value: 'done 1' });
  await expect(stream.next()).rejects.toThrow('the second one');
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  expect(returned()).toBe(1);
});

test('a failure of the source arrives after the items that it gave', async () => {
  let read = 0;
  const source: AsyncIterator<number, void> = {
    async next() {
      read += 1;
      if (read === 3) throw new Error('the source is lost');
      return { done: false, value: read };
    },
  };
  const stream = pullStream(new WorkAhead({ source, work: async (value: number) => value }));
  expect([(await stream.next()).value, (await stream.next()).value]).toEqual([1, 2]);
  await expect(stream.next()).rejects.toThrow('the source is lost');
  expect(read).toBe(3);
});

test('return() does not wait for the work, and reads nothing more', async () => {
  const { stream, begun, read, returned } = rig({ count: 100, most: 3 });
  const waiting = stream.next();
  await waitFor('work to begin', () => begun.length === 4);
  await stream.return();
  expect(await waiting).toEqual({ done: true, value: undefined });
  begun[0]?.finish();
  await Promise.resolve();
  expect([read(), returned()]).toEqual([4, 1]);
});

test('pulls that wait together get the values in order', async () => {
  const { stream, begun } = rig({ count: 3 });
  const pulls = [stream.next(), stream.next(), stream.next(), stream.next()];
  await waitFor('work to begin', () => begun.length === 3);
  for (const { finish } of begun) finish();
  expect((await Promise.all(pulls)).map(({ value }) => value)).toEqual(['done 1', 'done 2', 'done 3', undefined]);
});
