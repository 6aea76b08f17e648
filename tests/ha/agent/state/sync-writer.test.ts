// Changes of `sync`: the values that etcd must compare, the values that it writes, and which changes seal earlier ones.
import { beforeEach, expect, test } from '@jest/globals';
import { haKeys } from '../../../../ha/agent/keys.ts';
import { type Seen, SyncWriter } from '../../../../ha/agent/state/sync-writer.ts';
import type { Change, Condition } from '../../../../ha/etcd.ts';

type Answer = { done: boolean; revision: number } | Error;

const keys = haKeys('test');
const sync = { primary: 'a', epoch: 3, reign: 'r', lossy: false, members: [], revision: 7 };
const seen = {
  ...{ leaderRevision: 5, reign: { id: 'r', fenceAtMs: 9_000 } },
  shared: {
    ...{ leader: { host: 'a', reign: 'r' }, sync, reports: {}, clocksAheadMs: {} },
    wishes: { paused: false, switchoverTo: undefined },
  },
} satisfies Partial<Seen>;
const member = { host: 'b', incarnation: 'of-b' };

let answer: Answer;
let asked: { readonly conditions: readonly Condition[]; readonly changes: readonly Change[] }[];
let writer: SyncWriter;

beforeEach(() => {
  asked = [];
  answer = { done: true, revision: 8 };
  const transact = async (conditions: readonly Condition[], changes: readonly Change[]) => {
    asked.push({ conditions, changes });
    if (answer instanceof Error) throw answer;
    return answer;
  };
  writer = new SyncWriter({ transact }, keys);
});

test('a change compares the lead and `sync` as they were read, and is one transaction with its other changes', async () => {
  await writer.change(seen, 7, (plain, reign) => ({ ...plain, epoch: 4, reign, members: [member] }), [
    { delete: keys.switchover },
  ]);
  expect(asked).toEqual([
    {
      conditions: [
        { key: keys.leader, revision: 5 },
        { key: keys.sync, revision: 7 },
      ],
      changes: [
        {
          put: keys.sync,
          value: JSON.stringify({ primary: 'a', epoch: 4, reign: 'r', lossy: false, members: [member] }),
        },
        { delete: keys.switchover },
      ],
    },
  ]);
});

test('a change seals earlier ones only once etcd has applied it', async () => {
  expect(writer.sealedRevision).toBeUndefined();
  await writer.change(seen, 7, (plain) => plain);
  expect(writer.sealedRevision).toBe(8);
  answer = { done: false, revision: 9 };
  await writer.change(seen, 7, (plain) => plain);
  expect(writer.sealedRevision).toBe(8);
  answer = new Error('etcd: no answer');
  await expect(writer.change(seen, 7, (plain) => plain)).rejects.toThrow('no answer');
  expect(writer.sealedRevision).toBe(8);
});

test.each([
  ['succeeds', { done: true, revision: 9 }],
  ['is refused', { done: false, revision: 9 }],
  ['has no answer', new Error('etcd: no answer')],
])('after an admission nothing is sealed: it %s', async (_how, given) => {
  await writer.change(seen, 7, (plain) => plain);
  answer = given;
  await writer.admit(seen, 8, member).catch(() => undefined);
  expect(writer.sealedRevision).toBeUndefined();
  expect(asked.at(-1)?.changes).toEqual([
    { put: keys.sync, value: JSON.stringify({ primary: 'a', epoch: 3, reign: 'r', lossy: false, members: [member] }) },
  ]);
});

test('what was sealed before an admission is not sealed while the admission is requested', async () => {
  await writer.change(seen, 7, (plain) => plain);
  const { promise, resolve } = Promise.withResolvers<{ done: boolean; revision: number }>();
  const slow = new SyncWriter({ transact: () => promise }, keys);
  const first = slow.change(seen, 7, (plain) => plain);
  resolve({ done: true, revision: 8 });
  await first;
  expect(slow.sealedRevision).toBe(8);
  const admitting = slow.admit(seen, 8, member);
  expect(slow.sealedRevision).toBeUndefined();
  await admitting;
});

test.each([
  ['no lead of its own', { ...seen, reign: undefined }],
  ['no leader in etcd', { ...seen, shared: { ...seen.shared, leader: undefined } }],
  ['no `sync` in etcd', { ...seen, shared: { ...seen.shared, sync: undefined } }],
  ['no answer of etcd', { ...seen, shared: undefined }],
])('no request is sent to etcd with %s', async (_what, without) => {
  await writer.change(without, 7, (plain) => plain);
  expect(asked).toEqual([]);
});
