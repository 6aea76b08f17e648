// The transfers of a container's page: how many run at once, and what a cancelled, failed or refused one becomes.
import { expect, test } from '@jest/globals';
import { filterFormat, folderLink, folderOf, foldersTo } from '../../../../dashboard/src/pages/container/address.ts';
import { NameTaken, type Send, Transfers, type Wish } from '../../../../dashboard/src/pages/container/transfers.ts';

interface Sent {
  readonly wish: Wish;
  readonly options: Parameters<Send>[1];
  readonly end: PromiseWithResolvers<void>;
}

function begin(names: readonly string[]) {
  const sent: Sent[] = [];
  const transfers = new Transfers((wish, options) => {
    const end = Promise.withResolvers<void>();
    sent.push({ wish, options, end });
    options.signal.addEventListener('abort', () => end.reject(new Error('Cancelled.')));
    return end.promise;
  });
  transfers.add(names.map((name) => ({ name, sizeBytes: 10 })));
  return { sent, transfers, states: () => transfers.all.map(({ state }) => state) };
}

/** All promises that can settle have settled. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('three run at once, and the next one follows the first that ends or is cancelled', async () => {
  const { sent, transfers, states } = begin(['a', 'b', 'c', 'd', 'e']);
  expect(states()).toEqual(['running', 'running', 'running', 'waiting', 'waiting']);
  sent[1]?.options.onProgress(7);
  expect(transfers.all[1]?.doneBytes).toBe(7);
  sent[1]?.end.resolve();
  await settled();
  expect(states()).toEqual(['running', 'done', 'running', 'running', 'waiting']);
  transfers.cancel(transfers.all[0]?.id ?? 0);
  await settled();
  expect(states()).toEqual(['cancelled', 'done', 'running', 'running', 'running']);
  expect(sent[0]?.options.signal.aborted).toBe(true);
  transfers.stop();
  await settled();
  expect(states()).toEqual(['cancelled', 'done', 'cancelled', 'cancelled', 'cancelled']);
  expect(sent.map(({ wish }) => wish.name)).toEqual(['a', 'b', 'c', 'd', 'e']);
  transfers.clear();
  expect(transfers.all).toEqual([]);
});

test('a failure is told and repeated; a taken name is replaced only on request; a file with a fault is never sent', async () => {
  const { sent, transfers, states } = begin(['a', 'b']);
  transfers.add([{ name: 'c', sizeBytes: 10, fault: 'It is too large.' }]);
  sent[0]?.end.reject(new Error('The connection broke.'));
  sent[1]?.end.reject(new NameTaken());
  await settled();
  expect(states()).toEqual(['failed', 'taken', 'failed']);
  expect(transfers.all.map(({ message }) => message)).toEqual(['The connection broke.', null, 'It is too large.']);
  transfers.repeat(transfers.all[0]?.id ?? 0);
  transfers.replaceTaken();
  expect(states()).toEqual(['running', 'running', 'failed']);
  expect(sent.slice(2).map(({ wish }) => [wish.name, wish.replaces])).toEqual([
    ['a', undefined],
    ['b', true],
  ]);
});

test('an address names a folder and the beginning of names in it', () => {
  const link = folderLink('an id', 'a & b/2026/ca');
  const { id, prefix } = filterFormat.parse(new URL(link, 'http://localhost').search);
  expect([id, prefix, folderOf(prefix)]).toEqual(['an id', 'a & b/2026/ca', 'a & b/2026/']);
  expect(foldersTo(folderOf(prefix))).toEqual([
    { name: 'a & b', prefix: 'a & b/' },
    { name: '2026', prefix: 'a & b/2026/' },
  ]);
  expect(foldersTo('/x/')).toEqual([
    { name: '/', prefix: '/' },
    { name: 'x', prefix: '/x/' },
  ]);
});
