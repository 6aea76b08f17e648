// Two agents with real servers and a real etcd: who is primary, what a kill changes, what a restart of an agent does not change.
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { haKeys, syncValue } from '../../../ha/agent/keys.ts';
import type { SyncSet } from '../../../ha/agent/view.ts';
import { freePort } from '../../support/free-port.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../../support/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

const keys = haKeys('test');
const accounts = { applicationPassword: 'of-the-application', replicationPassword: 'of-the-replica' };
let cluster: EtcdCluster;
let place: TemporaryFolder;
const folders = new Map<string, DataFolder>();
const agents = new Map<string, HaAgent>();
const ports: Record<string, number> = {};

beforeAll(async () => {
  cluster = await etcdCluster();
  place = await temporaryFolder();
  for (const name of ['a', 'b']) {
    folders.set(name, await openDataFolder(join(place.path, name), { version: 1 }));
    ports[name] = await freePort();
  }
  const set: SyncSet = { primary: 'a', epoch: 0, reign: 'set-up', members: [] };
  await cluster.client().put(keys.sync, JSON.stringify(set));
  for (const name of ['a', 'b']) await startAgent(name);
  await inSync('a', 'b');
});

afterAll(async () => {
  for (const agent of agents.values()) await agent.stop();
  for (const agent of agents.values()) if (agent.serverPid !== undefined) killQuietly(agent.serverPid, 'SIGKILL');
  for (const folder of folders.values()) await folder.close();
  await cluster.remove();
  await place.remove();
});

async function startAgent(me: string): Promise<void> {
  const hosts = {
    a: { address: '127.0.0.1', port: ports.a ?? 0, serverId: 1 },
    b: { address: '127.0.0.1', port: ports.b ?? 0, serverId: 2 },
  };
  const folder = folders.get(me) as DataFolder;
  // Generous, for a busy machine.
  const limits = { heartbeatMs: 5_000, detachMs: 3_000, admitMs: 10_000 };
  const given = {
    folder,
    me,
    hosts,
    accounts,
    limits,
    cluster: 'test',
    leaseMs: 9_000,
    log: silentLog,
    mayRoute: false,
  };
  agents.set(me, await HaAgent.start({ ...given, etcd: cluster.client() }));
}

async function sync(): Promise<SyncSet> {
  const { entries } = await cluster.client().get(keys.sync);
  return syncValue.parse(JSON.parse(entries[0]?.value ?? ''));
}

async function inSync(primary: string, member: string): Promise<SyncSet> {
  return waitFor(`${primary} with ${member} in sync`, async () => {
    const now = await sync();
    return now.primary === primary && now.members[0]?.host === member ? now : undefined;
  });
}

async function sql<Rows>(host: string, text: string): Promise<Rows> {
  const connection = await createConnection({
    ...{ host: '127.0.0.1', port: ports[host] ?? 0, user: 'tidegate', password: accounts.applicationPassword },
    database: 'tidegate',
  });
  try {
    return await connection.query<Rows>(text);
  } finally {
    await connection.end();
  }
}

test('the standby refuses writes, and has those of the primary', async () => {
  await sql('a', 'CREATE TABLE t (id INT PRIMARY KEY)');
  await sql('a', 'INSERT INTO t VALUES (1)');
  await expect(sql('b', 'INSERT INTO t VALUES (2)')).rejects.toMatchObject({ errno: 1290 });
  await waitFor('the write at b', async () => (await sql<unknown[]>('b', 'SELECT id FROM t')).length === 1);
});

test('a restarted agent takes over its server: no failover', async () => {
  const before = await sync();
  const pid = agents.get('a')?.serverPid;
  await agents.get('a')?.stop();
  await startAgent('a');
  await sql('a', 'INSERT INTO t VALUES (2)');
  expect(agents.get('a')?.serverPid).toBe(pid);
  expect((await sync()).epoch).toBe(before.epoch);
});

test('after kill -9 of the primary the standby is the primary, has every write, and the old one returns', async () => {
  const before = await sync();
  await sql('a', 'INSERT INTO t VALUES (3)');
  killQuietly(agents.get('a')?.serverPid ?? 0, 'SIGKILL');
  await waitFor('writes at b', () =>
    sql('b', 'INSERT INTO t VALUES (4)').then(
      () => true,
      () => false,
    ),
  );
  expect((await sql<{ id: number }[]>('b', 'SELECT id FROM t ORDER BY id')).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  const after = await inSync('b', 'a');
  expect(after.epoch).toBeGreaterThan(before.epoch);
  await waitFor('all writes at a', async () => (await sql<unknown[]>('a', 'SELECT id FROM t')).length === 4);
});

test('a primary whose agent is gone is killed by its watchdog, and the other one has every write', async () => {
  await inSync('b', 'a');
  await sql('b', 'INSERT INTO t VALUES (5)');
  const pid = agents.get('b')?.serverPid ?? 0;
  await agents.get('b')?.stop();
  await waitFor('the watchdog', () => !isRunning(pid));
  await waitFor('writes at a', () =>
    sql('a', 'INSERT INTO t VALUES (6)').then(
      () => true,
      () => false,
    ),
  );
  expect(await sql<unknown[]>('a', 'SELECT id FROM t')).toHaveLength(6);
  await startAgent('b');
  await inSync('a', 'b');
});
