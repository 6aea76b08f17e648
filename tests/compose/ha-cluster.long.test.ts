// A whole process on a host of a cluster: administrators see the cluster in the graph, over three real members of etcd.
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { openHaCluster } from '../../compose/ha-cluster.ts';
import { FollowedHosts } from '../../compose/ha-hosts.ts';
import { haKeys } from '../../ha/agent/keys.ts';
import { type HostFile, writeHostFile } from '../../ha/host/host-file.ts';
import { writeServedFile } from '../../ha/host/served-file.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { Lifecycle } from '../../platform/process/lifecycle.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { type EtcdCluster, etcdCluster } from '../ha/etcd-cluster.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { runningSystem } from '../support/product/running-system.ts';

let cluster: EtcdCluster;
let folder: TemporaryFolder;

beforeAll(async () => {
  folder = await temporaryFolder();
  cluster = await etcdCluster();
});

afterAll(async () => {
  await cluster?.remove();
  await folder?.remove();
});

function hostFile(): HostFile {
  const members = cluster.urls.map((url, at) => ({
    ...{ name: 'abw'[at] ?? '', address: new URL(url).hostname, serverId: at + 1 },
    kind: at === 2 ? ('witness' as const) : ('data' as const),
  }));
  const { ca: authority, cert: certificate, key } = cluster.tls;
  return {
    ...{ cluster: 'test', leaseMs: 3_000, strict: false, routerId: 1, me: 'b', members, authority, certificate, key },
    accounts: { applicationPassword: 'a', replicationPassword: 'r' },
  };
}

test('the cluster is shown and controlled, and its changes are events', async () => {
  const data = join(folder.path, 'whole');
  await writeHostFile(data, hostFile());
  const keys = haKeys('test');
  const etcd = cluster.client();
  await etcd.put(keys.leader, '{"host":"a","reign":"r"}');
  const members = [{ host: 'b', incarnation: 'i' }];
  await etcd.put(keys.sync, JSON.stringify({ primary: 'a', epoch: 2, reign: 'r', members }));
  const system = await runningSystem({ settings: { 'ha.dataFolder': data } });
  try {
    const ask = async (query: string, bearer?: string): Promise<Record<string, Record<string, unknown>>> => {
      const headers = { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) };
      const response = await fetch(system.url, { method: 'POST', headers, body: JSON.stringify({ query }) });
      const { data } = (await response.json()) as { data: Record<string, Record<string, unknown>> };
      return data;
    };
    const password = (await readFile(join(system.folder, 'accounts', 'admin.password'), 'utf8')).trim();
    const login = `mutation { login(input: { name: "admin", password: "${password}" }) { accessToken } }`;
    const admin = String((await ask(login)).login?.accessToken);
    const { haStatus } = await ask('{ haStatus { primaryName epoch copies hosts { name etcd } } }', admin);
    expect(haStatus).toMatchObject({ primaryName: 'a', epoch: 2, copies: 2 });
    expect(haStatus?.hosts).toHaveLength(3);
    const { haPause } = await ask('mutation { haPause { accepted userErrors { code } } }', admin);
    expect(haPause).toEqual({ accepted: true, userErrors: [] });
    const events = '{ statusHistory(subjectTypes: ["HaCluster"]) { nodes { kind to } } }';
    await waitFor('the events', async () => {
      const { nodes } = (await ask(events, admin)).statusHistory as { nodes: { kind: string; to: string }[] };
      return nodes.some(({ kind, to }) => kind === 'ha.promotion' && to === 'PAUSED');
    });
  } finally {
    await system.stop();
  }
});

test('a host that leaves and a host that joins in its place are followed', async () => {
  const data = join(folder.path, 'followed');
  const file = hostFile();
  const write = (members: HostFile['members']) => writeServedFile(data, { ...file, members }, undefined);
  await mkdir(data);
  await write(file.members);
  const config = readConfig({ flags: { 'ha.dataFolder': data } }, subgraphRows);
  const log = createLogger({ level: 'silent', pretty: false });
  const lifecycle = new Lifecycle({ log });
  const followed = FollowedHosts.of(config, log);
  const hosts = await openHaCluster(config, lifecycle, followed);
  followed?.start();
  const names = async () => (await hosts?.status())?.hosts.map(({ name }) => name);
  try {
    expect(await names()).toEqual(['a', 'b', 'w']);
    const [a, ...others] = file.members;
    if (a === undefined) throw new Error('there is no host');
    await write([{ ...a, left: true }, ...others]);
    await waitFor('the host that left', async () => isDeepStrictEqual(await names(), ['b', 'w']));
    // As the agent writes it once the new host has joined.
    await write([{ ...a, name: 'c', serverId: 9 }, ...others]);
    await waitFor('the new host', async () => isDeepStrictEqual(await names(), ['c', 'b', 'w']));
    await expect(hosts?.switchover('c')).rejects.toThrow();
  } finally {
    await followed?.stop();
    await lifecycle.stop();
  }
});

test.each([
  ['without a host', undefined, /ha\.dataFolder/],
  ['of a cluster that not all hosts have joined', 2, /not all hosts of the cluster have joined/],
])('a data folder %s is refused at the start', async (name, joined, words) => {
  const data = join(folder.path, name);
  const file = hostFile();
  if (joined !== undefined) await writeHostFile(data, { ...file, members: file.members.slice(0, joined) });
  const lifecycle = new Lifecycle({ log: createLogger({ level: 'silent', pretty: false }) });
  const config = readConfig({ flags: { 'ha.dataFolder': data } }, subgraphRows);
  await expect(openHaCluster(config, lifecycle)).rejects.toThrow(words);
  await lifecycle.stop();
});
