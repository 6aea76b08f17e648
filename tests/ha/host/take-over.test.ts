// The database that the first host of a cluster takes over: the existing one, or a new one if there was none.
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { databasePath, hasDatabase } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { takeOver } from '../../../ha/host/take-over.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const { signal } = new AbortController();
let place: TemporaryFolder;
let folder: DataFolder;

beforeEach(async () => {
  place = await temporaryFolder();
  folder = await openDataFolder(join(place.path, 'data'), { version: 1 });
});

afterEach(async () => {
  await folder.close();
  await place.remove();
});

test('a database that existed and is gone is not created again', async () => {
  const path = databasePath(folder.path);
  expect(await takeOver({ folder, log: silentLog, signal, isThere: false })).toBe(0);
  expect(await takeOver({ folder, log: silentLog, signal, isThere: true })).toBe(0);
  await rm(path, { recursive: true });
  for (const isMountPoint of [false, true]) {
    if (isMountPoint) await mkdir(path);
    const taking = takeOver({ folder, log: silentLog, signal, isThere: true });
    await expect(taking).rejects.toMatchObject({ code: 'DATABASE_GONE', message: expect.stringContaining(path) });
  }
  expect(await hasDatabase(path)).toBe(false);
});
