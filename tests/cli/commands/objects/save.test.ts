// Where `tidegate objects download` stores a file, and which files it refuses to replace.
// needs: processes
import { execFile } from 'node:child_process';
import { lstat, mkdir, realpath, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { replaceable } from '../../../../cli/commands/objects/save.ts';
import { temporaryFolder } from '../../../support/machine/temporary-folder.ts';

// A file in place of /dev/null would break the host.
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

test('a link stands for its target file', async () => {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.adopt(await temporaryFolder(), (made) => made.remove());
  const [file, link] = [join(folder.path, 'cat.jpg'), join(folder.path, 'link')];
  await writeFile(file, 'one');
  await symlink(file, link);
  expect(await replaceable(link)).toBe(await realpath(file));
  expect(await replaceable(join(folder.path, 'new.jpg'))).toBe(join(folder.path, 'new.jpg'));
});
