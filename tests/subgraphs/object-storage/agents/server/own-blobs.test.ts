// A cluster's own blobs while its database is away. Existing blobs stay.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { OwnBlobs } from '../../../../../subgraphs/object-storage/agents/server/own-blobs.ts';
import { BlobFolder } from '../../../../../subgraphs/object-storage/engine/blobs/blob-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../../../../support/machine/temporary-folder.ts';
import { allOf, inChunks, newId, place } from '../../support/bytes.ts';

let temporary: TemporaryFolder;
let folder: BlobFolder;

beforeAll(async () => {
  temporary = await temporaryFolder();
  folder = await BlobFolder.open({ folder: temporary.path, keepFreeBytes: 0, log: pino({ level: 'silent' }) });
});
afterAll(async () => {
  await folder.close();
  await temporary.remove();
});

test('a blob that is written again while the database does not answer stays', async () => {
  const [id, bytes] = [newId(), randomBytes(10_000)];
  let isAway = false;
  const blobs = new OwnBlobs(folder, {
    stateOf: async () => {
      if (isAway) throw new Error('the database does not answer');
      return { epoch: 1, isEnding: false };
    },
  });
  await blobs.write(id, place, inChunks(bytes));
  isAway = true;
  await expect(blobs.write(id, place, inChunks(bytes))).rejects.toThrow('does not answer');
  expect(await allOf((await blobs.read(id)).body)).toEqual(bytes);
});
