// A file is replaced whole or not at all, with its permissions and links.
import { chmod, lstat, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { replaceFile } from '../../cli/replace-file.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
const at = (name: string) => join(folder.path, name);
const writing = (content: string) => (partial: string, flag: string) =>
  writeFile(partial, content, { mode: 0o600, flag });
const modeOf = async (name: string) => (await stat(at(name))).mode & 0o777;

beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(() => folder.remove());

test('only the owner can read a new file, and nothing is left beside it', async () => {
  await replaceFile(at('new.yaml'), writing('whole'));
  expect([await readFile(at('new.yaml'), 'utf8'), await modeOf('new.yaml')]).toEqual(['whole', 0o600]);
  expect(await readdir(folder.path)).toEqual(['new.yaml']);
});

test('the old file stays while the new one is written, and after a failure', async () => {
  await writeFile(at('a.yaml'), 'old');
  const failed = replaceFile(at('a.yaml'), async (partial, flag) => {
    await writing('half of the n')(partial, flag);
    expect(await readFile(at('a.yaml'), 'utf8')).toBe('old');
    throw new Error('the connection broke');
  });
  await expect(failed).rejects.toThrow('the connection broke');
  expect([await readFile(at('a.yaml'), 'utf8'), await readdir(folder.path)]).toEqual(['old', ['a.yaml']]);
});

test('the permissions stay', async () => {
  await writeFile(at('a.yaml'), 'old');
  await chmod(at('a.yaml'), 0o644);
  await replaceFile(at('a.yaml'), writing('new'));
  expect([await readFile(at('a.yaml'), 'utf8'), await modeOf('a.yaml')]).toEqual(['new', 0o644]);
});

test('a link stays a link, even a link to a link, or to a file that does not exist yet', async () => {
  await mkdir(at('there'));
  await writeFile(at('there/a.yaml'), 'old');
  await symlink('there/a.yaml', at('one'));
  await symlink('one', at('two'));
  await symlink('there/b.yaml', at('three'));
  await replaceFile(at('two'), writing('new'));
  await replaceFile(at('three'), writing('first'));
  for (const name of ['one', 'two', 'three']) expect((await lstat(at(name))).isSymbolicLink()).toBe(true);
  expect(await readFile(at('there/a.yaml'), 'utf8')).toBe('new');
  expect(await readFile(at('there/b.yaml'), 'utf8')).toBe('first');
  expect(await readdir(at('there'))).toEqual(['a.yaml', 'b.yaml']);
});

test('a planted link beside it is not followed', async () => {
  await writeFile(at('victim'), 'untouched');
  await symlink('victim', at(`a.yaml.${process.pid}.partial`));
  await replaceFile(at('a.yaml'), writing('new'));
  expect([await readFile(at('victim'), 'utf8'), await readFile(at('a.yaml'), 'utf8')]).toEqual(['untouched', 'new']);
});

test('a device is written, not replaced; a folder and an endless link are errors', async () => {
  await replaceFile('/dev/null', writing('anything'));
  expect((await stat('/dev/null')).isCharacterDevice()).toBe(true);
  await expect(replaceFile('/dev/full', writing('anything'))).rejects.toThrow('ENOSPC');
  await expect(replaceFile(folder.path, writing('anything'))).rejects.toThrow('EISDIR');
  await symlink('loop', at('loop'));
  await expect(replaceFile(at('loop'), writing('anything'))).rejects.toThrow('ELOOP');
});
