// The key file: made once, private, rotated without losing what older keys have made.
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Keyring, openKeyring, openOrMakeKeyring, rotateKeyring } from '../../../platform/secrets/keyring.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/temporary-folder.ts';

let folder: TemporaryFolder;
let path: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'keys.json');
});

afterEach(async () => {
  await folder.remove();
});

test('is made once, mode 0600, and then only read', async () => {
  const made = await openOrMakeKeyring(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const text = await readFile(path, 'utf8');
  const again = await openOrMakeKeyring(path);
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(again.active('sealing').key.equals(made.active('sealing').key)).toBe(true);
});

test('derives another key for each purpose, and shows no master key', async () => {
  const keyring = await openOrMakeKeyring(path);
  const purposes = ['sealing', 'identity', 'commit-token'].map((purpose) =>
    keyring.active(purpose).key.toString('hex'),
  );
  expect(new Set(purposes).size).toBe(3);
  const masters = Object.values((JSON.parse(await readFile(path, 'utf8')) as { keys: Record<string, string> }).keys);
  for (const master of masters) expect(purposes).not.toContain(Buffer.from(master, 'base64').toString('hex'));
});

test('rotation makes a new active key; the old one still opens', async () => {
  const before = (await openOrMakeKeyring(path)).active('sealing');
  const id = await rotateKeyring(path);
  const after = await openKeyring(path);
  expect(after.active('sealing').id).toBe(id);
  expect(id).not.toBe(before.id);
  expect(after.byId('sealing', before.id)?.key.equals(before.key)).toBe(true);
  expect(after.ids()).toEqual([id, before.id]);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});

test('a file that others may read, that is not a key file, or that lacks its active key is refused, without its content', async () => {
  await openOrMakeKeyring(path);
  await chmod(path, 0o640);
  await expect(openKeyring(path)).rejects.toThrow(/may be read by others: chmod 600/);
  await writeFile(path, '{"active":"k1","keys":{"k1":"c2VjcmV0LW1hc3Rlci1rZXk="}}');
  await chmod(path, 0o600);
  const error = await openKeyring(path).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/is not one of ours/);
  expect(String(error)).not.toContain('c2VjcmV0');
  expect(() => new Keyring({ active: 'k2', keys: {} })).toThrow(/active key k2/);
});
