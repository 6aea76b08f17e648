// Identical queries that wait to be sent are sent once. A query never joins one that was already sent.
import { expect, test } from '@jest/globals';
import { SharedQueries } from '../../../gateway/supergraph/shared-queries.ts';
import { TooLateError } from '../../../platform/work/within.ts';

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/** Queries wait for a place, are sent, and are answered when the test decides. */
class Setup {
  readonly queries = new SharedQueries<string>();
  readonly asked: { signal: AbortSignal; send: () => void; answer: (text: string) => void }[] = [];

  ask(key: string, { deadlineMs = 60_000, signal }: { deadlineMs?: number; signal?: AbortSignal } = {}) {
    return this.queries.ask(key, { deadlineMs, what: 'no answer', signal }, async (given, sent) => {
      const place = Promise.withResolvers<void>();
      const answer = Promise.withResolvers<string>();
      given.addEventListener('abort', () => {
        place.reject(given.reason);
        answer.reject(given.reason);
      });
      answer.promise.catch(() => undefined);
      this.asked.push({ signal: given, send: place.resolve, answer: answer.resolve });
      await place.promise;
      sent();
      return answer.promise;
    });
  }
}

test('queries of one turn, and queries that wait for a place, are sent once', async () => {
  const setup = new Setup();
  const first = setup.ask('x');
  const other = setup.ask('y');
  const second = setup.ask('x');
  await nextTurn();
  await nextTurn();
  const third = setup.ask('x');
  await nextTurn();
  await nextTurn();
  expect(setup.asked).toHaveLength(2);
  for (const [index, each] of setup.asked.entries()) {
    each.send();
    each.answer(`answer ${index}`);
  }
  expect(await Promise.all([first, second, third, other])).toEqual(['answer 0', 'answer 0', 'answer 0', 'answer 1']);
});

test('after a query was sent, the next one is sent too, because a write may have been acknowledged in between', async () => {
  const setup = new Setup();
  const before = setup.ask('x');
  await nextTurn();
  await nextTurn();
  setup.asked[0]?.send();
  await nextTurn();
  const after = setup.ask('x');
  await nextTurn();
  await nextTurn();
  expect(setup.asked).toHaveLength(2);
  setup.asked[1]?.send();
  setup.asked[1]?.answer('new');
  setup.asked[0]?.answer('old');
  expect(await Promise.all([before, after])).toEqual(['old', 'new']);
});

test('a query is aborted when all callers are gone, and not before', async () => {
  const setup = new Setup();
  const [one, other] = [new AbortController(), new AbortController()];
  const asked = [setup.ask('x', one), setup.ask('x', other)];
  await nextTurn();
  await nextTurn();
  one.abort(new Error('one is gone'));
  await expect(asked[0]).rejects.toThrow('one is gone');
  expect(setup.asked[0]?.signal.aborted).toBe(false);
  other.abort(new Error('the other is gone'));
  await expect(asked[1]).rejects.toThrow('the other is gone');
  expect(setup.asked[0]?.signal.reason).toMatchObject({ message: 'the other is gone' });
  const next = setup.ask('x');
  await nextTurn();
  await nextTurn();
  expect(setup.asked).toHaveLength(2);
  setup.asked[1]?.send();
  setup.asked[1]?.answer('answer');
  expect(await next).toBe('answer');
});

test('a query that is abandoned in the turn of its arrival is not sent', async () => {
  const setup = new Setup();
  const caller = new AbortController();
  const asked = setup.ask('x', caller);
  caller.abort(new Error('gone'));
  await expect(asked).rejects.toThrow('gone');
  await nextTurn();
  await nextTurn();
  expect(setup.asked).toEqual([]);
});

test('each caller has its own deadline', async () => {
  const setup = new Setup();
  const hasty = setup.ask('x', { deadlineMs: 1 });
  const patient = setup.ask('x');
  await expect(hasty).rejects.toThrow(TooLateError);
  await nextTurn();
  await nextTurn();
  setup.asked[0]?.send();
  setup.asked[0]?.answer('answer');
  expect(await patient).toBe('answer');
});

test('all callers get a failure', async () => {
  const queries = new SharedQueries<string>();
  const ask = () =>
    queries.ask('x', { deadlineMs: 60_000, what: 'no answer', signal: undefined }, async () => {
      throw new Error('lost');
    });
  const results = await Promise.allSettled([ask(), ask()]);
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
});
