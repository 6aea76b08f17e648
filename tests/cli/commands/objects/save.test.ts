// Where `tidegate objects download` puts a file, and what it refuses to replace.
import { execFile } from 'node:child_process';
import { lstat, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { replaceable, saveAs } from '../../../../cli/commands/objects/save.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const save = async (file: string, text: string) =>
  saveAs(await replaceable(file), (part) => pipeline(Readable.from([text]), part));

test('a file is made or replaced when it is whole, and keeps its bytes otherwise', async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.adopt(await temporaryFolder(), (made) => made.remove());
  const file = join(folder.path, 'cat.jpg');
  await save(file, 'one');
  await save(file, 'two');
  expect(await readFile(file, 'utf8')).toBe('two');
  const broken = saveAs(await replaceable(file), async () => {
    throw new Error('cut off');
  });
  await expect(broken).rejects.toThrow('cut off');
  expect(await readFile(file, 'utf8')).toBe('two');
  expect(await readdir(folder.path)).toEqual(['cat.jpg']);
});

test('a link stays, and the file to which it leads is replaced', async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.adopt(await temporaryFolder(), (made) => made.remove());
  const [file, link] = [join(folder.path, 'cat.jpg'), join(folder.path, 'link')];
  await writeFile(file, 'one');
  await symlink(file, link);
  await save(link, 'two');
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect(await readFile(file, 'utf8')).toBe('two');
});

// A file in the place of /dev/null would break the host.
test('a device, a pipe and a folder are not replaced', async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.adopt(await temporaryFolder(), (made) => made.remove());
  const [pipe, inner] = [join(folder.path, 'pipe'), join(folder.path, 'folder')];
  await promisify(execFile)('mkfifo', [pipe]);
  await mkdir(inner);
  await expect(replaceable('/dev/null')).rejects.toThrow('/dev/null is not a file: use -');
  await expect(replaceable(pipe)).rejects.toThrow('is not a file');
  await expect(replaceable(inner)).rejects.toThrow('is a folder: name a file in it');
  await expect(replaceable(join('/dev/null', 'cat.jpg'))).rejects.toThrow("can't be written: ENOTDIR");
  expect((await lstat(pipe)).isFIFO()).toBe(true);
});
