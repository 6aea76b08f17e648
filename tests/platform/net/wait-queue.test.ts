// Waiters for a session are served in order, abandoned one by one, and failed together.
import { expect, test } from '@jest/globals';
import { failed } from '../../../platform/net/send.ts';
import { WaitQueue } from '../../../platform/net/wait-queue.ts';

const make = () => new WaitQueue<{ readonly ok: true; readonly number: number }, { readonly name: string }>();

test('the first waiter is served first, with its data', async () => {
  const queue = make();
  const both = ['a', 'b'].map((name) => queue.join(undefined, { name }));
  expect([queue.length, queue.first?.note.name]).toEqual([2, 'a']);
  expect(['a', 'b'].map((_, number) => queue.shift()?.settle({ ok: true, number }))).toEqual([undefined, undefined]);
  expect(await Promise.all(both)).toEqual([
    { ok: true, number: 0 },
    { ok: true, number: 1 },
  ]);
  expect(queue.shift()).toBeUndefined();
});

test("an abandoned waiter leaves the others in order, and a served waiter can't be abandoned", async () => {
  const queue = make();
  const [gone, served] = [new AbortController(), new AbortController()];
  const first = queue.join(gone.signal, { name: 'a' });
  const second = queue.join(served.signal, { name: 'b' });
  gone.abort();
  expect(await first).toMatchObject({ ok: false, failure: { kind: 'NOT_SENT', code: 'ABORTED' } });
  queue.shift()?.settle({ ok: true, number: 2 });
  served.abort();
  expect([await second, queue.length]).toEqual([{ ok: true, number: 2 }, 0]);
  expect(await queue.join(gone.signal, { name: 'c' })).toMatchObject({ failure: { code: 'ABORTED' } });
  expect(queue.length).toBe(0);
});

test('all fail together, and after the end every new waiter fails', async () => {
  const queue = make();
  const waiting = [queue.join(undefined, { name: 'a' }), queue.join(undefined, { name: 'b' })];
  queue.failAll(failed('AUTH_FAILED', 'no').failure);
  expect(await Promise.all(waiting)).toMatchObject([
    { failure: { code: 'AUTH_FAILED' } },
    { failure: { message: 'no' } },
  ]);
  const last = queue.join(undefined, { name: 'c' });
  queue.close();
  expect(await last).toMatchObject({ failure: { code: 'CLOSED' } });
  expect(await queue.join(undefined, { name: 'd' })).toMatchObject({ failure: { code: 'CLOSED' } });
});

test('ten thousand wait, and a further one is refused', async () => {
  const queue = make();
  const waiting = Array.from({ length: 10_000 }, (_, index) => queue.join(undefined, { name: `${index}` }));
  expect(await queue.join(undefined, { name: 'more' })).toMatchObject({ failure: { code: 'SESSION_REFUSED' } });
  queue.close();
  expect(new Set((await Promise.all(waiting)).map(({ ok }) => ok))).toEqual(new Set([false]));
});
