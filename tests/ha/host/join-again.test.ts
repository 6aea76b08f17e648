// `tidegate join` after an interruption that came after its token was used: the same command continues the join.
import { randomUUID } from 'node:crypto';
import { readFile, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { joinAsHost } from '../../../cli/commands/ha/join.ts';
import { invite } from '../../../ha/host/begin.ts';
import { certificateDays, FirstHost } from '../../../ha/host/first-host.ts';
import { hasHostFile, readHostFile, writeHostFile } from '../../../ha/host/host-file.ts';
import { writeKeyFiles } from '../../../ha/host/key-files.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import { certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { type OwnNetwork, ownNetwork } from '../../support/machine/own-network.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

const files = { 'sealing.keys': '{"active":"k1","keys":{}}\n' };
let place: TemporaryFolder;
let network: OwnNetwork;
let first: FirstHost;
let a: string;
let b: string;

beforeEach(async () => {
  place = await temporaryFolder();
  network = await ownNetwork();
  [a, b] = [join(place.path, 'a'), join(place.path, 'b')];
  await writeKeyFiles(join(a, 'keys'), files);
  const address = `127.${network.part}.0.1`;
  const authority = await makeCertificate({ commonName: 'test hosts', use: 'authority' });
  const { publicKey, privateKey } = await newMachineKeys();
  const named = { commonName: 'a', uri: 'urn:tidegate-host:a', addresses: [address], days: certificateDays };
  await writeHostFile(a, {
    ...{ cluster: randomUUID(), leaseMs: 3_000, strict: false, routerId: 51, me: 'a', authority: authority.cert },
    ...{ certificate: await certify({ publicKey, issuer: authority, ...named }), key: privateKey },
    accounts: { applicationPassword: 'one', replicationPassword: 'two' },
    members: [{ name: 'a', address, kind: 'data', serverId: 1 }],
    first: { authorityKey: authority.key, tokens: [], hasDatabase: false },
  });
  first = await FirstHost.open({ dataPath: a, address, keyFolder: join(a, 'keys') });
});

afterEach(async () => {
  await first.close();
  network.release();
  await place.remove();
});

test('the host then gets all of its files, and is one host of the cluster', async () => {
  const { token, url } = await invite(a);
  const units = join(place.path, 'units');
  const joining = () =>
    joinAsHost(token, {
      options: {
        ...{ name: 'b', address: '127.0.0.1', site: undefined, witness: false, asynchronous: false },
        ...{ data: b, keys: undefined, units, 'no-install': true, url, json: true },
      },
      ...{ stdout: new PassThrough(), signal: new AbortController().signal, env: {}, output: {} },
    } as unknown as Parameters<typeof joinAsHost>[1]);
  // Nothing can be written to this path.
  await symlink(join(place.path, 'none'), units);
  await expect(joining()).rejects.toThrow(/^ENOENT: .*mkdir/);
  const tokens = async () => (await readHostFile(a)).first?.tokens;
  const used = await tokens();
  expect(used).toMatchObject([{ usedFor: expect.any(String) }]);
  expect(await hasHostFile(b)).toBe(false);
  await rm(units);
  await joining();
  expect(await tokens()).toEqual(used);
  const { me, key, members } = await readHostFile(b);
  expect([me, members.map(({ name }) => name)]).toEqual(['b', ['a', 'b']]);
  expect(key).toContain('PRIVATE KEY');
  expect(await readFile(join(b, 'keys', 'sealing.keys'), 'utf8')).toBe(files['sealing.keys']);
  expect((await stat(units)).isDirectory()).toBe(true);
  await expect(stat(join(b, 'ha', 'joining.json'))).rejects.toThrow('ENOENT');
  await expect(joining()).rejects.toThrow('ALREADY');
});
