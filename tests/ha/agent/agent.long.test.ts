// Two agents with real servers and a real etcd: the primary, the effects of a kill, and an agent restart, which changes nothing.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { Connection } from 'mariadb';
import type { DataFolder } from '../../../embedded/data-folder.ts';
import { binaryLog } from '../../../embedded/mariadb.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { transactionsAfter } from '../../../ha/agent/binary-log.ts';
import { reportValue } from '../../../ha/agent/keys.ts';
import { Cluster } from '../../../ha/cluster.ts';
import { patience } from '../../support/machine/patience.ts';
import { isRunning, waitFor } from '../../support/machine/temporary-folder.ts';
import {
  addressOf,
  agents,
  asRoot,
  cluster,
  connect,
  endHost,
  etcd,
  folders,
  inSync,
  keys,
  makeTimeline,
  sql,
  startAgent,
  sync,
  useTwoHosts,
  writeSealingKey,
  writes,
} from './two-hosts.ts';

useTwoHosts();

test('the standby refuses client writes, and has every write of the primary', async () => {
  await sql('a', 'CREATE TABLE t (id INT PRIMARY KEY)');
  await sql('a', 'INSERT INTO t VALUES (1)');
  await expect(sql('b', 'INSERT INTO t VALUES (2)')).rejects.toMatchObject({ errno: 1290 });
  await waitFor('the write at b', async () => (await sql<unknown[]>('b', 'SELECT id FROM t')).length === 1);
});

test('status shows hosts whose clock is off or whose keys differ, and such hosts are not promoted', async () => {
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

test('a restarted agent takes over its server without a failover', async () => {
  const before = await sync();
  const pid = agents.get('a')?.serverPid;
  await agents.get('a')?.stop();
  await startAgent('a');
  await sql('a', 'INSERT INTO t VALUES (2)');
  expect(agents.get('a')?.serverPid).toBe(pid);
  expect((await sync()).epoch).toBe(before.epoch);
});

test('after kill -9 of the primary the standby takes over with every write, and the old primary returns', async () => {
  const before = await sync();
  await sql('a', 'INSERT INTO t VALUES (3)');
  await makeTimeline();
  for (const [name, host] of Object.entries({ of_a: "'a'", of_b: "'b'", none: 'NULL' }))
    await sql('a', `INSERT INTO lease VALUES ('${name}', '', ${host}, NOW(3) + INTERVAL 1 HOUR)`);
  // Simulates a restore from elsewhere. A promotion's timeline is newer than every timeline that the database has had.
  await sql('a', `INSERT INTO db_timeline VALUES (${before.epoch + 50}, 0, NULL, NOW(3))`);
  killQuietly(agents.get('a')?.serverPid ?? 0, 'SIGKILL');
  await writes('b', 4);
  expect((await sql<{ id: number }[]>('b', 'SELECT id FROM t ORDER BY id')).map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  const after = await inSync('b', 'a');
  expect(after.epoch).toBe(before.epoch + 51);
  // The row belongs to the new timeline, and was written in one transaction with it.
  expect(await sql<unknown[]>('b', `SELECT lossy FROM db_timeline WHERE epoch = ${after.epoch}`)).toEqual([
    { lossy: 0 },
  ]);
  const ended = await sql<{ name: string }[]>('b', "SELECT name FROM lease WHERE expires_at < NOW(3) AND token <> ''");
  expect(ended.map(({ name }) => name)).toEqual(['of_a']);
  await waitFor('all writes at a', async () => (await sql<unknown[]>('a', 'SELECT id FROM t')).length === 4);
  // Each server has its own row, which is updated with the lease.
  const leased = async (host: string) =>
    (await sql<{ is: number }[]>(host, 'SELECT ends_at > UTC_TIMESTAMP(6) AS `is` FROM db_lease'))[0]?.is;
  expect(await leased('b')).toBe(1);
  await waitFor('the end of the lease of a', async () => (await leased('a')) !== 1);
  expect(await leased('b')).toBe(1);
});

test('a primary whose agent is gone is killed by its watchdog, and the other host has every write', async () => {
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

test("the leader of etcd is not on the primary's host", async () => {
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

/** Keeps the host from applying writes to t. */
async function reader(host: string): Promise<Connection> {
  const connection = await connect(host);
  // It is ended by a promotion.
  connection.on('error', () => undefined);
  await connection.query('LOCK TABLES t READ');
  return connection;
}

/** The host's report on its server. */
async function reportOf(host: string) {
  const { entries } = await etcd.get(keys.report(host));
  return reportValue.parse(JSON.parse(entries[0]?.value ?? ''));
}

/** The member counts as it runs now: its primary has learned of its last restart. */
async function inSyncAsItIs(primary: string, member: string): Promise<number> {
  const { epoch } = await waitFor('the member as it runs now', async () => {
    const set = await inSync(primary, member);
    return set.members[0]?.incarnation === (await reportOf(member)).incarnation ? set : undefined;
  });
  return epoch;
}

test("a reader's lock on the standby does not hold up a promotion", async () => {
  await inSyncAsItIs('a', 'b');
  const blocking = await reader('b');
  await sql('a', 'INSERT INTO t VALUES (10)');
  await endHost('a');
  await writes('b', 11);
  expect(await sql<unknown[]>('b', 'SELECT id FROM t WHERE id IN (10, 11)')).toHaveLength(2);
  await expect(blocking.query('SELECT 1')).rejects.toThrow();
  await startAgent('a');
  await inSync('b', 'a');
});

test('a standby that has much to apply leaves the lead to the last primary, whose server starts again', async () => {
  const epoch = await inSyncAsItIs('b', 'a');
  await sql('b', 'CREATE TABLE slow (id INT PRIMARY KEY)');
  // Half a second for each row, where triggers run for replicated rows.
  const sleeps = "IF @@GLOBAL.slave_run_triggers_for_rbr <> 'NO' THEN DO SLEEP(0.5); END IF";
  await asRoot('b', `CREATE TRIGGER tidegate.slowly BEFORE INSERT ON tidegate.slow FOR EACH ROW ${sleeps}`);
  await asRoot('a', "SET GLOBAL slave_run_triggers_for_rbr = 'ENFORCE'");
  for (let id = 0; id < 60; id += 1) await sql('b', `INSERT INTO slow VALUES (${id})`);
  await waitFor('a report of that', async () => ((await reportOf('a')).drainsInMs ?? 0) > 10_000);
  killQuietly(agents.get('b')?.serverPid ?? 0, 'SIGKILL');
  await writes('b', 13);
  expect(await sync()).toMatchObject({ primary: 'b', epoch: epoch + 1 });
  await asRoot('a', "SET GLOBAL slave_run_triggers_for_rbr = 'NO'");
  await inSync('b', 'a');
  expect(await sql<unknown[]>('a', 'SELECT id FROM slow')).toHaveLength(60);
});
