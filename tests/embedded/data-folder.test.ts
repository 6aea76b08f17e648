// needs: processes
import { spawn } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { MAX_SOCKET_PATH_BYTES, openDataFolder } from '../../embedded/data-folder.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
beforeAll(async () => {
  place = await temporaryFolder();
});
afterAll(() => place.remove());

const permissions = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('a new folder is not accessible to others, and its secrets are kept', async () => {
  const path = join(place.path, 'deep', 'new');
  const first = await openDataFolder(path, { version: 3 });
  expect(first.previousVersion).toBeUndefined();
  expect(await permissions(path)).toMatch(/^7[01]0$/);
  const secret = await first.secret('probe');
  expect(await permissions(join(path, 'secrets', 'probe'))).toBe('600');
  await first.close();

  const second = await openDataFolder(path, { version: 4 });
  expect(second.previousVersion).toBe(3);
  expect(await second.secret('probe')).toBe(secret);
  expect(await readFile(join(path, 'version'), 'utf8')).toBe('4\n');
  await second.close();
});

test('a second instance is refused with the pid of the first, until the first has ended', async () => {
  const path = join(place.path, 'shared');
  const first = await openDataFolder(path, { version: 1 });
  await expect(openDataFolder(path, { version: 1 })).rejects.toMatchObject({
    code: 'DATA_FOLDER_IN_USE',
    message: expect.stringContaining(`in use by process ${process.pid}`),
  });
  await first.close();
  await (await openDataFolder(path, { version: 1 })).close();
});

test('a child process does not keep the lock after its parent has ended', async () => {
  const path = join(place.path, 'children');
  const folder = await openDataFolder(path, { version: 1 });
  const child = spawn('sleep', ['30'], { stdio: 'ignore' });
  await folder.close();
  const again = await openDataFolder(path, { version: 1 });
  expect(child.exitCode).toBeNull();
  await again.close();
  child.kill();
});

test('a folder of a newer version is left unchanged', async () => {
  const path = join(place.path, 'newer');
  await (await openDataFolder(path, { version: 9 })).close();
  await expect(openDataFolder(path, { version: 8 })).rejects.toMatchObject({
    code: 'DATA_FOLDER_NEWER',
    message: expect.stringMatching(/has version 9.*up to 8/),
  });
  expect(await readFile(join(path, 'version'), 'utf8')).toBe('9\n');
});

test('a folder with other files is not used', async () => {
  const path = join(place.path, 'foreign');
  await mkdir(path);
  await writeFile(join(path, 'thesis.tex'), 'precious');
  await expect(openDataFolder(path, { version: 1 })).rejects.toMatchObject({ code: 'DATA_FOLDER_FOREIGN' });
  expect(await readdir(path)).toEqual(['thesis.tex']);
});

test.each([
  ['a file', (base: string) => join(base, 'file')],
  ['below a file', (base: string) => join(base, 'file', 'folder')],
  ['in an unwritable place', () => '/proc/tidegate'],
])('a path that is %s is refused', async (_name, pathIn) => {
  await writeFile(join(place.path, 'file'), '');
  await expect(openDataFolder(pathIn(place.path), { version: 1 })).rejects.toMatchObject({
    code: 'DATA_FOLDER_UNWRITABLE',
    message: expect.stringContaining('--data DIR'),
  });
});

test('a path too long for sockets always gets the same short socket folder', async () => {
  const path = join(place.path, 'x'.repeat(MAX_SOCKET_PATH_BYTES));
  const first = await openDataFolder(path, { version: 1 });
  const { socketFolder } = first;
  expect(socketFolder.startsWith(path)).toBe(false);
  expect(Buffer.byteLength(first.socketPath('a-name-of-24-bytes-long.'))).toBeLessThanOrEqual(MAX_SOCKET_PATH_BYTES);
  expect(await permissions(socketFolder)).toBe('700');
  await first.close();
  const second = await openDataFolder(path, { version: 1 });
  expect(second.socketFolder).toBe(socketFolder);
  await second.close();
  await expect(stat(socketFolder)).rejects.toMatchObject({ code: 'ENOENT' });
});

test('the longest suitable data folder contains its own sockets', async () => {
  const room = MAX_SOCKET_PATH_BYTES - 24 - '/run/'.length - place.path.length - 1;
  const fits = await openDataFolder(join(place.path, 'f'.repeat(room)), { version: 1 });
  expect(fits.socketFolder.startsWith(fits.path)).toBe(true);
  expect(Buffer.byteLength(fits.socketPath('s'.repeat(24)))).toBe(MAX_SOCKET_PATH_BYTES);
  await fits.close();
});
