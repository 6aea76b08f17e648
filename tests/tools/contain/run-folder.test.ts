// Folders for temporary files of runs: detection of folders without a running owner.
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { processMark } from '../../../embedded/process-mark.ts';
import { makeRunFolder, removeAbandonedFolders } from '../../../tools/contain/run-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let parent: TemporaryFolder;
beforeEach(async () => {
  parent = await temporaryFolder();
});
afterEach(() => parent.remove());

test('a folder stays while its owner runs', async () => {
  const own = await makeRunFolder(parent.path);
  expect(await removeAbandonedFolders(parent.path)).toEqual([]);
  expect(await readdir(parent.path)).toEqual([own.slice(parent.path.length + 1)]);
});

test('a folder is removed with its content when another process has its owner’s pid', async () => {
  const { pid, startTicks } = processMark(process.pid) ?? {};
  const left = join(parent.path, `tg-${pid}-${Number(startTicks) - 1}-AbC123`);
  await mkdir(join(left, 'data'), { recursive: true });
  await writeFile(join(left, 'data/file'), 'x');
  expect(await removeAbandonedFolders(parent.path)).toEqual([left]);
  expect(await readdir(parent.path)).toEqual([]);
});

test('a folder is removed when no process has its owner’s pid', async () => {
  const left = join(parent.path, 'tg-4194305-1-AbC123');
  await mkdir(left);
  expect(await removeAbandonedFolders(parent.path)).toEqual([left]);
});

test('everything else in the folder stays', async () => {
  const others = [
    'tg-test-AbC123',
    'tg-1-AbC123',
    'tg-4194305-1',
    'tg-x-1-AbC123',
    'stg-4194305-1-AbC123',
    'tg-4194305-1-AbC123.gz',
  ];
  for (const name of others) await mkdir(join(parent.path, name));
  expect(await removeAbandonedFolders(parent.path)).toEqual([]);
  expect((await readdir(parent.path)).sort()).toEqual(others.sort());
});
