// A data host that joins gets the key files of the first host, over the real server. They are encrypted for that host only, limited in size,
// and never overwrite other files.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { invite } from '../../../ha/host/begin.ts';
import { certificateDays, FirstHost } from '../../../ha/host/first-host.ts';
import { readHostFile, writeHostFile } from '../../../ha/host/host-file.ts';
import { joinCluster } from '../../../ha/host/join-client.ts';
import { openKeyFiles, sealKeyFiles } from '../../../ha/host/key-exchange.ts';
import { hashesOf, type KeyHashes, keyFilesShape, readKeyFiles, writeKeyFiles } from '../../../ha/host/key-files.ts';
import { keyFingerprint } from '../../../ha/host/member-certificate.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import { certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { type OwnNetwork, ownNetwork } from '../../support/machine/own-network.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const secret = 'the-secret-of-the-first-host';
const files = { 'sealing.keys': `{"active":"k1","keys":{"k1":"${secret}"}}\n`, 'authority.pem': 'PEM\n' };
const keys = await newMachineKeys();
const exchange = await newMachineKeys();
let place: TemporaryFolder;
let network: OwnNetwork;
let first: FirstHost;
let token: string;
let url: URL;
let source: string;
let target: string;

beforeEach(async () => {
  place = await temporaryFolder();
  network = await ownNetwork();
  const dataPath = join(place.path, 'a');
  source = join(dataPath, 'keys');
  target = join(place.path, 'b', 'keys');
  await writeKeyFiles(source, files);
  const address = `127.${network.part}.0.1`;
  const authority = await makeCertificate({ commonName: 'test hosts', use: 'authority' });
  const { publicKey, privateKey } = await newMachineKeys();
  const named = { commonName: 'a', uri: 'urn:tidegate-host:a', addresses: [address], days: certificateDays };
  await writeHostFile(dataPath, {
    ...{ cluster: randomUUID(), leaseMs: 3_000, strict: false, routerId: 51, me: 'a', authority: authority.cert },
    ...{ certificate: await certify({ publicKey, issuer: authority, ...named }), key: privateKey },
    accounts: { applicationPassword: 'one', replicationPassword: 'two' },
    members: [{ name: 'a', address, kind: 'data', serverId: 1 }],
    first: { authorityKey: authority.key, tokens: [], hasDatabase: false },
  });
  first = await FirstHost.open({ dataPath, address, keyFolder: source });
  const invited = await invite(dataPath);
  ({ token } = invited);
  url = new URL(invited.url);
});

afterEach(async () => {
  await first.close();
  network.release();
  await place.remove();
});

function ask({
  kind = 'data',
  pair = exchange,
  there = {},
  ...place
}: {
  kind?: 'data' | 'witness';
  pair?: typeof keys;
  there?: KeyHashes;
  site?: string;
  asynchronous?: boolean;
} = {}) {
  const address = `127.${network.part}.0.2`;
  return joinCluster(url, { token, name: 'b', address, kind, keyFiles: there, ...place }, keys, pair);
}

const usedFor = async () => (await readHostFile(join(place.path, 'a'))).first?.tokens[0]?.usedFor;

test('a data host gets the files for its own user only, and again if the answer was lost, but not with another key', async () => {
  expect((await ask()).keyFiles).toEqual(files);
  const { file, keyFiles } = await ask();
  expect(file.members.map(({ name }) => name)).toEqual(['a', 'b']);
  await writeKeyFiles(target, keyFiles);
  expect(await readKeyFiles(target)).toEqual(files);
  for (const name of await readdir(target)) expect((await stat(join(target, name))).mode & 0o777).toBe(0o600);
  await expect(ask({ pair: await newMachineKeys() })).rejects.toMatchObject({ code: 'TOKEN_USED' });
});

test('a used token is refused for another site, and for a host that is now asynchronous', async () => {
  await ask({ site: 'east' });
  for (const other of [{ site: 'west' }, {}, { site: 'east', asynchronous: true }])
    await expect(ask(other)).rejects.toMatchObject({ code: 'TOKEN_USED' });
  const { file } = await ask({ site: 'east', asynchronous: false });
  expect(file.members.find(({ name }) => name === 'b')).toMatchObject({ site: 'east' });
});

test('a used token gives nothing to a different host that now has the name', async () => {
  await ask();
  const dataPath = join(place.path, 'a');
  const file = await readHostFile(dataPath);
  const [a, b] = file.members;
  if (a === undefined || b === undefined) throw new Error('b has not joined');
  const next = { ...b, serverId: 3, serials: ['01'], keySha256: keyFingerprint((await newMachineKeys()).publicKey) };
  await writeHostFile(dataPath, { ...file, members: [a, next] });
  await expect(ask()).rejects.toMatchObject({ code: 'TOKEN_USED' });
  expect((await readHostFile(dataPath)).members).toEqual([a, next]);
});

test('invitations made during a join are not lost, and the token stays used', async () => {
  const dataPath = join(place.path, 'a');
  const [joined, ...others] = await Promise.all([ask(), invite(dataPath), invite(dataPath), invite(dataPath)]);
  expect(joined.file.members.map(({ name }) => name)).toEqual(['a', 'b']);
  expect(others).toHaveLength(3);
  const { first: kept, members } = await readHostFile(dataPath);
  expect(kept?.tokens.map(({ usedFor }) => usedFor !== undefined).sort()).toEqual([false, false, false, true]);
  expect(members).toHaveLength(2);
});

test('a witness gets no key files', async () => {
  expect((await ask({ kind: 'witness' })).keyFiles).toEqual({});
});

test('only the key that the files were encrypted for opens them, with the token, and only unchanged', async () => {
  const sealed = await sealKeyFiles(files, exchange.publicKey, token);
  expect(JSON.stringify(sealed)).not.toContain(secret);
  expect(Buffer.from(sealed.text, 'base64').toString()).not.toContain(secret);
  expect(openKeyFiles(sealed, exchange, token)).toEqual(files);
  const refused = expect.objectContaining({ code: 'BAD_KEYS' });
  expect(() => openKeyFiles(sealed, keys, token)).toThrow(refused);
  expect(() => openKeyFiles(sealed, exchange, `${token}x`)).toThrow(refused);
  expect(() => openKeyFiles({ ...sealed, publicKey: keys.publicKey }, exchange, token)).toThrow(refused);
  const text = Buffer.from(sealed.text, 'base64');
  text.writeUInt8(text.readUInt8(3) ^ 1, 3);
  expect(() => openKeyFiles({ ...sealed, text: text.toString('base64') }, exchange, token)).toThrow(refused);
});

test('a host with another key under the same name is refused without using its token; the same key makes no difference', async () => {
  await mkdir(target, { recursive: true });
  await writeFile(join(target, 'sealing.keys'), 'another', { mode: 0o600 });
  const there = hashesOf(await readKeyFiles(target));
  await expect(ask({ there })).rejects.toMatchObject({
    code: 'KEYS_DIFFER',
    message: expect.stringContaining('sealing.keys'),
  });
  expect(await usedFor()).toBeUndefined();
  await expect(writeKeyFiles(target, files)).rejects.toMatchObject({ code: 'KEYS_DIFFER' });
  expect(await readdir(target)).toEqual(['sealing.keys']);
  expect(await readFile(join(target, 'sealing.keys'), 'utf8')).toBe('another');
  await writeFile(join(target, 'sealing.keys'), files['sealing.keys']);
  const { keyFiles } = await ask({ there: hashesOf(await readKeyFiles(target)) });
  await writeKeyFiles(target, keyFiles);
  expect(await readKeyFiles(target)).toEqual(files);
});

test('a file that is too large, or too many files, are refused before the token is used', async () => {
  const refused = { code: 'KEYS_TOO_LARGE' };
  await writeFile(join(source, 'large.keys'), 'x'.repeat(40_000));
  await expect(ask()).rejects.toMatchObject(refused);
  await writeFile(join(source, 'large.keys'), '');
  for (let count = 0; count < 20; count += 1) await writeFile(join(source, `k${count}.keys`), '{}');
  await expect(ask()).rejects.toMatchObject(refused);
  expect(await usedFor()).toBeUndefined();
});

test('links and special files are not sent, and no name leads out of the folder', async () => {
  await symlink('/etc/hostname', join(source, 'hostname.keys'));
  await writeFile(join(source, 'notes.txt'), 'x');
  expect((await ask()).keyFiles).toEqual(files);
  for (const name of ['../sealing.keys', '/etc/sealing.keys', 'a/b.keys', '.keys'])
    expect(keyFilesShape.safeParse({ [name]: 'x' }).success).toBe(false);
});
