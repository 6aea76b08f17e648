// A key becomes active only when the agent of each data host of the cluster reports that the host has it. An absent host delays this until
// it has left. Uses real etcd members. The reports have the form of an agent's reports.
import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { hostsLacking } from '../../compose/ha-keys.ts';
import { KeyFingerprints } from '../../ha/agent/key-fingerprints.ts';
import { haKeys } from '../../ha/agent/keys.ts';
import type { EtcdClient } from '../../ha/etcd.ts';
import { type Member, readHostFile, writeHostFile } from '../../ha/host/host-file.ts';
import { rotateKeys } from '../../platform/keys/rotate-keys.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { type EtcdCluster, etcdCluster } from '../ha/etcd-cluster.ts';
import { type TemporaryFolder, temporaryFolder } from '../support/machine/temporary-folder.ts';
import { TestContext } from '../support/product/test-context.ts';

const keys = haKeys('test');
const config = (folder: string) => readConfig({ flags: { 'ha.dataFolder': folder } }, []);
let place: TemporaryFolder;
let cluster: EtcdCluster;
let etcd: EtcdClient;
let ground: TestContext;

beforeAll(async () => {
  place = await temporaryFolder();
  ground = await TestContext.open();
  cluster = await etcdCluster();
  etcd = cluster.client();
  const members = cluster.urls.map((url, at): Member => {
    const kind = at === 2 ? 'witness' : 'data';
    return { name: 'abw'[at] ?? '', address: new URL(url).hostname, kind, serverId: at + 1 };
  });
  const { ca, cert, key } = cluster.tls;
  await writeHostFile(place.path, {
    ...{ cluster: 'test', leaseMs: 3_000, strict: false, routerId: 51, me: 'a', members },
    ...{ authority: ca, certificate: cert, key },
    accounts: { applicationPassword: 'one', replicationPassword: 'two' },
  });
  const sync = { primary: 'a', epoch: 3, reign: 'r', members: [] };
  await etcd.put(keys.sync, JSON.stringify(sync));
  await makeKeys(folderOf('a'));
  await give('b');
});

afterAll(async () => {
  await ground?.stop();
  await cluster?.remove();
  await place?.remove();
});

const folderOf = (host: string) => join(place.path, 'keys', host);

async function give(host: string): Promise<void> {
  await rm(folderOf(host), { recursive: true, force: true });
  await mkdir(folderOf(host), { recursive: true });
  await cp(folderOf('a'), folderOf(host), { recursive: true });
}

async function report(...hosts: readonly string[]): Promise<void> {
  for (const host of hosts) {
    const { files, sealing } = await new KeyFingerprints({ folder: folderOf(host) }).read();
    const told = { said: 's', incarnation: 'i', receiving: true, received: 1, keys: files, sealing };
    await etcd.put(keys.report(host), JSON.stringify(told));
  }
}

async function rotate(name: string): Promise<string> {
  const path = join(folderOf('a'), `${name}.keys`);
  const lacking = hostsLacking(config(place.path));
  const step = await rotateKeys({ path, database: () => ground.db, hostsLacking: lacking }).catch(String);
  return typeof step === 'string' ? step : step.step;
}

test.each([
  ['sealing', 'sealing.keys'],
  ['subgraphs', 'subgraphs.keys'],
  ['system', 'public.keys'],
])('a key of %s.keys waits for a host that does not have it', async (name, file) => {
  await report('a', 'b');
  expect(await rotate(name)).toBe('announced');
  expect(await rotate(name)).toMatch(new RegExp(`not yet on the hosts a, b: copy ${file}`));
  await report('a');
  // b is away, but its last report stays.
  expect(await rotate(name)).toMatch(new RegExp(`not yet on the host b: copy ${file}`));
  await give('b');
  await report('b');
  expect(await rotate(name)).toBe('activated');
  await give('b');
});

test('a host that never reported its keys delays a rotation, a host that has left does not', async () => {
  await report('a', 'b');
  expect(await rotate('objects')).toBe('announced');
  await report('a');
  await etcd.transact([], [{ delete: keys.report('b') }]);
  expect(await rotate('objects')).toMatch(/not yet on the host b/);
  const file = await readHostFile(place.path);
  const members = file.members.map((each) => (each.name === 'b' ? { ...each, left: true } : each));
  await writeHostFile(place.path, { ...file, members });
  expect(await rotate('objects')).toBe('activated');
});

test('on a single machine there is no host to wait for, and without a majority of the hosts no key becomes active', async () => {
  expect(hostsLacking(readConfig({}, []))).toBeUndefined();
  expect(await rotate('audit')).toBe('announced');
  await cluster.member('a').stop();
  await cluster.member('b').stop();
  expect(await rotate('audit')).toMatch(/the hosts of .* can't be asked for their keys/);
});
