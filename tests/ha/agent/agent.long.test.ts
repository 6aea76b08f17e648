// Two agents with real servers and a real etcd: the primary, the effects of a kill, and a restart of an agent, which changes
// nothing.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createConnection, type SqlError } from 'mariadb';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { binaryLog, makeDatabase } from '../../../embedded/mariadb.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { HaAgent } from '../../../ha/agent/agent.ts';
import { transactionsAfter } from '../../../ha/agent/binary-log.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import {
  changeValue,
  haKeys,
  reportValue,
  savedValue,
  setUpReign,
  syncValue,
  type Wish,
} from '../../../ha/agent/keys.ts';
import { Session } from '../../../ha/agent/session.ts';
import type { SyncSet } from '../../../ha/agent/view.ts';
import type { Announcer } from '../../../ha/announcer.ts';
import { Cluster } from '../../../ha/cluster.ts';
import type { EtcdClient } from '../../../ha/etcd.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { freePort } from '../../support/free-port.ts';
import { patience, stretch } from '../../support/patience.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../../support/temporary-folder.ts';
import { type EtcdCluster, etcdCluster } from '../etcd-cluster.ts';

const keys = haKeys('test');
const accounts = { applicationPassword: 'of-the-application', replicationPassword: 'of-the-replica' };
let cluster: EtcdCluster;
let etcd: EtcdClient;
let place: TemporaryFolder;
const folders = new Map<string, DataFolder>();
const agents = new Map<string, HaAgent>();
const ports: Record<string, number> = {};
/** Hosts that clients are led to, until when; and a host to which they were led while they were led to another. */
const ledUntilMs = new Map<string, number>();
const ledEpoch = new Map<string, number>();
const ledToBoth: string[] = [];
/** Once its lead is given up, this host reads nothing from etcd until it is let go. */
let held: { readonly host: string; readonly go: Promise<void> } | undefined;
/** What clients of the hosts were told. */
const told: string[] = [];

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
    a: { address: addressOf('a'), port: ports.a ?? 0, serverId: 1 },
    b: { address: addressOf('b'), port: ports.b ?? 0, serverId: 2 },
  };
  const folder = folders.get(me) as DataFolder;
  // Generous, for a busy machine.
  const limits = { heartbeatMs: 5_000 * stretch, detachMs: 3_000 * stretch, admitMs: 10_000 * stretch };
  const agent = await HaAgent.start({
    ...{ folder, me, hosts, accounts, limits, cluster: 'test', log: silentLog, mayRoute: false },
    leaseMs: 9_000 * stretch,
    copies: { tls: cluster.tls, ports: { a: ports.copiesOfA ?? 0, b: ports.copiesOfB ?? 0 } },
    etcd: gated(me, cluster.client()),
    keyPlaces: { folder: keyFolder(me) },
    announcer: announcerOf(me),
    clients: {
      // Their last requests are still answered.
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

/** Another one for another letter. */
function writeSealingKey(host: string, letter: string): Promise<void> {
  const ring = { active: 'k1', keys: { k1: `${letter.repeat(43)}=` } };
  return writeFile(join(keyFolder(host), 'sealing.keys'), JSON.stringify(ring));
}

/** Its agent and its server. */
async function endHost(host: string): Promise<void> {
  const pid = agents.get(host)?.serverPid;
  await agents.get(host)?.stop();
  if (pid !== undefined) killQuietly(pid, 'SIGKILL');
}

/** That of its member of etcd, for which the certificate is. */
function addressOf(host: string): string {
  return new URL(cluster.urls[host === 'a' ? 0 : 1] ?? '').hostname;
}

async function sync(): Promise<SyncSet> {
  const { entries } = await etcd.get(keys.sync);
  return syncValue.parse(JSON.parse(entries[0]?.value ?? ''));
}

async function inSync(primary: string, member: string): Promise<SyncSet> {
  return waitFor(`${primary} with ${member} in sync`, async () => {
    const now = await sync();
    return now.primary === primary && now.members[0]?.host === member ? now : undefined;
  });
}

async function asRoot<Rows>(host: string, text: string): Promise<Rows> {
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

function wish(to: string): Wish {
  return { id: newUuid(), to, from: to === 'a' ? 'b' : 'a', askedAt: new Date().toISOString() };
}

async function lastChange() {
  const { entries } = await etcd.get(keys.changes);
  return changeValue.parse(JSON.parse(entries.at(-1)?.value ?? ''));
}

async function sql<Rows>(host: string, text: string): Promise<Rows> {
  const connection = await createConnection({
    ...{ host: addressOf(host), port: ports[host] ?? 0, user: 'tidegate', password: accounts.applicationPassword },
    database: 'tidegate',
  });
  try {
    return await connection.query<Rows>(text);
  } finally {
    await connection.end();
  }
}

/** It takes the write, sooner or later. */
async function writes(host: string, id: number): Promise<void> {
  await waitFor(`a write at ${host}`, () =>
    sql(host, `INSERT INTO t VALUES (${id})`).then(
      () => true,
      (error: SqlError) => error.errno === 1062,
    ),
  );
}

test('the standby refuses writes of clients, and has every write of the primary', async () => {
  await sql('a', 'CREATE TABLE t (id INT PRIMARY KEY)');
  await sql('a', 'INSERT INTO t VALUES (1)');
  await expect(sql('b', 'INSERT INTO t VALUES (2)')).rejects.toMatchObject({ errno: 1290 });
  await waitFor('the write at b', async () => (await sql<unknown[]>('b', 'SELECT id FROM t')).length === 1);
});

test('status shows hosts whose clock is off or whose keys differ: they are not promoted', async () => {
  const hosts = ['a', 'b'].map((name) => ({ name, address: addressOf(name), kind: 'data' as const }));
  const seen = async () => (await new Cluster(etcd, 'test', hosts).status()).hosts;
  const before = await waitFor('both', async () => {
    const now = await seen();
    return now.every(({ keys }) => keys === 'SAME') ? now : undefined;
  });
  expect(before.map(({ state }) => state)).toEqual(['PRIMARY', 'IN_SYNC']);
  for (const { clockAheadMs } of before) expect(Math.abs(clockAheadMs ?? Number.NaN)).toBeLessThan(1_000 * patience);
  await writeSealingKey('b', 'b');
  const other = await waitFor('the difference', async () => {
    const now = await seen();
    return now[1]?.keys === 'DIFFERENT' && now[1].unfit !== null ? now : undefined;
  });
  expect(other.map(({ keys, unfit }) => [keys, unfit])).toEqual([
    ['SAME', null],
    ['DIFFERENT', 'it lacks the sealing key that is in use'],
  ]);
  await expect(new Cluster(etcd, 'test', hosts).switchover()).rejects.toMatchObject({ code: 'UNFIT' });
  await writeSealingKey('b', 'a');
  await waitFor('the same keys', async () => (await seen()).every(({ unfit }) => unfit === null));
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
  await sql(
    'a',
    'CREATE TABLE db_timeline (epoch INT PRIMARY KEY, lossy BOOLEAN NOT NULL, gtid VARCHAR(255), at DATETIME(3))',
  );
  await sql('a', 'CREATE TABLE db_lease (id TINYINT PRIMARY KEY, ends_at DATETIME(6) NOT NULL)');
  await sql(
    'a',
    'CREATE TABLE lease (name CHAR(4) PRIMARY KEY, token CHAR(36), host VARCHAR(63), expires_at DATETIME(3))',
  );
  for (const [name, host] of Object.entries({ of_a: "'a'", of_b: "'b'", none: 'NULL' }))
    await sql('a', `INSERT INTO lease VALUES ('${name}', '', ${host}, NOW(3) + INTERVAL 1 HOUR)`);
  // As after a restore from elsewhere: a promotion's timeline is newer than each that the database has had.
  await sql('a', `INSERT INTO db_timeline VALUES (${before.epoch + 50}, 0, NULL, NOW(3))`);
  killQuietly(agents.get('a')?.serverPid ?? 0, 'SIGKILL');
  await writes('b', 4);
  expect((await sql<{ id: number }[]>('b', 'SELECT id FROM t ORDER BY id')).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  const after = await inSync('b', 'a');
  expect(after.epoch).toBe(before.epoch + 51);
  // Of the new timeline, in one transaction with its row.
  expect(await sql<unknown[]>('b', `SELECT lossy FROM db_timeline WHERE epoch = ${after.epoch}`)).toEqual([
    { lossy: 0 },
  ]);
  const ended = await sql<{ name: string }[]>('b', "SELECT name FROM lease WHERE expires_at < NOW(3) AND token <> ''");
  expect(ended.map(({ name }) => name)).toEqual(['of_a']);
  await waitFor('all writes at a', async () => (await sql<unknown[]>('a', 'SELECT id FROM t')).length === 4);
  // Each server has a row of its own, which goes on with the lease.
  const leased = async (host: string) =>
    (await sql<{ is: number }[]>(host, 'SELECT ends_at > UTC_TIMESTAMP(6) AS `is` FROM db_lease'))[0]?.is;
  expect(await leased('b')).toBe(1);
  await waitFor('the end of the lease of a', async () => (await leased('a')) !== 1);
  expect(await leased('b')).toBe(1);
});

test('a primary whose agent is gone is killed by its watchdog, and the other one has every write', async () => {
  await inSync('b', 'a');
  await sql('b', 'INSERT INTO t VALUES (5)');
  const pid = agents.get('b')?.serverPid ?? 0;
  await agents.get('b')?.stop();
  await waitFor('the watchdog', () => !isRunning(pid));
  await writes('a', 6);
  expect(await sql<unknown[]>('a', 'SELECT id FROM t')).toHaveLength(6);
  await startAgent('b');
  await inSync('a', 'b');
});

test('a server whose watchdog is killed ends with it', async () => {
  await inSync('a', 'b');
  const pid = agents.get('b')?.serverPid ?? 0;
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  killQuietly(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]), 'SIGKILL');
  await waitFor('the end of the server', () => !isRunning(pid));
  await waitFor('another server', () => agents.get('b')?.serverPid !== pid);
  await inSync('a', 'b');
});

test("etcd is not led from the primary's host", async () => {
  await waitFor('another leader of etcd', async () => (await cluster.leader()) !== (await sync()).primary);
});

test('the binary log is read from its files', async () => {
  const folder = folders.get('a') as DataFolder;
  const data = join(folder.path, 'mariadb', 'data');
  const [row] = await asRoot<{ gtid: string }[]>('a', 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const last = Number(row?.gtid.split('-')[2]);
  const found = await transactionsAfter(join(data, `${binaryLog}.index`), data, last - 3);
  expect(found.gtids).toHaveLength(3);
  expect(found.gtids.at(-1)).toBe(row?.gtid);
});

test('a switchover: the other host is the primary, with every write, and its cause is recorded', async () => {
  const { epoch } = await inSync('a', 'b');
  await sql('a', 'INSERT INTO t VALUES (7)');
  told.length = 0;
  const asked = wish('b');
  await etcd.put(keys.switchover, JSON.stringify(asked));
  await inSync('b', 'a');
  expect(await sql<unknown[]>('b', 'SELECT id FROM t')).toHaveLength(7);
  expect([ledEpoch.get('a'), ledEpoch.get('b')]).toEqual([epoch, epoch + 1]);
  expect(await lastChange()).toMatchObject({
    ...{ epoch: epoch + 1, previous: 'a', primary: 'b', cause: 'a switchover to b was asked for' },
    ...{ id: asked.id, askedAt: asked.askedAt },
    openedAfterMs: expect.any(Number),
  });
  expect((await etcd.get(keys.switchover)).entries).toEqual([]);
  await waitFor('the end of the rule', () => told.length > 1);
  expect(told).toEqual(['a: leave', 'a: stay']);
});

test('clients are led to one host only, also if the former primary is slow', async () => {
  const { epoch } = await inSync('b', 'a');
  const { promise, resolve } = Promise.withResolvers<void>();
  held = { host: 'b', go: promise };
  try {
    await etcd.put(keys.switchover, JSON.stringify(wish('a')));
    await waitFor('clients at a', () => ledUntilMs.has('a'));
  } finally {
    held = undefined;
    resolve();
  }
  expect((await inSync('a', 'b')).epoch).toBe(epoch + 1);
  await etcd.put(keys.switchover, JSON.stringify(wish('b')));
  await inSync('b', 'a');
  expect(ledToBoth).toEqual([]);
});

test('while promotion is paused, a killed primary is the primary again', async () => {
  await inSync('b', 'a');
  await etcd.put(keys.paused, '{}');
  killQuietly(agents.get('b')?.serverPid ?? 0, 'SIGKILL');
  await writes('b', 8);
  await etcd.transact([], [{ delete: keys.paused }]);
  await inSync('b', 'a');
  expect(await lastChange()).toMatchObject({ previous: 'b', primary: 'b' });
});

test("writes that only a standby has are saved and reported, and its data becomes a copy of the primary's", async () => {
  await inSync('b', 'a');
  await asRoot('a', 'INSERT INTO tidegate.t VALUES (100)');
  await sql('b', 'INSERT INTO t VALUES (9)');
  const saved = await waitFor('what was kept', async () => {
    const { entries } = await etcd.get(keys.saves);
    const found = entries.map(({ value }) => savedValue.parse(JSON.parse(value)));
    return found.find(({ host }) => host === 'a');
  });
  expect(saved).toMatchObject({ transactions: 1, gtids: [expect.stringMatching(/^0-\d+001-/)] });
  await waitFor('the copy', async () =>
    sql<{ id: number }[]>('a', 'SELECT id FROM t ORDER BY id').then(
      (rows) => rows.map(({ id }) => id).join() === '1,2,3,4,5,6,7,8,9',
      () => false,
    ),
  );
  await inSync('b', 'a');
});

test('a commit that waits for a standby that stands still is let go after it is out of the set: no failover', async () => {
  const { epoch } = await inSync('b', 'a');
  const pid = agents.get('a')?.serverPid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    await sql('b', 'INSERT INTO t VALUES (10)');
    expect(await sync()).toMatchObject({ epoch, primary: 'b', members: [] });
  } finally {
    process.kill(pid, 'SIGCONT');
  }
  expect((await inSync('b', 'a')).epoch).toBe(epoch);
});

test('a primary whose server stands still gives the lead away', async () => {
  const { epoch } = await inSync('b', 'a');
  process.kill(agents.get('b')?.serverPid ?? 0, 'SIGSTOP');
  await writes('a', 11);
  expect(await lastChange()).toMatchObject({ epoch: epoch + 1, primary: 'a', cause: 'no commit succeeds' });
  expect(await sql<unknown[]>('a', 'SELECT id FROM t')).toHaveLength(11);
  await inSync('a', 'b');
});

test('a host that lacks a write is promoted when the loss is accepted; lost writes are saved and reported', async () => {
  const { epoch } = await inSync('a', 'b');
  const hosts = ['a', 'b'].map((name) => ({ name, address: addressOf(name), kind: 'data' as const }));
  const people = new Cluster(etcd, 'test', hosts);
  await endHost('b');
  await writes('a', 12);
  await expect(people.promoteLossy('b', 0)).rejects.toMatchObject({ code: 'PRIMARY_LIVES' });
  // Its last report has the write.
  const [at] = await asRoot<{ gtid: string }[]>('a', 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const written = Number(at?.gtid.split('-')[2]);
  await waitFor('its report', async () => {
    const { entries } = await etcd.get(keys.report('a'));
    return reportValue.parse(JSON.parse(entries[0]?.value ?? '')).received >= written;
  });
  await endHost('a');
  await startAgent('b');
  await waitFor('the end of the lease', async () => (await etcd.get(keys.leader)).entries.length === 0);
  const ask = (loss: number) =>
    waitFor('a refusal', () =>
      people.promoteLossy('b', loss).then(
        () => 'asked',
        (error: { code: string; message: string }) => (error.code === 'SILENT' ? undefined : error.message),
      ),
    );
  const refusal = await ask(1_000);
  const loss = Number(/--accept-loss (\d+)/.exec(refusal)?.[1]);
  expect(loss).toBeGreaterThan(0);
  expect(await ask(loss)).toBe('asked');
  await writes('b', 13);
  expect(await sql<unknown[]>('b', 'SELECT id FROM t WHERE id = 12')).toEqual([]);
  expect(await lastChange()).toMatchObject({ previous: 'a', primary: 'b', cause: expect.stringContaining('accepted') });
  expect(await sql<unknown[]>('b', `SELECT lossy FROM db_timeline WHERE epoch = ${epoch + 1}`)).toEqual([{ lossy: 1 }]);
  await startAgent('a');
  expect((await inSync('b', 'a')).epoch).toBe(epoch + 1);
  const { entries } = await etcd.get(keys.saves);
  const told = entries.map(({ value }) => savedValue.parse(JSON.parse(value)));
  expect(told).toContainEqual(expect.objectContaining({ host: 'a', epoch: epoch + 1 }));
  expect(await sql<unknown[]>('a', 'SELECT id FROM t WHERE id = 12')).toEqual([]);
});

test('a restarted standby still has unapplied transactions, also after a promotion with a loss', async () => {
  const { epoch } = await inSync('b', 'a');
  const hosts = ['a', 'b'].map((name) => ({ name, address: addressOf(name), kind: 'data' as const }));
  const people = new Cluster(etcd, 'test', hosts);
  const standby = agents.get('a')?.serverPid ?? 0;
  await agents.get('a')?.stop();
  await asRoot('a', 'STOP SLAVE SQL_THREAD');
  await sql('b', 'INSERT INTO t VALUES (14)');
  expect(await sync()).toMatchObject({ epoch, members: [{ host: 'a' }] });
  const [at] = await asRoot<{ gtid: string }[]>('b', 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const written = Number(at?.gtid.split('-')[2]);
  await waitFor('its report', async () => {
    const { entries } = await etcd.get(keys.report('b'));
    return reportValue.parse(JSON.parse(entries[0]?.value ?? '')).received >= written;
  });
  await endHost('b');
  killQuietly(standby, 'SIGKILL');
  await startAgent('a');
  await waitFor('the end of the lease', async () => (await etcd.get(keys.leader)).entries.length === 0);
  await waitFor('the wish', () =>
    people.promoteLossy('a', 0).then(
      () => true,
      ({ code, message }: { code: string; message: string }) => {
        if (code !== 'SILENT') throw new Error(message);
        return false;
      },
    ),
  );
  await writes('a', 15);
  expect(await sql<unknown[]>('a', 'SELECT id FROM t WHERE id = 14')).toHaveLength(1);
  await startAgent('b');
  await inSync('a', 'b');
});
