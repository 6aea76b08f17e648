// The first host answers hosts that are in the cluster. It does not answer a host that has left, or the API certificate of a host, although
// the authority signed both.
import { randomUUID, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { certificateDays, certifyServed, FirstHost } from '../../../ha/host/first-host.ts';
import { type HostFile, type Member, ports, readHostFile, writeHostFile } from '../../../ha/host/host-file.ts';
import { membersAt, servedAt } from '../../../ha/host/join-client.ts';
import {
  hostCommonName,
  hostUri,
  keyFingerprint,
  leftSerials,
  memberWith,
  mostSerials,
  refusedSerials,
  withSerials,
} from '../../../ha/host/member-certificate.ts';
import { readServedFile, servedFilePath, writeServedFile } from '../../../ha/host/served-file.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import { certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { originOf } from '../../../platform/net/origin.ts';
import { type OwnNetwork, ownNetwork } from '../../support/machine/own-network.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';

let place: TemporaryFolder;
let network: OwnNetwork;
let first: FirstHost;
let authority: Awaited<ReturnType<typeof makeCertificate>>;
let files: { a: HostFile; b: HostFile };

beforeEach(async () => {
  place = await temporaryFolder();
  network = await ownNetwork();
  authority = await makeCertificate({ commonName: 'test hosts', use: 'authority' });
  const made = [await host('a', 1), await host('b', 2)] as const;
  const shared = {
    ...{ cluster: randomUUID(), leaseMs: 3_000, strict: false, routerId: 51, authority: authority.cert },
    accounts: { applicationPassword: 'one', replicationPassword: 'for-replication' },
    members: made.map(({ member }) => member),
  };
  const firstUrl = originOf({ host: made[0].member.address, port: ports.join });
  const own = ({ member, certificate, key }: (typeof made)[number]) => ({
    me: member.name,
    certificate,
    key,
    firstUrl,
  });
  files = { a: { ...shared, ...own(made[0]) }, b: { ...shared, ...own(made[1]) } };
  const withAuthority = { authorityKey: authority.key, tokens: [], hasDatabase: false };
  await writeHostFile(place.path, { ...files.a, first: withAuthority });
  first = await FirstHost.open({
    dataPath: place.path,
    address: made[0].member.address,
    keyFolder: join(place.path, 'keys'),
  });
});

afterEach(async () => {
  await first.close();
  network.release();
  await place.remove();
});

async function host(name: string, serverId: number) {
  const address = `127.${network.part}.0.${serverId}`;
  const { publicKey, privateKey } = await newMachineKeys();
  const member: Member = { name, address, kind: 'data', serverId, keySha256: keyFingerprint(publicKey) };
  const certificate = await certify({
    ...{ publicKey, issuer: authority, commonName: hostCommonName(member), uri: hostUri(name) },
    ...{ addresses: [address], days: certificateDays },
  });
  return { member: withSerials(member, certificate), certificate, key: privateKey };
}

async function change(members: (all: readonly Member[]) => Member[]): Promise<void> {
  const file = await readHostFile(place.path);
  await writeHostFile(place.path, { ...file, members: members(file.members) });
}

const refused = { code: 'NO_CERTIFICATE' };

test('a host gets the list of hosts and a certificate for its API, and the API certificate opens nothing here', async () => {
  expect((await membersAt(files.b)).map(({ name }) => name)).toEqual(['a', 'b']);
  const served = await servedAt(files.b);
  const api = { ...files.b, ...served };
  await expect(membersAt(api)).rejects.toMatchObject(refused);
  await expect(servedAt(api)).rejects.toMatchObject(refused);
  const certificate = new X509Certificate(served.certificate);
  expect(memberWith(certificate, files.a.members)).toBeUndefined();
  // The API certificate is refused together with the host's own once the host has left.
  expect((await readHostFile(place.path)).members[1]?.serials).toContain(certificate.serialNumber);
});

test('a departed host gets nothing, even if another host of the same name has joined', async () => {
  const [, b] = files.a.members;
  await change((all) => all.map((each) => (each.name === 'b' ? { ...each, left: true } : each)));
  await expect(membersAt(files.b)).rejects.toMatchObject(refused);
  await expect(servedAt(files.b)).rejects.toMatchObject(refused);
  expect(leftSerials((await readHostFile(place.path)).members)).toEqual(b?.serials);
  const next = await host('b', 3);
  await change((all) => [...all.slice(0, 1), { ...next.member, refused: b?.serials }]);
  await expect(membersAt(files.b)).rejects.toMatchObject(refused);
  expect((await membersAt({ ...files.b, certificate: next.certificate, key: next.key })).length).toBe(2);
  expect(leftSerials((await readHostFile(place.path)).members)).toEqual(b?.serials);
});

test('no number of certificates can push out one that must be refused later', async () => {
  const [own] = files.b.members[1]?.serials ?? [];
  for (let count = 1; count < mostSerials; count += 1) await servedAt(files.b);
  await expect(servedAt(files.b)).rejects.toMatchObject({ code: 'TOO_MANY_CERTIFICATES' });
  const { serials } = (await readHostFile(place.path)).members[1] ?? {};
  expect(serials).toHaveLength(mostSerials);
  expect(serials).toContain(own);
  // The number of hosts that had the place does not matter either.
  let last = files.b.members[1] as Member;
  for (let count = 0; count < mostSerials; count += 1)
    last = { ...last, serials: [`${count}-1`, `${count}-2`], refused: [...refusedSerials(last)] };
  expect(refusedSerials(last)).toContain(own);
  await change((all) => [...all.slice(0, 1), { ...last, refused: [...refusedSerials(last)] }]);
  expect(leftSerials((await readHostFile(place.path)).members)).toContain(own);
});

test('once etcd has the list of hosts, a certificate is issued only if it can be recorded there', async () => {
  const later = await host('d', 4);
  const [w, c] = [await host('w', 3), await host('c', 5)];
  await change((all) => [...all, { ...w.member, kind: 'witness' }, later.member, c.member]);
  // No etcd member runs. The first hosts still get their certificates, because etcd may need them to start.
  expect((await servedAt(files.b)).certificate).toContain('CERTIFICATE');
  const d = { ...files.b, me: 'd', certificate: later.certificate, key: later.key };
  await expect(servedAt(d)).rejects.toMatchObject({ code: 'NO_MAJORITY' });
  expect((await readHostFile(place.path)).members.find(({ name }) => name === 'd')?.serials).toHaveLength(1);
});

test('a certificate of another authority gets nothing, and neither does a client without one', async () => {
  const other = await makeCertificate({ commonName: 'b-2', names: [] });
  await expect(membersAt({ ...files.b, certificate: other.cert, key: other.key })).rejects.toThrow();
});

test('the API file contains neither the key of the host nor the key of the authority', async () => {
  const { publicKey, privateKey } = await newMachineKeys();
  const certificate = await certifyServed({ name: 'a', publicKey }, authority);
  const file = { ...(await readHostFile(place.path)), served: { certificate, key: privateKey } };
  await writeServedFile(place.path, file, undefined);
  expect(readServedFile(place.path)).toMatchObject({ me: 'a', certificate, key: privateKey });
  const text = await readFile(servedFilePath(place.path), 'utf8');
  for (const secret of [file.key, authority.key, file.accounts.replicationPassword])
    expect(text).not.toContain(JSON.stringify(secret).slice(1, -1));
});
