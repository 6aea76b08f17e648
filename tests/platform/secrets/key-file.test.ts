// Key files are replaced as a whole, whatever an earlier write has left, and the id of a key is never reused.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from '@jest/globals';
import { rotateKeys } from '../../../platform/keys/rotate-keys.ts';
import { newKeyId, writeWhole } from '../../../platform/secrets/key-file.ts';
import { keyFilePath } from '../../../platform/secrets/key-folder.ts';
import { readPublicFile, readSigningFile } from '../../../platform/secrets/key-pairs.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { forTest } from '../../support/jest/shared.ts';
import { temporaryFolder } from '../../support/machine/temporary-folder.ts';

const folder = forTest(() => temporaryFolder());
let path: string;

beforeEach(async () => {
  path = join(folder.path, 'file');
});

test('a failed write leaves nothing, and the next one succeeds', async () => {
  // A folder can't be replaced by a file.
  await mkdir(path);
  await expect(writeWhole(path, 'one')).rejects.toThrow();
  expect(await readdir(folder.path)).toEqual(['file']);
  await rm(path, { recursive: true });
  await writeWhole(path, 'two');
  expect(await readFile(path, 'utf8')).toBe('two');
  expect(await readdir(folder.path)).toEqual(['file']);
});

test('leftovers of a killed process with the same pid do not get in the way', async () => {
  for (let number = 0; number < 50; number += 1) await writeFile(`${path}.${process.pid}-${number}.new`, 'half');
  await writeFile(`${path}.${process.pid}.new`, 'half');
  for (const text of ['one', 'two', 'three']) {
    await writeWhole(path, text);
    expect(await readFile(path, 'utf8')).toBe(text);
  }
});

test('two concurrent writes of one file both succeed, and one of the two contents remains', async () => {
  await Promise.all([writeWhole(path, 'a'.repeat(100_000)), writeWhole(path, 'b'.repeat(100_000))]);
  expect(await readFile(path, 'utf8')).toMatch(/^(a{100000}|b{100000})$/);
  expect(await readdir(folder.path)).toEqual(['file']);
});

test('a new key has an id after all others', () => {
  expect(newKeyId(['k1'])).toBe('k2');
  expect(newKeyId(['k3'])).toBe('k4');
  expect(newKeyId(['k2', 'k10'])).toBe('k11');
  expect(newKeyId(['first'])).toBe('k2');
  expect(newKeyId([])).toBe('k1');
});

test('an interrupted announcement is repeated with another id, because its public key may be on other hosts', async () => {
  await makeKeys(folder.path);
  const signing = keyFilePath(folder.path, 'gateway');
  const before = await readFile(signing, 'utf8');
  const database = () => {
    throw new Error('an announcement asks no process');
  };
  expect(await rotateKeys({ path: signing, database })).toEqual({ step: 'announced', id: 'k2' });
  const copied = (await readPublicFile(keyFilePath(folder.path, 'public'))).gateway.k2;
  // The public file was written, and the private file was not.
  await writeWhole(signing, before);
  expect(await rotateKeys({ path: signing, database })).toEqual({ step: 'announced', id: 'k3' });
  expect((await readPublicFile(keyFilePath(folder.path, 'public'))).gateway.k2).toBe(copied);
  expect(await readSigningFile(signing)).toMatchObject({ active: 'k1', next: 'k3' });
});
