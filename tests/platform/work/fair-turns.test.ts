// Turns are divided by group, and then by user. A full queue drops work of the user with the most waiting.
import { expect, test } from '@jest/globals';
import { currentShare, forIdentity } from '../../../platform/caller/caller.ts';
import type { Identity } from '../../../platform/caller/identity.ts';
import { FairTurns } from '../../../platform/work/fair-turns.ts';

const refused = new Error('refused');

/** Work that ends when the test decides. */
function bench(options: { readonly atOnce: number; readonly mostWaiting?: number; readonly waitMs?: number }) {
  const turns = new FairTurns({ mostWaiting: 100, waitMs: 600_000, ...options, refusal: () => refused });
  const started: string[] = [];
  const ends: (() => void)[] = [];
  const enter = (group: string, user: string) =>
    turns
      .run({ group, user }, () => {
        started.push(user);
        return new Promise<void>((resolve) => ends.push(resolve));
      })
      .catch((error: unknown) => error);
  const endOne = async () => {
    ends.shift()?.();
    await new Promise(setImmediate);
  };
  return { turns, started, enter, endOne };
}

test('groups take turns, and so do the users of a group', async () => {
  const { started, enter, endOne } = bench({ atOnce: 1 });
  for (const user of ['a1', 'a1', 'a1', 'a2', 'a2']) void enter('a', user);
  for (const user of ['b1', 'b1']) void enter('b', user);
  for (let ended = 0; ended < 7; ended += 1) await endOne();
  expect(started).toEqual(['a1', 'a1', 'b1', 'a2', 'b1', 'a1', 'a2']);
});

test('no group takes all turns: the next caller gets one at once', async () => {
  const { started, enter, turns } = bench({ atOnce: 3 });
  for (let count = 0; count < 5; count += 1) void enter('a', 'a');
  void enter('b', 'b');
  await new Promise(setImmediate);
  expect(started).toEqual(['a', 'a', 'b']);
  expect(turns.waiting).toBe(3);
});

test('a full queue refuses the newest work of the user with the most waiting', async () => {
  const { enter, turns } = bench({ atOnce: 1, mostWaiting: 4 });
  void enter('a', 'a');
  const flood = Array.from({ length: 5 }, () => enter('a', 'a'));
  expect(await flood[4]).toBe(refused);
  void enter('b', 'b');
  expect(await flood[3]).toBe(refused);
  expect(turns.waiting).toBe(4);
});

test('work that has waited too long is refused, and leaves the queue', async () => {
  const { enter, turns } = bench({ atOnce: 1, waitMs: 1 });
  void enter('a', 'a');
  expect(await enter('a', 'a')).toBe(refused);
  expect(turns.waiting).toBe(0);
});

test('users of the same projects are one group, and logins and machines have lanes of their own', () => {
  const identity = (id: string, over: Partial<Identity> = {}): Identity => ({
    ...{ kind: 'user', id, name: id, admin: false, projects: { p2: 'VIEWER', p1: 'MEMBER' }, credentialId: id },
    ...over,
  });
  const share = (who: Identity | null) => forIdentity(who, currentShare);
  expect(share(identity('u1'))).toEqual({ group: 'p1 p2', user: 'u1', lane: undefined });
  expect(share(identity('u2', { projects: { p1: 'VIEWER', p2: 'VIEWER' } })).group).toBe('p1 p2');
  expect(share(identity('t1', { kind: 'token', ownerId: 'u1' })).user).toBe('u1');
  expect(share(identity('a1', { admin: true, projects: {} })).group).toBe('a1');
  expect(share(identity('m1', { kind: 'machine', projects: {} })).lane).toBe('machines');
  expect(share(null).lane).toBe('credentials');
  expect(currentShare().lane).toBe('process');
});
