// Processes that are killed while they write blobs into a shared folder.
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { temporaryFolder, until } from '../../../../support/machine/temporary-folder.ts';
import { allOf } from '../../support/bytes.ts';
import { bytesOf } from './bytes-of-id.ts';
import { startWriter } from './writer.ts';

const temporary = forFile(() => temporaryFolder());
let path: string;

beforeAll(async () => {
  path = join(temporary.path, 'blobs');
});

function opened(): Promise<BlobFolder> {
  return BlobFolder.open({ folder: path, keepFreeBytes: 0, log: pino({ level: 'silent' }) });
}

/** Paths of all unfinished writes. */
async function unfinished(): Promise<readonly string[]> {
  const entries = await readdir(join(path, 'writing'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

test('kill -9 in the middle of writes leaves no half blob, and every acknowledged blob is there', async () => {
  const atFirst = await opened();
  // Two processes share the folder. One continues while the other is killed and restarted.
  const other = await startWriter(path);
  const writers = [other];
  for (let round = 0; round < 4; round += 1) {
    const writer = await startWriter(path);
    writers.push(writer);
    const target = other.acknowledged.length + 20 + Math.floor(Math.random() * 20);
    await until(() => other.acknowledged.length >= target);
    writer.child.kill('SIGKILL');
    await writer.over;
  }
  other.child.kill('SIGKILL');
  await other.over;
  expect((await unfinished()).length).toBeGreaterThan(0);
  const after = await opened();
  expect(await unfinished()).toEqual([]);
  expect(await readdir(join(path, 'writing'))).toHaveLength(2);
  const there = new Set(await readdir(join(path, 'blobs', '0003', 'abc')));
  for (const id of there) expect((await allOf((await after.read(id)).body)).equals(bytesOf(id))).toBe(true);
  for (const { acknowledged } of writers) for (const id of acknowledged) expect(there.has(id)).toBe(true);
  await after.close();
  await atFirst.close();
});
