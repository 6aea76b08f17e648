// Requests that wait for a primary. A flood of one caller takes no place from the others.
import { expect, test } from '@jest/globals';
import { forCaller, nobodyKnown } from '../../../platform/caller/caller.ts';
import { WaitingRoom } from '../../../platform/database/waiting-room.ts';

const long = 600_000;
const full = new Error('full');
const room = () => new WaitingRoom<string>({ most: 10, refusal: () => full });

test('a flood without login loses its places to logged-in users, the newest first', async () => {
  const waiting = room();
  const outcomes: string[] = [];
  const enter = (caller: string, name: string) =>
    forCaller(caller, () => waiting.wait(long)).then(
      () => outcomes.push(`${name} done`),
      () => outcomes.push(`${name} refused`),
    );
  const flood = Array.from({ length: 12 }, (_, number) => enter(nobodyKnown, `flood ${number}`));
  await flood[11];
  expect(outcomes).toEqual(['flood 10 refused', 'flood 11 refused']);
  const users = ['alice', 'bob', 'alice'].map((user) => enter(user, user));
  await Promise.all(flood.slice(7, 10));
  expect(outcomes.slice(2)).toEqual(['flood 9 refused', 'flood 8 refused', 'flood 7 refused']);
  // The flood continues, but gets no place back.
  await enter(nobodyKnown, 'more');
  expect(outcomes.at(-1)).toBe('more refused');
  expect(waiting.size).toBe(10);
  waiting.resolveAll('primary');
  await Promise.all([...flood, ...users]);
  expect(outcomes.slice(6).toSorted()).toEqual(
    [
      'alice done',
      'alice done',
      'bob done',
      ...Array.from({ length: 7 }, (_, number) => `flood ${number} done`),
    ].toSorted(),
  );
  expect(waiting.size).toBe(0);
});

test('one user alone can have all places, and a second one gets up to half of them', async () => {
  const waiting = room();
  const lost = { first: 0, second: 0 };
  const enter = (caller: 'first' | 'second') =>
    forCaller(caller, () => waiting.wait(long)).catch(() => {
      lost[caller] += 1;
    });
  const all = Array.from({ length: 10 }, () => enter('first'));
  all.push(...Array.from({ length: 10 }, () => enter('second')));
  await new Promise(setImmediate);
  expect(lost).toEqual({ first: 5, second: 5 });
  waiting.rejectAll(full);
  await Promise.all(all);
  expect(lost).toEqual({ first: 10, second: 10 });
});

test('a request that has waited too long is refused, and leaves its place', async () => {
  const waiting = room();
  await expect(waiting.wait(1)).rejects.toBe(full);
  expect(waiting.size).toBe(0);
});
