// The key file is created once, is private, and is rotated without losing texts that older keys have sealed.
import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Keyring, newMasterKey, openKeyring, openOrMakeKeyring } from '../../../platform/secrets/keyring.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let path: string;

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'keys.json');
});

afterEach(async () => {
  await folder.remove();
});

test('is created once with mode 0600, and is then only read', async () => {
  const made = await openOrMakeKeyring(path);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const text = await readFile(path, 'utf8');
  const again = await openOrMakeKeyring(path);
  expect(await readFile(path, 'utf8')).toBe(text);
  expect(again.active('sealing').key.equals(made.active('sealing').key)).toBe(true);
});

test('derives a separate key for each purpose, and does not expose a master key', async () => {
  const keyring = await openOrMakeKeyring(path);
  const purposes = ['sealing', 'identity', 'commit-token'].map((purpose) =>
    keyring.active(purpose).key.toString('hex'),
  );
  expect(new Set(purposes).size).toBe(3);
  const masters = Object.values((JSON.parse(await readFile(path, 'utf8')) as { keys: Record<string, string> }).keys);
  for (const master of masters) expect(purposes).not.toContain(Buffer.from(master, 'base64').toString('hex'));
});

test('rotation creates a new active key, and the old one still opens texts', () => {
  const keys = { k1: newMasterKey(), k2: newMasterKey() };
  const keyring = new Keyring({ active: 'k1', keys: { k1: keys.k1 } });
  const before = keyring.active('sealing');
  keyring.replace({ active: 'k1', next: 'k2', keys });
  expect(keyring.active('sealing').id).toBe('k1');
  keyring.replace({ active: 'k2', keys });
  expect(keyring.active('sealing').id).toBe('k2');
  expect(keyring.byId('sealing', before.id)?.key.equals(before.key)).toBe(true);
  expect(keyring.ids()).toEqual(['k2', 'k1']);
});

test('a file that others can read, is not a key file, or lacks its active key is refused without quoting it', async () => {
  await openOrMakeKeyring(path);
  await chmod(path, 0o640);
  await expect(openKeyring(path)).rejects.toThrow(/is readable by others: run chmod 600/);
  await writeFile(path, '{"active":"k1","keys":{"k1":"c2VjcmV0LW1hc3Rlci1rZXk="}}');
  await chmod(path, 0o600);
  const error = await openKeyring(path).catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/is not valid/);
  expect(String(error)).not.toContain('c2VjcmV0');
  expect(() => new Keyring({ active: 'k2', keys: {} })).toThrow(/active key k2/);
});
