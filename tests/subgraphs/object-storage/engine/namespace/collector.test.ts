// Blobs on a real disk, with registers over three clusters in memory. Referenced blobs stay, unreferenced blobs are
// deleted, and a blob that a write of unknown outcome may still refer to stays.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { VersionClock } from '../../../../../platform/registers/version.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { RepairingReader } from '../../../../../subgraphs/object-storage/engine/blobs/repairing-reader.ts';
import { ClusterBlobs } from '../../../../../subgraphs/object-storage/engine/namespace/cluster-blobs.ts';
import { Collector } from '../../../../../subgraphs/object-storage/engine/namespace/collector.ts';
import { Names } from '../../../../../subgraphs/object-storage/engine/namespace/names.ts';
import type { Caller, ObjectHeaders } from '../../../../../subgraphs/object-storage/engine/namespace/namespace.ts';
import { Objects } from '../../../../../subgraphs/object-storage/engine/namespace/objects.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { MemoryClusters } from '../../../../support/object-storage/memory-clusters.ts';

const log = pino({ level: 'silent' });
const caller: Caller = { accountId: 'a'.repeat(32), canWrite: true, name: 'ann' };
const headers: ObjectHeaders = { contentType: 'text/plain', metadata: {} };
/** Larger than the data that is stored in a row. */
const large = 'x'.repeat(5_000);
const uploadMs = 8_000;

let temporary: TemporaryFolder;
let folder: BlobFolder;
let clusters: MemoryClusters;
let objects: Objects;
let collector: Collector;
/** The servers' clock is stopped, except when a test moves it. */
const startMs = Date.now();
let aheadMs = 0;

beforeEach(async () => {
  temporary = await temporaryFolder();
  folder = await BlobFolder.open({ folder: join(temporary.path, 'blobs'), keepFreeBytes: 0, log });
  clusters = new MemoryClusters();
  aheadMs = 0;
  objects = serverOf(0).objects;
  collector = serverOf(1).collector;
  await objects.createContainer(caller, 'hot');
});

/** The server of a cluster. */
function serverOf(self: number): { readonly objects: Objects; readonly collector: Collector } {
  const nowMs = () => startMs + aheadMs;
  const clock = new VersionClock({ cluster: self, nowMs, chance: () => '0123456789ab' });
  const topology = clusters.topology(self, () => false);
  const names = new Names({ topology, clock });
  // One disk for all three, so each blob exists once.
  const blobs = new ClusterBlobs({
    topology,
    store: () => folder,
    reader: new RepairingReader({ log }),
    clock,
    uploadMs,
  });
  const replica = clusters.replicas[self];
  if (replica === undefined) throw new Error(`there is no cluster ${self}`);
  return {
    objects: new Objects({ names, topology, blobs, clock }),
    collector: new Collector({
      ...{ names, topology, replica, blobs: folder, rings: () => [1, 2], log, nowMs, readingMs: 1_000 },
    }),
  };
}

afterEach(async () => {
  await folder.close();
  await temporary.remove();
});

async function* bytes(text: string): AsyncGenerator<Buffer, void> {
  yield Buffer.from(text);
}

const put = (name: string, text = large, option?: string) =>
  objects.put(caller, 'hot', name, { body: bytes(text), option }, headers);
/** Blobs on the disk. */
const blobsIn = async (ring: number) =>
  (await Promise.all((await folder.partitions(ring)).map((partition) => folder.ids(ring, partition)))).flat();
const collect = () => collector.collect(new AbortController().signal);

async function textOf(name: string): Promise<string> {
  const { body } = await objects.get(caller, 'hot', name);
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

test('a blob that an object refers to stays, however old it is', async () => {
  await put('cat');
  aheadMs = 30 * 86_400_000;
  expect(await collect()).toBe(0);
  expect(await textOf('cat')).toBe(large);
});

test('overwritten or deleted blobs are removed once they have no readers', async () => {
  await put('cat', `${large}1`);
  await put('dog');
  aheadMs = uploadMs + 10;
  await put('cat', `${large}2`);
  await objects.delete(caller, 'hot', 'dog');
  expect(await collect()).toBe(0);
  aheadMs += 2_000;
  expect(await collect()).toBe(2);
  expect(await textOf('cat')).toBe(`${large}2`);
});

test('a blob that is younger than its bound stays, because a write may still refer to it', async () => {
  await put('cat', `${large}1`);
  await put('cat', `${large}2`);
  aheadMs = uploadMs + 10;
  // A version that refers to the blob could overtake the present one. So the present one is written again, which
  // settles it in the next round.
  expect(await collect()).toBe(0);
  aheadMs += 2_000;
  expect(await collect()).toBe(1);
  expect(await textOf('cat')).toBe(`${large}2`);
});

test('objects that were written while a clock was a year ahead can be overwritten, and their blobs are removed within days', async () => {
  aheadMs = 400 * 86_400_000;
  await put('cat', `${large}1`);
  aheadMs = 0;
  await put('cat', `${large}2`);
  await put('cat', `${large}3`);
  expect(await textOf('cat')).toBe(`${large}3`);
  expect(await collect()).toBe(0);
  aheadMs = 8 * 86_400_000;
  expect(await collect()).toBe(0);
  aheadMs += 2_000;
  // Each blob is copied once the current version of its name is known.
  expect(await collect()).toBe(4);
  expect(await textOf('cat')).toBe(`${large}3`);
  await put('cat', `${large}4`);
  expect(await textOf('cat')).toBe(`${large}4`);
});

test('a multipart upload of a name that a clock left a year ahead is completed', async () => {
  aheadMs = 400 * 86_400_000;
  await put('cat');
  aheadMs = 0;
  const id = await objects.beginUpload(caller, 'hot', 'cat', headers);
  const part = await objects.putPart(caller, 'hot', 'cat', id, 1, { body: bytes('parts') });
  await objects.completeUpload(caller, 'hot', 'cat', id, [part]);
  expect(await textOf('cat')).toBe('parts');
  const late = await objects.beginUpload(caller, 'hot', 'dog', headers);
  const other = await objects.putPart(caller, 'hot', 'dog', late, 1, { body: bytes('parts') });
  aheadMs = 400 * 86_400_000;
  await put('dog');
  aheadMs = 0;
  await expect(objects.completeUpload(caller, 'hot', 'dog', late, [other])).rejects.toMatchObject({
    code: 'NO_UPLOAD',
    message: expect.stringContaining('while a clock was ahead: begin the upload again'),
  });
});

test("a deleted object's blob is also removed when its deletion is forgotten before the next round", async () => {
  await put('dog');
  await objects.delete(caller, 'hot', 'dog');
  let collected = 0;
  for (let round = 0; round < 3; round += 1) {
    aheadMs += uploadMs + 10;
    collected += await collect();
    // All members have confirmed it.
    for (const { rows } of clusters.replicas)
      for (const [name, row] of rows) if (row.value === undefined) rows.delete(name);
  }
  expect(collected).toBe(1);
});

test('a write that no majority accepted does not come back to a removed blob', async () => {
  await put('cat', `${large}1`);
  clusters.unplugged.add(1).add(2);
  await expect(put('cat', `${large}2`)).rejects.toMatchObject({ code: 'FATE_UNKNOWN' });
  clusters.unplugged.clear();
  // Only cluster 0 has it, and is away. The others see no reference to its blob.
  clusters.unplugged.add(0);
  for (let round = 0; round < 3; round += 1) {
    aheadMs += 10_000;
    await collect();
  }
  clusters.unplugged.clear();
  clusters.unplugged.add(2);
  expect(await textOf('cat')).toBe(`${large}1`);
});

test('parts of an upload stay until it is too late to complete it', async () => {
  const part = 'y'.repeat(5 * 1024 * 1024);
  const id = await objects.beginUpload(caller, 'hot', 'film', headers);
  const first = await objects.putPart(caller, 'hot', 'film', id, 1, { body: bytes(part) });
  await objects.putPart(caller, 'hot', 'other', await objects.beginUpload(caller, 'hot', 'other', headers), 1, {
    body: bytes(part),
  });
  aheadMs = 6 * 86_400_000;
  expect(await collect()).toBe(0);
  await objects.completeUpload(caller, 'hot', 'film', id, [first]);
  for (let round = 0; round < 3; round += 1) {
    aheadMs += 2 * 86_400_000;
    await collect();
  }
  expect((await textOf('film')).length).toBe(part.length);
  const left = await objects.listUploads(caller, 'hot', { prefix: '', afterName: '', afterId: '', limit: 10 });
  const [{ uploadId } = { uploadId: '' }] = left.uploads;
  await expect(objects.completeUpload(caller, 'hot', 'other', uploadId, [first])).rejects.toMatchObject({
    code: 'NO_UPLOAD',
  });
});

test('all blobs of a deleted container are removed', async () => {
  await put('cat');
  await objects.delete(caller, 'hot', 'cat');
  await objects.deleteContainer(caller, 'hot');
  aheadMs = uploadMs;
  expect(await collect()).toBe(1);
});

test('without a majority nothing is deleted', async () => {
  await put('cat');
  aheadMs = uploadMs + 10;
  await objects.delete(caller, 'hot', 'cat');
  aheadMs += 10_000;
  clusters.unplugged.add(0).add(2);
  expect(await collect()).toBe(0);
  clusters.unplugged.clear();
  expect(await collect()).toBe(1);
});

test('bytes with another option than the container are in its ring: they stay with their name, and are removed after it', async () => {
  const { option, hasBlobs } = await put('cat', large, 'other');
  expect([option, hasBlobs]).toEqual([2, true]);
  // Even if small, because the bytes should not be stored with their name.
  await put('mouse', 'pip', 'other');
  expect([(await blobsIn(1)).length, (await blobsIn(2)).length]).toEqual([0, 2]);
  aheadMs = 30 * 86_400_000;
  expect(await collect()).toBe(0);
  expect([await textOf('cat'), await textOf('mouse')]).toEqual([large, 'pip']);
  await objects.delete(caller, 'hot', 'cat');
  aheadMs += 2_000;
  expect(await collect()).toBe(1);
  expect(await textOf('mouse')).toBe('pip');
});

test('a multipart upload keeps its parts by its option, until it is too late to complete it', async () => {
  const part = 'y'.repeat(5 * 1024 * 1024);
  const id = await objects.beginUpload(caller, 'hot', 'film', headers, { option: 'other' });
  const first = await objects.putPart(caller, 'hot', 'film', id, 1, { body: bytes(part) });
  expect([(await blobsIn(1)).length, (await blobsIn(2)).length]).toEqual([0, 1]);
  aheadMs = 6 * 86_400_000;
  expect(await collect()).toBe(0);
  expect((await objects.completeUpload(caller, 'hot', 'film', id, [first])).option).toBe(2);
  aheadMs = 30 * 86_400_000;
  expect(await collect()).toBe(0);
  expect((await textOf('film')).length).toBe(part.length);
});

test('an object that is written again without an option uses the option of its container; a copy onto itself moves it', async () => {
  const copied = (option?: string) =>
    objects.copy(caller, { container: 'hot', name: 'cat' }, { container: 'hot', name: 'cat', option }, headers);
  await put('cat', large, 'other');
  expect((await put('cat')).option).toBeUndefined();
  const moved = await copied('other');
  expect([moved.option, (await blobsIn(1)).length, (await blobsIn(2)).length]).toEqual([2, 1, 2]);
  // Only the headers differ, so its bytes are not touched.
  expect([(await copied()).option, (await blobsIn(2)).length]).toEqual([2, 2]);
  expect([(await copied('standard')).option, (await blobsIn(1)).length]).toEqual([undefined, 2]);
  await expect(copied('none')).rejects.toMatchObject({ code: 'NO_OPTION' });
  expect(await textOf('cat')).toBe(large);
});

test('a copy onto itself does not replace a write made while its bytes were copied', async () => {
  await put('cat');
  const source = { container: 'hot', name: 'cat' };
  const to = { ...source, option: 'other' };
  const wrong = { ifMatch: ['0'.repeat(32)] };
  await expect(objects.copy(caller, source, to, 'KEEP', wrong)).rejects.toMatchObject({ code: 'PRECONDITION_FAILED' });
  const copies = [objects.copy(caller, source, to, 'KEEP'), put('cat', `${large}2`)];
  await Promise.allSettled(copies);
  expect(await textOf('cat')).toBe(`${large}2`);
});
