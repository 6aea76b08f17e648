// Three data hosts with real servers and a real etcd. One is the primary, one has every acknowledged write, and the third one replaces a lost
// one.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection, type SqlError } from 'mariadb';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { makeDatabase } from '../../../embedded/mariadb.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { haKeys, reportValue, setUpReign, syncValue } from '../../../ha/agent/keys.ts';
import type { SyncSet } from '../../../ha/agent/view.ts';
import { Cluster } from '../../../ha/cluster.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { stretch } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

const keys = haKeys('test');
const accounts = { applicationPassword: 'of-the-application', replicationPassword: 'of-the-replica' };
const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];
let cluster: EtcdCluster;
let etcd: EtcdClient;
let people: Cluster;
let place: TemporaryFolder;
let hosts: Record<Name, { address: string; port: number; serverId: number }>;
let copyPorts: Record<Name, number>;
const folders = new Map<Name, DataFolder>();
const agents = new Map<Name, HaAgent>();

beforeAll(async () => {
  cluster = await etcdCluster();
  etcd = cluster.client({ timeoutMs: 60_000 });
  place = await temporaryFolder();
  // The third host has the address of the witness, because a certificate exists for it.
  const placeOf = async (at: number) => ({
    ...{ address: new URL(cluster.urls[at] ?? '').hostname, port: await freePort(), serverId: at + 1 },
  });
  hosts = { a: await placeOf(0), b: await placeOf(1), c: await placeOf(2) };
  copyPorts = { a: await freePort(), b: await freePort(), c: await freePort() };
  for (const name of names) folders.set(name, await openDataFolder(join(place.path, name), { version: 1 }));
  people = new Cluster(
    etcd,
    'test',
    names.map((name) => ({ name, address: hosts[name].address, kind: 'data' as const })),
  );
  const set: SyncSet = { primary: 'a', epoch: 0, reign: setUpReign, members: [] };
  await etcd.put(keys.sync, JSON.stringify(set));
  await makeDatabase(folders.get('a') as DataFolder);
  for (const name of names) await startAgent(name);
  await whole();
  await sql('a', 'CREATE TABLE t (id INT PRIMARY KEY)');
});

afterAll(async () => {
  for (const agent of agents.values()) await agent.stop();
  for (const agent of agents.values()) if (agent.serverPid !== undefined) killQuietly(agent.serverPid, 'SIGKILL');
  for (const folder of folders.values()) await folder.close();
  await cluster.remove();
  await place.remove();
});

async function startAgent(me: Name, asynchronous: readonly Name[] = []): Promise<void> {
  // Generous limits, for a busy machine.
  const limits = { heartbeatMs: 5_000 * stretch, detachMs: 3_000 * stretch, admitMs: 10_000 * stretch };
  const agent = await HaAgent.start({
    ...{ me, hosts, accounts, limits, asynchronous, cluster: 'test', log: silentLog, mayRoute: false },
    ...{ folder: folders.get(me) as DataFolder, leaseMs: 9_000 * stretch, etcd: cluster.client() },
    copies: { tls: cluster.tls, ports: copyPorts },
  });
  agents.set(me, agent);
}

async function endHost(host: Name): Promise<void> {
  const pid = agents.get(host)?.serverPid;
  await agents.get(host)?.stop();
  if (pid !== undefined) killQuietly(pid, 'SIGKILL');
}

async function sync(): Promise<SyncSet> {
  const { entries } = await etcd.get(keys.sync);
  return syncValue.parse(JSON.parse(entries[0]?.value ?? ''));
}

async function reportOf(host: Name) {
  const { entries } = await etcd.get(keys.report(host));
  return entries[0] === undefined ? undefined : reportValue.parse(JSON.parse(entries[0].value));
}

interface Roles {
  readonly primary: Name;
  readonly member: Name;
  readonly spare: Name;
  readonly sync: SyncSet;
}

/** Waits until one host is the primary, one is in sync, and the third one receives. */
function whole(): Promise<Roles> {
  return waitFor('three hosts', async () => {
    const now = await sync();
    const member = now.members[0]?.host;
    const spare = names.find((name) => name !== now.primary && name !== member);
    if (member === undefined || spare === undefined) return undefined;
    const report = await reportOf(spare);
    const follows = report?.receiving === true && report.reign === now.reign && report.admission === undefined;
    return follows ? { primary: now.primary as Name, member: member as Name, spare, sync: now } : undefined;
  });
}

async function sql<Rows>(host: Name, text: string): Promise<Rows> {
  const connection = await createConnection({
    ...{ host: hosts[host].address, port: hosts[host].port, user: 'tidegate', password: accounts.applicationPassword },
    database: 'tidegate',
  });
  try {
    return await connection.query<Rows>(text);
  } finally {
    await connection.end();
  }
}

/** Resolves when the host accepts the write, sooner or later. */
async function writes(host: Name, id: number): Promise<void> {
  await waitFor(`a write at ${host}`, () =>
    sql(host, `INSERT INTO t VALUES (${id})`).then(
      () => true,
      (error: SqlError) => error.errno === 1062,
    ),
  );
}

const ids = async (host: Name) =>
  (await sql<{ id: number }[]>(host, 'SELECT id FROM t ORDER BY id')).map(({ id }) => id);

test('one of the two other hosts is in sync, and only that host acknowledges', async () => {
  const { primary, member, spare, sync: now } = await whole();
  expect(now.admission?.host).toBe(member);
  expect((await reportOf(member))?.admission).toBe(now.admission?.id);
  const [row] = await sql<{ Value: string }[]>(primary, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'");
  expect(row?.Value).toBe('1');
  await sql(primary, 'INSERT INTO t VALUES (1)');
  await waitFor('the write at the spare', async () => (await ids(spare)).includes(1));
  const { copies, hosts: seen } = await people.status();
  expect(copies).toBe(2);
  expect(seen.map(({ state }) => state).sort()).toEqual(['FOLLOWS', 'IN_SYNC', 'PRIMARY']);
});

test('a hung member is replaced by the spare, and follows as the spare when it runs again', async () => {
  const { primary, member, spare, sync: before } = await whole();
  const pid = agents.get(member)?.serverPid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await sql(primary, 'INSERT INTO t VALUES (2)');
    await waitFor('the spare in sync', async () => (await sync()).members[0]?.host === spare);
    await sql(primary, 'INSERT INTO t VALUES (3)');
    const [row] = await sql<{ Value: string }[]>(primary, "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'");
    expect(row?.Value).toBe('1');
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  const after = await whole();
  expect(after).toMatchObject({ primary, member: spare, spare: member });
  expect(after.sync.epoch).toBe(before.epoch);
  await waitFor('the writes at the former member', async () => (await ids(member)).length === 3);
});

test('an agent restart on the primary keeps the member', async () => {
  const { primary, sync: before } = await whole();
  await agents.get(primary)?.stop();
  await startAgent(primary);
  await sql(primary, 'INSERT INTO t VALUES (4)');
  expect(await sync()).toEqual(before);
});

test('a switchover to the spare: it is in sync first, then becomes the primary with every write', async () => {
  const { spare, sync: before } = await whole();
  expect(await people.switchover(spare)).toMatchObject({ to: spare });
  await waitFor('the spare as the primary', async () => (await sync()).primary === spare);
  await writes(spare, 5);
  const after = await whole();
  expect(after.primary).toBe(spare);
  expect(after.sync.epoch).toBe(before.epoch + 1);
  expect(await ids(spare)).toEqual([1, 2, 3, 4, 5]);
});

test('hosts are lost one after the other, and the last one has every write', async () => {
  const first = await whole();
  await sql(first.primary, 'INSERT INTO t VALUES (6)');
  await endHost(first.primary);
  await writes(first.member, 7);
  // The third host takes the place.
  await waitFor('two copies', async () => {
    const now = await sync();
    return now.primary === first.member && now.members[0]?.host === first.spare;
  });
  await sql(first.member, 'INSERT INTO t VALUES (8)');
  await endHost(first.member);
  await writes(first.spare, 9);
  expect(await ids(first.spare)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  await startAgent(first.primary);
  await startAgent(first.member);
  const { primary } = await whole();
  expect(primary).toBe(first.spare);
  for (const name of names) await waitFor(`the writes at ${name}`, async () => (await ids(name)).length === 9);
});

test('an asynchronous host is never in sync, and no switchover to it begins', async () => {
  const { primary, member, spare } = await whole();
  await agents.get(primary)?.stop();
  await startAgent(primary, [spare]);
  const far = new Cluster(
    etcd,
    'test',
    names.map((name) => ({ name, address: hosts[name].address, kind: 'data', asynchronous: name === spare })),
  );
  await expect(far.switchover(spare)).rejects.toMatchObject({ code: 'NOT_IN_SYNC' });
  const { incarnation } = (await sync()).members[0] ?? {};
  await endHost(member);
  await sql(primary, 'INSERT INTO t VALUES (10)');
  await waitFor('one copy', async () => (await sync()).members.length === 0);
  await waitFor('the write at the far host', async () => (await ids(spare)).includes(10));
  expect((await sync()).members).toEqual([]);
  await startAgent(member);
  const after = await whole();
  expect(after).toMatchObject({ primary, member, spare });
  expect(after.sync.members[0]?.incarnation).not.toBe(incarnation);
});
