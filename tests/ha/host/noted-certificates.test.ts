// A certificate that the first host issues while etcd runs is recorded in the list that all hosts use. Once its host has left, all hosts
// refuse it.
// needs: system
import { randomUUID, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { type EmbeddedEtcd, startEtcd } from '../../../embedded/etcd.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { haKeys } from '../../../ha/agent/keys.ts';
import { areDue, certificatesEndOf, publicKeyIn } from '../../../ha/host/certificate-life.ts';
import { CertificateRenewal, renewCertificates } from '../../../ha/host/certificate-renewal.ts';
import { etcdOf } from '../../../ha/host/cluster-client.ts';
import { certificateDays, FirstHost } from '../../../ha/host/first-host.ts';
import {
  changeHostFile,
  type HostFile,
  type Member,
  ports,
  readHostFile,
  writeHostFile,
} from '../../../ha/host/host-file.ts';
import { joinCluster, servedAt } from '../../../ha/host/join-client.ts';
import { hashOf, newJoinToken } from '../../../ha/host/join-token.ts';
import { hostCommonName, hostUri, keyFingerprint, withSerials } from '../../../ha/host/member-certificate.ts';
import { listedIn } from '../../../ha/host/votes.ts';
import { fingerprintOf } from '../../../platform/machines/authority.ts';
import { newMachineKeys } from '../../../platform/machines/machine-keys.ts';
import { certify, makeCertificate } from '../../../platform/net/certificates.ts';
import { originOf } from '../../../platform/net/origin.ts';
import { type OwnNetwork, ownNetwork } from '../../support/machine/own-network.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const dayMs = 86_400_000;
let place: TemporaryFolder;
let network: OwnNetwork;
let folder: DataFolder;
let etcd: EmbeddedEtcd;
let first: FirstHost;
let authority: Awaited<ReturnType<typeof makeCertificate>>;
let a: HostFile;
let d: HostFile;

beforeEach(async () => {
  place = await temporaryFolder();
  network = await ownNetwork();
  authority = await makeCertificate({ commonName: 'test hosts', use: 'authority' });
  // Three hosts started the cluster, and one joined later. Only the first one's etcd counts here.
  const made = [await host('a', 1), await host('b', 2, false), await host('w', 3, false), await host('d', 4, false)];
  const [one, , , last] = made;
  if (one === undefined || last === undefined) throw new Error('no hosts');
  const shared = {
    ...{ cluster: randomUUID(), leaseMs: 3_000, strict: false, routerId: 51, authority: authority.cert },
    accounts: { applicationPassword: 'one', replicationPassword: 'two' },
    members: made.map(({ member }) => member),
  };
  a = { ...shared, me: 'a', certificate: one.certificate, key: one.key };
  d = {
    ...{ ...shared, me: 'd', certificate: last.certificate, key: last.key },
    firstUrl: originOf({ host: one.member.address, port: ports.join }),
  };
  await writeHostFile(join(place.path, 'first'), {
    ...a,
    first: { authorityKey: authority.key, tokens: [], hasDatabase: false },
  });
  folder = await openDataFolder(join(place.path, 'etcd'), { version: 1 });
  etcd = await startEtcd({
    ...{ folder, log: silentLog, name: 'a', cluster: shared.cluster, tls: await filesOf(a) },
    members: [{ name: 'a', address: one.member.address, clientPort: ports.etcd, peerPort: ports.etcdPeers }],
  });
  first = await FirstHost.open({
    ...{ dataPath: join(place.path, 'first'), address: one.member.address, keyFolder: join(place.path, 'keys') },
  });
});

afterEach(async () => {
  await first?.close();
  await etcd?.stop();
  await folder?.close();
  network.release();
  await place.remove();
});

async function host(name: string, serverId: number, vote = true) {
  const address = `127.${network.part}.0.${serverId}`;
  const { publicKey, privateKey } = await newMachineKeys();
  const kind = name === 'w' ? 'witness' : 'data';
  const member: Member = { name, address, kind, serverId, vote, keySha256: keyFingerprint(publicKey) };
  const certificate = await certify({
    ...{ publicKey, issuer: authority, commonName: hostCommonName(member), uri: hostUri(name) },
    ...{ addresses: [address], days: certificateDays },
  });
  return { member: withSerials(member, certificate), certificate, key: privateKey };
}

async function filesOf({ authority: ca, certificate, key }: HostFile) {
  const files = await folder.subfolder('certificates', { forService: true });
  const paths = {
    caFile: join(files, 'ca.pem'),
    certificateFile: join(files, 'cert.pem'),
    keyFile: join(files, 'key.pem'),
  };
  for (const [path, text] of [
    [paths.caFile, ca],
    [paths.certificateFile, certificate],
    [paths.keyFile, key],
  ] as const) {
    await writeFile(path, text, { mode: 0o600 });
    const user = folder.serviceUser;
    if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, path]);
  }
  return paths;
}

test('a host joins, once, even if the process that listed it was killed before it recorded the certificate', async () => {
  const client = etcdOf(a);
  const keys = haKeys(a.cluster);
  const token = newJoinToken(fingerprintOf(authority.cert));
  const expiresAt = new Date(Date.now() + 60_000).toISOString();
  const tokens = [{ sha256: hashOf(token), expiresAt }];
  const dataPath = join(place.path, 'first');
  await changeHostFile(dataPath, (now) => ({
    ...now,
    first: { authorityKey: authority.key, tokens, hasDatabase: false },
  }));
  const [own, exchange, serving] = [await newMachineKeys(), await newMachineKeys(), await newMachineKeys()];
  const e: Member = { ...(await host('e', 5, false)).member, keySha256: keyFingerprint(own.publicKey), serials: [] };
  try {
    await waitFor('etcd', async () => (await client.status()).length === 1);
    await client.put(keys.members, JSON.stringify([...a.members, e]));
    const asked = { token, name: 'e', address: e.address, kind: 'data', keyFiles: {} } as const;
    const { file } = await joinCluster(new URL(d.firstUrl ?? ''), asked, own, exchange, serving);
    expect(file.members.map(({ name }) => name)).toEqual(['a', 'b', 'w', 'd', 'e']);
    const { members } = (await listedIn(client, keys)) ?? {};
    expect(members?.filter(({ name }) => name === 'e')).toMatchObject([{ serverId: 5 }]);
    expect(members?.at(-1)?.serials).toContain(new X509Certificate(file.certificate).serialNumber);
    const { first: kept } = await readHostFile(dataPath);
    expect(kept?.tokens).toMatchObject([{ usedFor: expect.any(String) }]);
    const other = await newMachineKeys();
    await expect(joinCluster(new URL(d.firstUrl ?? ''), asked, other, exchange, serving)).rejects.toThrow(
      'used before',
    );
  } finally {
    client.close();
  }
});

test('the certificate is in the list in etcd, whether or not the list had one before', async () => {
  const client = etcdOf(a);
  const keys = haKeys(a.cluster);
  try {
    await waitFor('etcd', async () => (await client.status()).length === 1);
    const given = [await servedAt(d), await servedAt(d)].map(
      ({ certificate }) => new X509Certificate(certificate).serialNumber,
    );
    const listed = await listedIn(client, keys);
    expect(listed?.members.map(({ name }) => name)).toEqual(['a', 'b', 'w', 'd']);
    expect(listed?.members.at(-1)?.serials).toEqual(expect.arrayContaining(given));
  } finally {
    client.close();
  }
});

test('a host renews its certificates for the same keys, and the authority that is due is renewed with its own', async () => {
  const [folderOfD, folderOfA] = [join(place.path, 'd'), join(place.path, 'first')];
  await writeHostFile(folderOfD, { ...d, served: await servedAt(d) });
  const { served } = await readHostFile(folderOfD);
  const renewed = await renewCertificates(folderOfD);
  const keyIn = (pem: string | undefined) => publicKeyIn(pem ?? '');
  expect(renewed.certificate).not.toBe(d.certificate);
  expect(keyIn(renewed.certificate)).toBe(keyIn(d.certificate));
  expect(keyIn(renewed.served?.certificate)).toBe(keyIn(served?.certificate));
  expect(new X509Certificate(renewed.certificate).subject).toBe(new X509Certificate(d.certificate).subject);
  expect(renewed.authority).toBe(authority.cert);
  const own = [renewed.certificate, renewed.served?.certificate ?? ''];
  const etcdClient = etcdOf(a);
  try {
    const listed = await listedIn(etcdClient, haKeys(a.cluster));
    const serials = own.map((pem) => new X509Certificate(pem).serialNumber);
    expect(listed?.members.find(({ name }) => name === 'd')?.serials).toEqual(expect.arrayContaining(serials));
  } finally {
    etcdClient.close();
  }
  // The authority's certificate has less than a third of its life left.
  const old = await makeCertificate({
    ...{ commonName: 'test hosts', use: 'authority', key: authority.key },
    ...{ notBefore: new Date(Date.now() - 30 * dayMs), notAfter: new Date(Date.now() + 5 * dayMs) },
  });
  for (const path of [folderOfA, folderOfD]) await changeHostFile(path, (file) => ({ ...file, authority: old.cert }));
  expect(areDue(await readHostFile(folderOfD))).toBe(true);
  const again = await renewCertificates(folderOfD);
  expect([areDue(again), again.authority === old.cert]).toEqual([false, false]);
  expect((await readHostFile(folderOfA)).authority).toBe(again.authority);
  // Each host may have the old or the new one of the authority.
  for (const pem of [d.certificate, again.certificate])
    for (const issuer of [old.cert, again.authority].map((each) => new X509Certificate(each))) {
      const certificate = new X509Certificate(pem);
      expect([certificate.checkIssued(issuer), certificate.verify(issuer.publicKey)]).toEqual([true, true]);
    }
});

test('certificates are renewed on request or when they are due, once, even if a process can not take them at first', async () => {
  const folderOfD = join(place.path, 'd');
  await writeHostFile(folderOfD, d);
  const [client, keys] = [etcdOf(a), haKeys(a.cluster)];
  const [given, logged]: [string[], string[]] = [[], []];
  let [nowMs, fails] = [Date.now(), true];
  const renewal = new CertificateRenewal({
    ...{ dataPath: folderOfD, etcd: client, keys, me: 'd', nowMs: () => nowMs },
    log: { ...silentLog, warn: (text) => logged.push(text), error: (text) => logged.push(text) },
    onRenewed: async ({ certificate }) => {
      given.push(certificate);
      if (fails) throw new Error('the server restarts');
    },
  });
  const wishes = async () => (await client.get(keys.renew('d'))).entries.length;
  try {
    await renewal.look();
    expect(given).toEqual([]);
    await client.put(keys.renew('d'), '{}');
    await renewal.look();
    expect([given.length, await wishes()]).toEqual([1, 1]);
    fails = false;
    nowMs += 60_000;
    await renewal.look();
    expect([given.length, given[0] === given[1], await wishes()]).toEqual([2, true, 0]);
    // Two days before the end the first host can't be reached.
    await first.close();
    nowMs = certificatesEndOf(await readHostFile(folderOfD)).getTime() - 2 * dayMs;
    await renewal.look();
    expect(logged.slice(-2)).toEqual([
      expect.stringMatching(/^ha: the certificates were not renewed, and are tried again/),
      expect.stringMatching(/^ha: a certificate of d ends in 2 days, at .*"tidegate ha renew-certificates"/),
    ]);
  } finally {
    client.close();
    const address = d.members[0]?.address ?? '';
    first = await FirstHost.open({
      ...{ dataPath: join(place.path, 'first'), address, keyFolder: join(place.path, 'keys') },
    });
  }
});
