// The key files by role. The holder of one file can act only as that role, and a replaced file is read again.
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { KeyFolder, keyFilePath } from '../../../platform/secrets/key-folder.ts';
import { newKeyPair, readSigningFile, signers } from '../../../platform/secrets/key-pairs.ts';
import { openKeyring, openOrMakeKeyring } from '../../../platform/secrets/keyring.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let folder: TemporaryFolder;
let path: string;
const log = pino({ level: 'silent' });

beforeEach(async () => {
  folder = await temporaryFolder();
  path = join(folder.path, 'keys');
});

afterEach(async () => {
  await folder.remove();
});

test('files are created once; private files belong to their owner only, and the public file has no private key', async () => {
  await makeKeys(path);
  const names = (await readdir(path)).sort();
  const all = ['audit', 'gateway', 'objects', 'public', 'sealing', 'subgraphs', 'system'];
  expect(names).toEqual(all.map((name) => `${name}.keys`));
  const texts = await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')));
  for (const name of names)
    expect([name, (await stat(join(path, name))).mode & 0o777]).toEqual([name, name === 'public.keys' ? 0o644 : 0o600]);
  const shown = await readFile(keyFilePath(path, 'public'), 'utf8');
  for (const signer of signers)
    for (const secret of Object.values((await readSigningFile(keyFilePath(path, signer))).keys))
      expect(shown).not.toContain(secret);
  await makeKeys(path);
  expect(await Promise.all(names.map((name) => readFile(join(path, name), 'utf8')))).toEqual(texts);
});

test('each signer is accepted only as itself', async () => {
  await makeKeys(path);
  const keys = new KeyFolder({ folder: path, log });
  const publicKeys = await keys.publicKeys();
  for (const signer of signers) {
    const { keyId, signature } = (await keys.signing(signer)).sign('text');
    for (const other of signers)
      expect([signer, other, publicKeys.verifies(other, keyId, 'text', signature)]).toEqual([
        ...[signer, other],
        other === signer,
      ]);
    expect(publicKeys.verifies(signer, keyId, 'other text', signature)).toBe(false);
  }
});

test('the single key of earlier versions becomes the shared one, and signs nothing', async () => {
  await mkdir(path);
  const former = await openOrMakeKeyring(join(path, 'trust.keys'));
  await makeKeys(path);
  const shared = await openKeyring(keyFilePath(path, 'subgraphs'));
  expect(shared.active('commit-token').key.equals(former.active('commit-token').key)).toBe(true);
  const secrets = signers.map((signer) => readFile(keyFilePath(path, signer), 'utf8'));
  const [old = ''] = Object.values(JSON.parse(await readFile(join(path, 'trust.keys'), 'utf8')).keys as object);
  for (const text of await Promise.all(secrets)) expect(text).not.toContain(old);
});

test('a replaced file is read again, and an unusable file changes nothing', async () => {
  await makeKeys(path);
  const keys = new KeyFolder({ folder: path, log });
  const signing = await keys.signing('gateway');
  const publicKeys = await keys.publicKeys();
  const [privateFile, publicFile] = [keyFilePath(path, 'gateway'), keyFilePath(path, 'public')];
  const fresh = newKeyPair();
  const edit = async (file: string, change: (content: Record<string, Record<string, string>>) => object) =>
    writeFile(file, JSON.stringify(change(JSON.parse(await readFile(file, 'utf8')))));
  await edit(publicFile, (content) => ({ ...content, gateway: { ...content.gateway, k2: fresh.publicText } }));
  await edit(privateFile, (content) => ({ active: 'k2', keys: { ...content.keys, k2: fresh.privateText } }));
  await keys.readAgain();
  expect(signing.active().id).toBe('k2');
  const { keyId, signature } = signing.sign('text');
  expect(publicKeys.verifies('gateway', keyId, 'text', signature)).toBe(true);
  await writeFile(privateFile, '{"active":"k3","keys":{}}');
  await keys.readAgain();
  await writeFile(publicFile, 'no keys');
  await keys.readAgain();
  expect(signing.active().id).toBe('k2');
  expect(publicKeys.verifies('gateway', keyId, 'text', signature)).toBe(true);
});

test('a private file readable by others, and a file of another kind, are refused without quoting them', async () => {
  await makeKeys(path);
  const file = keyFilePath(path, 'system');
  await chmod(file, 0o640);
  await expect(new KeyFolder({ folder: path, log }).signing('system')).rejects.toThrow(
    /is readable by others: run chmod 600/,
  );
  await writeFile(file, 'c2VjcmV0LW1hc3Rlci1rZXk=');
  await chmod(file, 0o600);
  const error = await new KeyFolder({ folder: path, log }).signing('system').catch((reason: unknown) => reason);
  expect(String(error)).toMatch(/is not valid/);
  expect(String(error)).not.toContain('c2VjcmV0');
});
