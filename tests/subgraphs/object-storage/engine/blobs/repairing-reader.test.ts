// A reader gets all bytes of a blob as long as each block is intact at one of its clusters, and damaged copies are
// repaired.
import { randomBytes } from 'node:crypto';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { BlobRangeError, NoBlobError } from '../../../../../subgraphs/object-storage/engine/blobs/blob-errors.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { type BlobStore, blockBytes } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import {
  type BlobSources,
  RepairingReader,
} from '../../../../../subgraphs/object-storage/engine/blobs/repairing-reader.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { allOf, inChunks, newId, place } from '../../support/bytes.ts';

const log = pino({ level: 'silent' });
const bytes = randomBytes(6 * blockBytes + 1_000);
const temporary = forFile(() => temporaryFolder());
let folders: BlobFolder[];
let sources: BlobSources;
let reader: RepairingReader;
let id: string;
let number = 0;

beforeEach(async () => {
  number += 1;
  id = newId();
  reader = new RepairingReader({ log });
  folders = await Promise.all(
    [0, 1, 2].map((cluster) => BlobFolder.open({ folder: folderOf(cluster), keepFreeBytes: 0, log })),
  );
  sources = folders.map((store, cluster) => ({ cluster, store }));
  for (const folder of folders) await folder.write(id, place, inChunks(bytes));
});
afterEach(async () => {
  await reader.stop();
  for (const folder of folders) await folder.close();
});

function folderOf(cluster: number): string {
  return join(temporary.path, `${number}-${cluster}`);
}

async function flipBit(cluster: number, at: number): Promise<void> {
  const handle = await open(join(folderOf(cluster), 'blobs', id.slice(0, 4), id.slice(4, 7), id), 'r+');
  const byte = Buffer.alloc(1);
  await handle.read(byte, 0, 1, at);
  byte.writeUInt8(byte.readUInt8(0) ^ 1);
  await handle.write(byte, 0, 1, at);
  await handle.close();
}

async function isWhole(cluster: number): Promise<boolean> {
  const read = folders[cluster]?.read(id).then(({ body }) => allOf(body));
  return (await read?.then((all) => all.equals(bytes)).catch(() => false)) === true;
}

test('when a bit flips during a read, the rest comes from another cluster, and the copy is repaired', async () => {
  const { sizeBytes, body } = await reader.read(sources, id);
  expect(sizeBytes).toBe(bytes.length);
  const got: Buffer[] = [];
  for await (const chunk of body) {
    if (got.length === 0) await flipBit(0, 4 * blockBytes + 77);
    got.push(chunk);
  }
  expect(Buffer.concat(got).equals(bytes)).toBe(true);
  await reader.settled();
  expect(await isWhole(0)).toBe(true);
  expect(await folders[0]?.list(place.ring, place.partition, '', 10)).toMatchObject([{ id, place }]);
});

test('every copy is damaged in another block: everything is read, and each copy is repaired from the intact ones', async () => {
  await flipBit(0, 10);
  await flipBit(1, 3 * blockBytes);
  expect((await allOf((await reader.read(sources, id)).body)).equals(bytes)).toBe(true);
  await reader.settled();
  expect(await isWhole(0)).toBe(true);
  expect(await isWhole(1)).toBe(true);
});

test('no copy is intact, but each block is intact in one of them: everything is read, and both copies become intact', async () => {
  await folders[2]?.delete(id);
  for (const block of [0, 4]) await flipBit(0, block * blockBytes + 9);
  for (const block of [2, 5]) await flipBit(1, block * blockBytes + 9);
  expect((await allOf((await reader.read(sources, id)).body)).equals(bytes)).toBe(true);
  await reader.settled();
  expect(await isWhole(0)).toBe(true);
  expect(await isWhole(1)).toBe(true);
  expect(await folders[0]?.list(place.ring, place.partition, '', 10)).toMatchObject([{ id, place }]);
});

test('a damaged trailer is also repaired, and ranges begin and end anywhere', async () => {
  await flipBit(0, bytes.length + 3);
  const range = { firstByte: blockBytes - 5, lastByte: 5 * blockBytes + 4 };
  await flipBit(1, 2 * blockBytes);
  const { sizeBytes, body } = await reader.read(sources, id, range);
  expect(sizeBytes).toBe(bytes.length);
  expect((await allOf(body)).equals(bytes.subarray(range.firstByte, range.lastByte + 1))).toBe(true);
  await reader.settled();
  expect(await isWhole(0)).toBe(true);
  await expect(reader.read(sources, id, { firstByte: 0, lastByte: bytes.length })).rejects.toThrow(BlobRangeError);
});

test('a source that dies in the middle of a block, or ends too early, is followed by the next', async () => {
  const dying = (last: () => void): BlobStore => ({
    ...(folders[0] as BlobStore),
    read: async (each, range) => {
      const { sizeBytes, body } = (await folders[0]?.read(each, range)) ?? { sizeBytes: 0, body: inChunks(bytes) };
      const cut = async function* () {
        for await (const chunk of body) {
          yield chunk.subarray(0, 1_000);
          return last();
        }
      };
      return { sizeBytes, body: cut() };
    },
  });
  const dead = dying(() => {
    throw new Error('the connection was lost');
  });
  const short = dying(() => undefined);
  const [, , whole] = sources;
  if (whole === undefined) throw new Error('there are three');
  const mixed = [{ cluster: 7, store: dead }, { cluster: 8, store: short }, whole];
  expect((await allOf((await reader.read(mixed, id)).body)).equals(bytes)).toBe(true);
  await expect(allOf((await reader.read(mixed.slice(0, 2), id)).body)).rejects.toThrow(/returned less of the blob/);
});

test('a cluster that lacks the blob is skipped; if no cluster has it, there is none', async () => {
  await folders[0]?.delete(id);
  expect((await allOf((await reader.read(sources, id)).body)).equals(bytes)).toBe(true);
  await reader.settled();
  expect(await isWhole(0)).toBe(false);
  await folders[1]?.delete(id);
  await flipBit(2, bytes.length + 2);
  await expect(reader.read(sources, id)).rejects.toMatchObject({ name: 'BlobDamagedError' });
  await folders[2]?.delete(id);
  await expect(reader.read(sources, id)).rejects.toThrow(NoBlobError);
});

test('a damaged copy without an intact one stays as it is', async () => {
  await Promise.all([0, 1, 2].map((cluster) => flipBit(cluster, 2 * blockBytes)));
  const { body } = await reader.read(sources, id);
  await expect(allOf(body)).rejects.toMatchObject({ name: 'BlobDamagedError', block: 2 });
  await reader.settled();
  for (const folder of folders) {
    const first = await folder.read(id, { firstByte: 0, lastByte: 99 });
    expect((await allOf(first.body)).equals(bytes.subarray(0, 100))).toBe(true);
  }
});
