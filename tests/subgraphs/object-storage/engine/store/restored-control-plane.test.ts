// The control plane's documents that a cluster keeps after the control plane was restored to an older state: only those
// that were sent again.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Database } from '../../../../../platform/database/database.ts';
import { DocumentStore } from '../../../../../subgraphs/object-storage/engine/store/document-store.ts';
import { otherHistory, testHistory } from '../../../../support/stores/histories.ts';
import { storeDatabase } from './store-database.ts';

let cleanup: AsyncDisposableStack;
let store: DocumentStore;

beforeEach(async () => {
  cleanup = new AsyncDisposableStack();
  const db = new Database({ connection: await storeDatabase(cleanup) });
  cleanup.defer(() => db.close());
  store = new DocumentStore(db);
});
afterEach(() => cleanup.disposeAsync());

const document = (kind: string, key: string, generation: number, body: object) => {
  return { kind, key, generation, body: JSON.stringify(body), signature: 'k1/signature' };
};

test('documents that were not sent again are void, for readers and for other clusters', async () => {
  const account = (id: string) => ({ id: id.repeat(32), projectId: testHistory, name: 'a', state: 'ACTIVE' });
  const before = [
    document('account', 'a'.repeat(32), 3, account('a')),
    document('account', 'b'.repeat(32), 9, account('b')),
  ];
  await store.put(before, { history: testHistory, number: 9 });
  const arrivals: number[] = [];
  for await (const { arrival } of store.all()) arrivals.push(arrival);
  await store.put([document('account', 'a'.repeat(32), 20, account('a'))], { history: otherHistory, number: 20 });
  await store.put([document('history', '', 21, { id: otherHistory, voidUpTo: 12 })], {
    history: otherHistory,
    number: 21,
  });
  expect(await store.position()).toEqual({ history: otherHistory, number: 21 });
  expect((await store.find('account', 'a'.repeat(32)))?.body).toContain('ACTIVE');
  expect((await store.find('account', 'b'.repeat(32)))?.body).toBe('null');
  // A process that follows arrivals gets it. Other clusters, which verify signatures, get the history's document
  // instead.
  const news = await store.since(arrivals.at(-1) ?? 0);
  expect(news.map(({ kind, generation, body }) => [kind, generation, body === 'null'])).toEqual([
    ['account', 20, false],
    ['history', 21, false],
    ['account', 9, true],
  ]);
  expect((await store.after(0, 100)).map(({ generation }) => generation)).toEqual([20, 21]);
});

test('a position of another history replaces the one before; within one history it never falls', async () => {
  expect(await store.position()).toBeUndefined();
  await store.put([], { history: testHistory, number: 50 });
  await store.put([], { history: testHistory, number: 40 });
  expect(await store.position()).toEqual({ history: testHistory, number: 50 });
  await store.put([], { history: otherHistory, number: 7 });
  expect(await store.position()).toEqual({ history: otherHistory, number: 7 });
});
