// A value that no replica accepts is refused by name, not as if too few clusters answered, because no retry would help.
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import type { Caller, ObjectHeaders } from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };
const plain: ObjectHeaders = { contentType: 'text/plain', metadata: {} };

/** Each value is within its own bound, but longer as JSON. */
const quotes = '"'.repeat(1_024);
const quoted: ObjectHeaders = {
  ...{ contentType: quotes, cacheControl: quotes, contentDisposition: quotes, contentEncoding: quotes },
  ...{ contentLanguage: quotes, expires: quotes, metadata: { a: '"'.repeat(2_000) } },
};

async function* bytes(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text);
}

async function opened() {
  const objects = new MemoryClusters().objects(0);
  await objects.createContainer(caller, 'films');
  return objects;
}

test('headers that are too long as JSON are refused before the body is read', async () => {
  const objects = await opened();
  const tooLarge = { code: 'TOO_LARGE', message: expect.stringContaining('as JSON') };
  const body = bytes('one');
  await expect(objects.put(caller, 'films', 'one', { body }, quoted)).rejects.toMatchObject(tooLarge);
  expect((await body.next()).value).toEqual(Buffer.from('one'));
  await expect(objects.beginUpload(caller, 'films', 'one', quoted)).rejects.toMatchObject(tooLarge);
  await objects.put(caller, 'films', 'one', { body: bytes('one') }, plain);
  const from = { container: 'films', name: 'one' };
  for (const name of ['one', 'two'])
    await expect(objects.copy(caller, from, { container: 'films', name }, quoted)).rejects.toMatchObject(tooLarge);
  const longest = { ...quoted, expires: undefined };
  await objects.put(caller, 'films', 'two', { body: bytes('two') }, longest);
  expect(await objects.stat(caller, 'films', 'two')).toMatchObject({ contentLanguage: quotes });
});

test('listing positions that are longer than any name are refused', async () => {
  const objects = await opened();
  const longest = 'x'.repeat(1_024);
  await objects.put(caller, 'films', longest, { body: bytes('one') }, plain);
  const list = (query: { prefix?: string; after?: string; delimiter?: string }) =>
    objects.list(caller, 'films', { prefix: '', delimiter: '', after: '', limit: 10, ...query });
  const wrong = { code: 'INVALID_NAME', message: expect.stringContaining('bytes') };
  expect((await list({ prefix: longest })).objects).toHaveLength(1);
  await expect(list({ prefix: `${longest}x` })).rejects.toMatchObject(wrong);
  await expect(list({ prefix: 'ä'.repeat(513) })).rejects.toMatchObject(wrong);
  await expect(list({ after: 'x'.repeat(1_029) })).rejects.toMatchObject(wrong);
  // The longest common prefix, and the position behind it.
  const { prefixes, next } = await list({ delimiter: 'x'.repeat(1_024) });
  expect(prefixes).toEqual([longest]);
  expect((await list({ delimiter: 'x'.repeat(1_024), after: next })).prefixes).toEqual([]);
});

test('positions of an upload listing are refused the same way', async () => {
  const objects = await opened();
  const uploadId = await objects.beginUpload(caller, 'films', 'x'.repeat(1_024), plain);
  const list = (query: { prefix?: string; afterName?: string; afterId?: string }) =>
    objects.listUploads(caller, 'films', { prefix: '', afterName: '', afterId: '', limit: 10, ...query });
  expect((await list({ prefix: 'x'.repeat(1_024) })).uploads).toMatchObject([{ uploadId }]);
  expect((await list({ afterName: 'x'.repeat(1_024), afterId: uploadId })).uploads).toEqual([]);
  const wrong = { code: 'INVALID_NAME' };
  await expect(list({ prefix: 'x'.repeat(1_025) })).rejects.toMatchObject(wrong);
  await expect(list({ afterName: 'x'.repeat(1_100) })).rejects.toMatchObject(wrong);
  await expect(list({ afterName: 'x', afterId: 'y'.repeat(1_100) })).rejects.toMatchObject(wrong);
});

test("a page of an account's many containers reads no more than it shows", async () => {
  const clusters = new MemoryClusters();
  const objects = clusters.objects(0);
  const many = Array.from({ length: 1_500 }, (_, index) => `many-${String(index).padStart(4, '0')}`);
  await Promise.all(many.map((name) => objects.createContainer(caller, name)));
  let rows = 0;
  clusters.listed = async ({ limit }) => {
    rows += limit;
  };
  const page = await objects.containers(caller, { prefix: 'many', after: 'many-0007', limit: 3 });
  expect(page.map(({ name }) => name)).toEqual(['many-0008', 'many-0009', 'many-0010']);
  expect(rows).toBeLessThan(1_000);
  const all = await objects.containers(caller, { prefix: '', after: '', limit: 10_000 });
  expect(all.map(({ name }) => name)).toEqual(many);
  await expect(objects.containers(caller, { prefix: '', after: 'x'.repeat(1_200), limit: 1 })).rejects.toMatchObject({
    code: 'INVALID_NAME',
  });
});

test('of very many concurrent listings only some are in memory', async () => {
  const clusters = new MemoryClusters();
  const objects = clusters.objects(0);
  await objects.createContainer(caller, 'films');
  await objects.put(caller, 'films', 'one', { body: bytes('one') }, plain);
  let running = 0;
  let most = 0;
  clusters.listed = async () => {
    running += 1;
    most = Math.max(most, running);
    await sleep(5);
    running -= 1;
  };
  const query = { prefix: '', delimiter: '', after: '', limit: 1_000 };
  const listings = await Promise.all(Array.from({ length: 200 }, () => objects.list(caller, 'films', query)));
  expect(listings.every((each) => each.objects.length === 1)).toBe(true);
  // Three replicas each. The slowest answers after the listing has its majority.
  expect(most).toBeLessThanOrEqual(6 * 16);
});
