// Two agents with real servers and a real etcd, for the tests of a file.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';
import { type Connection, createConnection, type SqlError } from 'mariadb';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { makeDatabase } from '../../../embedded/mariadb.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { changeValue, haKeys, setUpReign, syncValue, type Wish } from '../../../ha/agent/keys.ts';
import { Session } from '../../../ha/agent/session.ts';
import type { SyncSet } from '../../../ha/agent/view.ts';
import type { Announcer } from '../../../ha/announcer.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { patience, stretch } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

export const keys = haKeys('test');
const accounts = { applicationPassword: 'of-the-application', replicationPassword: 'of-the-replica' };
export let cluster: EtcdCluster;
export let etcd: EtcdClient;
let place: TemporaryFolder;
export const folders = new Map<string, DataFolder>();
export const agents = new Map<string, HaAgent>();
const ports: Record<string, number> = {};
/** The end time for each host that clients are directed to, and any host that was announced while another one was. */
export const ledUntilMs = new Map<string, number>();
export const ledEpoch = new Map<string, number>();
export const ledToBoth: string[] = [];
let held: { readonly host: string; readonly go: Promise<void> } | undefined;
/** Messages that the hosts' clients received. */
export const told: string[] = [];

/** `tables`: the standby also has the tables of a database in use, and the table t with six rows. */
export function useTwoHosts({ tables = false } = {}): void {
  beforeAll(async () => {
    cluster = await etcdCluster();
    etcd = cluster.client({ timeoutMs: 60_000 });
    place = await temporaryFolder();
    for (const name of ['a', 'b']) {
      folders.set(name, await openDataFolder(join(place.path, name), { version: 1 }));
      ports[name] = await freePort();
      await mkdir(keyFolder(name));
      await writeSealingKey(name, 'a');
      ports[name === 'a' ? 'copiesOfA' : 'copiesOfB'] = await freePort();
    }
    const set: SyncSet = { primary: 'a', epoch: 0, reign: setUpReign, members: [] };
    await etcd.put(keys.sync, JSON.stringify(set));
    await makeDatabase(folders.get('a') as DataFolder);
    for (const name of ['a', 'b']) await startAgent(name);
    await inSync('a', 'b');
    if (tables) await makeTables();
  });

  afterAll(async () => {
    for (const agent of agents.values()) await agent.stop();
    for (const agent of agents.values()) if (agent.serverPid !== undefined) killQuietly(agent.serverPid, 'SIGKILL');
    for (const folder of folders.values()) await folder.close();
    await cluster.remove();
    await place.remove();
    for (const each of [folders, agents, ledUntilMs, ledEpoch]) each.clear();
    for (const each of [ledToBoth, told]) each.length = 0;
  });
}

export async function startAgent(me: string): Promise<void> {
  const hosts = {
    a: { address: addressOf('a'), port: ports.a ?? 0, serverId: 1 },
    b: { address: addressOf('b'), port: ports.b ?? 0, serverId: 2 },
  };
  const folder = folders.get(me) as DataFolder;
  // Generous limits, for a busy machine.
  const limits = { heartbeatMs: 5_000 * stretch, detachMs: 3_000 * stretch, admitMs: 10_000 * stretch };
  const agent = await HaAgent.start({
    ...{ folder, me, hosts, accounts, limits, cluster: 'test', log: silentLog, mayRoute: false },
    leaseMs: 9_000 * stretch,
    copies: { tls: cluster.tls, ports: { a: ports.copiesOfA ?? 0, b: ports.copiesOfB ?? 0 } },
    etcd: gated(me, cluster.client()),
    keyPlaces: { folder: keyFolder(me) },
    announcer: announcerOf(me),
    clients: {
      // The clients' last requests are still answered.
      leave: () => sql(me, 'REPLACE INTO t VALUES (7)').then(() => void told.push(`${me}: leave`)),
      stay: async () => void told.push(`${me}: stay`),
    },
  });
  agents.set(me, agent);
}

function announcerOf(host: string): Announcer {
  return {
    held(fenceAtMs, epoch) {
      ledEpoch.set(host, epoch);
      for (const [other, untilMs] of ledUntilMs)
        if (other !== host && monotonicMs() < untilMs) ledToBoth.push(`${host} beside ${other}`);
      ledUntilMs.set(host, fenceAtMs);
    },
    lost: () => void ledUntilMs.delete(host),
  };
}

function gated(host: string, client: EtcdClient): EtcdClient {
  const [get, revoke] = [client.get.bind(client), client.revoke.bind(client)];
  let waits: Promise<void> | undefined;
  client.revoke = async (lease) => {
    waits = held?.host === host ? held.go : undefined;
    await revoke(lease);
  };
  client.get = async (...asked) => {
    await waits;
    return get(...asked);
  };
  return client;
}

function keyFolder(host: string): string {
  return join(place.path, `${host}-keys`);
}

/** Each letter gives another key. */
export function writeSealingKey(host: string, letter: string): Promise<void> {
  const ring = { active: 'k1', keys: { k1: `${letter.repeat(43)}=` } };
  return writeFile(join(keyFolder(host), 'sealing.keys'), JSON.stringify(ring));
}

/** Ends the host's agent and its server. */
export async function endHost(host: string): Promise<void> {
  const pid = agents.get(host)?.serverPid;
  await agents.get(host)?.stop();
  if (pid !== undefined) killQuietly(pid, 'SIGKILL');
}

/** The address of the host's etcd member, which is the address in its certificate. */
export function addressOf(host: string): string {
  return new URL(cluster.urls[host === 'a' ? 0 : 1] ?? '').hostname;
}

export async function sync(): Promise<SyncSet> {
  const { entries } = await etcd.get(keys.sync);
  return syncValue.parse(JSON.parse(entries[0]?.value ?? ''));
}

/** The member must also follow, because a restarted member stays listed until its primary learns of the restart. */
export async function inSync(primary: string, member: string): Promise<SyncSet> {
  return waitFor(`${primary} with ${member} in sync`, async () => {
    const now = await sync();
    if (now.primary !== primary || now.members[0]?.host !== member) return undefined;
    const [replica] = await asRoot<{ Slave_IO_Running: string }[]>(member, 'SHOW SLAVE STATUS').catch(() => []);
    return replica?.Slave_IO_Running === 'Yes' ? now : undefined;
  });
}

export async function asRoot<Rows>(host: string, text: string): Promise<Rows> {
  const folder = folders.get(host) as DataFolder;
  const session = new Session({
    ...{ socketPath: folder.socketPath('mariadb.sock'), user: 'root', password: await folder.secret('mariadb-root') },
  });
  try {
    return await session.query<Rows>(text, [], 30_000);
  } finally {
    session.forget();
  }
}

export function wish(to: string): Wish {
  return { id: newUuid(), to, from: to === 'a' ? 'b' : 'a', askedAt: new Date().toISOString() };
}

export async function lastChange() {
  const { entries } = await etcd.get(keys.changes);
  return changeValue.parse(JSON.parse(entries.at(-1)?.value ?? ''));
}

export function connect(host: string): Promise<Connection> {
  return createConnection({
    ...{ host: addressOf(host), port: ports[host] ?? 0, user: 'tidegate', password: accounts.applicationPassword },
    // The connector's own limit of one second is too short for a busy machine.
    ...{ database: 'tidegate', connectTimeout: 10_000 * patience },
  });
}

export async function sql<Rows>(host: string, text: string): Promise<Rows> {
  const connection = await connect(host);
  try {
    return await connection.query<Rows>(text);
  } finally {
    await connection.end();
  }
}

/** Resolves when the host accepts the write, sooner or later. */
export async function writes(host: string, id: number): Promise<void> {
  await waitFor(`a write at ${host}`, () =>
    sql(host, `INSERT INTO t VALUES (${id})`).then(
      () => true,
      (error: SqlError) => error.errno === 1062,
    ),
  );
}

/** Once its lead is given up, the host reads nothing from etcd until the promise resolves. If undefined, no host is held. */
export function hold(host: string, go: Promise<void>): () => void {
  held = { host, go };
  return () => {
    held = undefined;
  };
}

/** Creates the product tables that an agent uses. */
export async function makeTimeline(): Promise<void> {
  await sql(
    'a',
    'CREATE TABLE db_timeline (epoch INT PRIMARY KEY, lossy BOOLEAN NOT NULL, gtid VARCHAR(255), at DATETIME(3))',
  );
  await sql('a', 'CREATE TABLE db_lease (id TINYINT PRIMARY KEY, ends_at DATETIME(6) NOT NULL)');
  await sql(
    'a',
    'CREATE TABLE lease (name CHAR(4) PRIMARY KEY, token CHAR(36), host VARCHAR(63), expires_at DATETIME(3))',
  );
}

/** As the product's migration does. */
export async function makeAuditTrail(): Promise<void> {
  const file = join(import.meta.dirname, '../../../prisma/migrations/platform/20261203000000_init/migration.sql');
  const [made = ''] = /CREATE TABLE `audit_entry` [^;]*/.exec(await readFile(file, 'utf8')) ?? [];
  await sql('a', made);
}

async function makeTables(): Promise<void> {
  await sql('a', 'CREATE TABLE t (id INT PRIMARY KEY)');
  await sql('a', 'INSERT INTO t VALUES (1), (2), (3), (4), (5), (6)');
  await makeTimeline();
}
