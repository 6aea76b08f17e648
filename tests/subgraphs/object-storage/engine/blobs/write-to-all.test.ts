// Writes one body to several stores. The write is done once a majority of each group has it, in bounded memory,
// whatever a single store does.
// needs: load
import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { NoQuorumError } from '../../../../../platform/registers/errors.ts';
import { DiskFullError } from '../../../../../subgraphs/object-storage/engine/blobs/blob-errors.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import type { BlobStore } from '../../../../../subgraphs/object-storage/engine/blobs/blob-store.ts';
import { writeToAll } from '../../../../../subgraphs/object-storage/engine/blobs/write-to-all.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { stretch } from '../../../../support/machine/patience.ts';
import { temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { allOf, inChunks, manyBytes, newId, place } from '../../support/bytes.ts';

const log = pino({ level: 'silent' });
const mebibyte = 1024 * 1024;
const temporary = forFile(() => temporaryFolder());
let folders: BlobFolder[];
let number = 0;

beforeEach(async () => {
  number += 1;
  folders = await Promise.all(
    [0, 1, 2, 3].map((cluster) =>
      BlobFolder.open({ folder: join(temporary.path, `${number}-${cluster}`), keepFreeBytes: 0, log }),
    ),
  );
});
afterEach(async () => {
  for (const folder of folders) await folder.close();
});

/** One folder per cluster. `changed`: faults of some stores. */
function storesWith(changed: Readonly<Record<number, Partial<BlobStore>>> = {}): Map<number, BlobStore> {
  return new Map(
    folders.map((folder, cluster) => [
      cluster,
      {
        write: (...args: Parameters<BlobStore['write']>) => folder.write(...args),
        read: (...args: Parameters<BlobStore['read']>) => folder.read(...args),
        delete: (id: string) => folder.delete(id),
        list: (...args: Parameters<BlobStore['list']>) => folder.list(...args),
        ...changed[cluster],
      },
    ]),
  );
}

/** Accepts this many bytes and then nothing more, like a stopped peer. */
function stopped(afterBytes: number): Partial<BlobStore> {
  return {
    async write(_id, _place, body, signal) {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.length;
        if (bytes >= afterBytes) break;
        signal?.throwIfAborted();
      }
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  };
}

/** Like `stopped`, but its bytes stay in its queue. */
function silent(afterBytes: number): Partial<BlobStore> {
  return {
    async write(_id, _place, body, signal) {
      const iterator = body[Symbol.asyncIterator]();
      for (let bytes = 0; bytes < afterBytes; ) bytes += ((await iterator.next()).value as Buffer).length;
      return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)));
    },
  };
}

function failing(afterBytes: number, error: Error): Partial<BlobStore> {
  return {
    async write(_id, _place, body) {
      let bytes = 0;
      for await (const chunk of body) {
        bytes += chunk.length;
        if (bytes >= afterBytes) break;
      }
      throw error;
    },
  };
}

async function holders(id: string): Promise<number[]> {
  const all = await Promise.all(
    folders.map((folder) =>
      folder.read(id).then(
        ({ body }) => allOf(body).then(() => true),
        () => false,
      ),
    ),
  );
  return all.flatMap((isThere, cluster) => (isThere ? [cluster] : []));
}

test('a body reaches all stores in the end, and the answer comes when a majority has it', async () => {
  const bytes = randomBytes(3 * mebibyte + 5);
  const id = newId();
  let go: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    go = resolve;
  });
  const stores = storesWith({
    2: {
      async write(...args) {
        const written = await folders[2]?.write(...args);
        await held;
        return written ?? { sizeBytes: 0 };
      },
    },
  });
  const written = await writeToAll(stores, [[0, 1, 2]], id, place, inChunks(bytes));
  expect(written).toMatchObject({ sizeBytes: bytes.length, holders: new Set([0, 1]) });
  go();
  expect(await written.settled).toEqual(new Set([0, 1, 2]));
  expect(await holders(id)).toEqual([0, 1, 2]);
});

test('while a ring changes a write needs a majority of both groups', async () => {
  const lost = failing(0, new Error('killed'));
  const body = () => inChunks(Buffer.alloc(100_000));
  const groups = [
    [0, 1, 2],
    [0, 1, 3],
  ];
  const one = await writeToAll(storesWith({ 1: lost }), groups, newId(), place, body());
  expect(one.holders).toEqual(new Set([0, 2, 3]));
  const refused = newId();
  await expect(writeToAll(storesWith({ 0: lost, 3: lost }), groups, refused, place, body())).rejects.toThrow(
    NoQuorumError,
  );
  expect(await holders(refused)).toEqual([]);
  const stores = storesWith();
  stores.delete(2);
  stores.delete(3);
  const few = await writeToAll(stores, groups, newId(), place, body());
  expect(few.holders).toEqual(new Set([0, 1]));
  stores.delete(1);
  await expect(writeToAll(stores, groups, newId(), place, body())).rejects.toThrow(/too few clusters/);
});

test.each([
  ['killed', failing(100 * mebibyte, new Error('the connection was lost'))],
  ['stopped', silent(100 * mebibyte)],
])('300 MiB with one store %s in the middle are at the other two, in bounded memory', async (_, third) => {
  const id = newId();
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  const watched = async function* () {
    let count = 0;
    for await (const chunk of manyBytes(300 * mebibyte)) {
      count += 1;
      if (count % 16 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers - before);
      yield chunk;
    }
  };
  const written = await writeToAll(storesWith({ 2: third }), [[0, 1, 2]], id, place, watched(), {
    silentMs: 1_000 * stretch,
  });
  expect(written).toMatchObject({ sizeBytes: 300 * mebibyte, holders: new Set([0, 1]) });
  expect(await written.settled).toEqual(new Set([0, 1]));
  expect(most).toBeLessThan(150 * mebibyte);
});

test('if two are killed in the middle the write is refused at once, even if the source sends nothing more, and nothing is left', async () => {
  const id = newId();
  let isEnded = false;
  const source = async function* () {
    try {
      yield* manyBytes(20 * mebibyte);
      await new Promise(() => undefined);
    } finally {
      isEnded = true;
    }
  };
  const lost = failing(20 * mebibyte, new Error('the connection was lost'));
  const writing = writeToAll(storesWith({ 1: lost, 2: lost }), [[0, 1, 2]], id, place, source());
  await expect(writing).rejects.toThrow(/1: the connection was lost; 2: the connection was lost/);
  expect(isEnded).toBe(false);
  expect(await holders(id)).toEqual([]);
  expect(await readdir(join(temporary.path, `${number}-0`, 'blobs'))).toEqual([]);
});

test("if two die after the last byte, the third one's copy is deleted", async () => {
  const id = newId();
  const lost = failing(Number.POSITIVE_INFINITY, new Error('the connection was lost'));
  const slow: Partial<BlobStore> = {
    async write(...args) {
      await lost.write?.(...args).catch(() => undefined);
      await sleep(200);
      throw new Error('the connection was lost');
    },
  };
  const stores = storesWith({ 1: slow, 2: slow });
  await expect(writeToAll(stores, [[0, 1, 2]], id, place, inChunks(Buffer.alloc(5 * mebibyte)))).rejects.toThrow(
    NoQuorumError,
  );
  expect(await holders(id)).toEqual([]);
});

test('a body that fails leaves nothing anywhere, and a signal ends a waiting write', async () => {
  const [cut, aborted] = [newId(), newId()];
  const source = async function* () {
    yield* manyBytes(5 * mebibyte);
    throw new Error('the client went away');
  };
  await expect(writeToAll(storesWith(), [[0, 1, 2]], cut, place, source())).rejects.toThrow('the client went away');
  const stop = new AbortController();
  const hanging = async function* () {
    yield* manyBytes(5 * mebibyte);
    stop.abort(new Error('the process stops'));
    await new Promise(() => undefined);
  };
  await expect(
    writeToAll(storesWith(), [[0, 1, 2]], aborted, place, hanging(), { signal: stop.signal }),
  ).rejects.toThrow('the process stops');
  for (const id of [cut, aborted]) expect(await holders(id)).toEqual([]);
  for (const cluster of [0, 1, 2]) {
    const writing = await readdir(join(temporary.path, `${number}-${cluster}`, 'writing'), { recursive: true });
    expect(writing).toHaveLength(1);
  }
});

test('a slow but active store sets the pace, until it has delayed the others for too long', async () => {
  let most = 0;
  let given = 0;
  let taken = 0;
  const slow: Partial<BlobStore> = {
    async write(id, where, body, signal) {
      const slowly = async function* () {
        for await (const chunk of body) {
          await sleep(10);
          taken += chunk.length;
          yield chunk;
        }
      };
      return folders[2]?.write(id, where, slowly(), signal) ?? { sizeBytes: 0 };
    },
  };
  const source = async function* () {
    taken = 0;
    given = 0;
    for await (const chunk of manyBytes(20 * mebibyte)) {
      given += chunk.length;
      most = Math.max(most, given - taken);
      yield chunk;
    }
  };
  const id = newId();
  const all = await writeToAll(storesWith({ 2: slow }), [[0, 1, 2]], id, place, source(), { silentMs: 20_000 });
  expect(await all.settled).toEqual(new Set([0, 1, 2]));
  expect(most).toBeLessThan(6 * mebibyte);
  const other = newId();
  const two = await writeToAll(storesWith({ 2: slow }), [[0, 1, 2]], other, place, source(), { heldUpMs: 100 });
  expect(await two.settled).toEqual(new Set([0, 1]));
});

test('if every disk is full, the error reports it', async () => {
  const full = failing(mebibyte, new DiskFullError('/srv/objects'));
  const body = () => manyBytes(5 * mebibyte);
  await expect(writeToAll(storesWith({ 1: full, 2: full }), [[0, 1, 2]], newId(), place, body())).rejects.toThrow(
    DiskFullError,
  );
  const lost = failing(mebibyte, new Error('the connection was lost'));
  await expect(writeToAll(storesWith({ 1: full, 2: lost }), [[0, 1, 2]], newId(), place, body())).rejects.toThrow(
    NoQuorumError,
  );
  const one = await writeToAll(storesWith({ 2: full }), [[0, 1, 2]], newId(), place, body());
  expect(one.holders).toEqual(new Set([0, 1]));
});

test('a store that answers with another size does not have the blob', async () => {
  const liar = stopped(0);
  liar.write = async () => ({ sizeBytes: 7 });
  const body = () => inChunks(Buffer.alloc(100));
  const written = await writeToAll(storesWith({ 0: liar }), [[0, 1, 2]], newId(), place, body());
  expect(await written.settled).toEqual(new Set([1, 2]));
  await expect(writeToAll(storesWith({ 0: liar, 1: liar }), [[0, 1, 2]], newId(), place, body())).rejects.toThrow(
    /7 of 100 bytes/,
  );
});
