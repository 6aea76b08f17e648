// Which acknowledgements release a commit, on real servers. Only a host that receives with its admission account counts. A host that was shut
// out does not count, even if it still sends acknowledgements.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { makeDatabase } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { HaServer } from '../../../ha/agent/server.ts';
import { receivingAccount } from '../../../ha/agent/server-program.ts';
import { Session } from '../../../ha/agent/session.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const farMs = 3_600_000;
const accounts = { applicationPassword: 'of-the-application', replicationPassword: 'of-the-replica' };
const [first, second] = ['00000000000000a1', '00000000000000a2'] as const;
const names = ['a', 'b', 'c'] as const;
type Name = (typeof names)[number];
let place: TemporaryFolder;
let servers: Record<Name, HaServer>;
const folders: DataFolder[] = [];
const sessions: Session[] = [];

beforeEach(async () => {
  place = await temporaryFolder();
  const hosts = Object.fromEntries(
    await Promise.all(
      names.map(
        async (name, at) => [name, { address: '127.0.0.1', port: await freePort(), serverId: at + 1 }] as const,
      ),
    ),
  );
  const opened: [Name, HaServer][] = [];
  for (const me of names) {
    const folder = await openDataFolder(join(place.path, me), { version: 1 });
    folders.push(folder);
    await makeDatabase(folder);
    const options = { folder, me, hosts, accounts, log: silentLog, heartbeatMs: 60_000, mayRoute: false };
    opened.push([me, await HaServer.open(options)]);
  }
  servers = Object.fromEntries(opened) as Record<Name, HaServer>;
  await servers.a.fence(monotonicMs() + farMs, monotonicMs() + farMs);
  for (const name of names) await servers[name].start(name === 'a' ? 'MASTER' : 'SLAVE');
  for (const name of names)
    await waitFor(`the server of ${name}`, async () => (await servers[name].view()).state === 'up');
  await servers.a.waitForAcknowledgements(false);
  await servers.a.open({ epoch: 1, lossy: false, fenced: undefined, waits: false, mayOpen: () => true });
});

afterEach(async () => {
  for (const session of sessions.splice(0)) session.forget();
  for (const server of Object.values(servers)) {
    server.kill();
    server.close();
  }
  for (const folder of folders.splice(0)) await folder.close();
  await place.remove();
});

function ask<Row>(name: Name, text: string): Promise<Row[]> {
  const session = new Session(servers[name].root);
  sessions.push(session);
  return session.query<Row[]>(text, [], undefined);
}

/** Each receiver gets the write, whether or not its commit has ended. */
async function write(receivers: readonly Name[]): Promise<{ readonly hasEnded: () => boolean }> {
  let hasEnded = false;
  const before = await positions();
  servers.a.prove().then(
    () => {
      hasEnded = true;
    },
    () => undefined,
  );
  for (const name of receivers)
    await waitFor(`the write at ${name}`, async () => (await positions())[name] > before[name]);
  return { hasEnded: () => hasEnded };
}

async function positions(): Promise<Record<Name, number>> {
  const views = await Promise.all(names.map(async (name) => [name, await servers[name].view()] as const));
  return Object.fromEntries(views.map(([name, view]) => [name, view.state === 'up' ? view.received : 0])) as Record<
    Name,
    number
  >;
}

async function follows(name: Name, admission?: string): Promise<void> {
  await servers[name].follow('a', 'r', admission);
  await waitFor(`${name} receives`, async () => {
    const view = await servers[name].view();
    return view.state === 'up' && view.replica?.connected === true && view.replica.admission === admission;
  });
}

async function admissions(): Promise<readonly string[]> {
  const view = await servers.a.view();
  return view.state === 'up' ? view.admissions : ['?'];
}

/** The number of connections that count, as reported by the server. */
const clients = () => statusOf('clients');
const waitingCommits = () => statusOf('wait_sessions');

async function statusOf(name: string): Promise<number> {
  const [row] = await ask<{ Value: string }>('a', `SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_${name}'`);
  return Number(row?.Value);
}

test('a host with the shared account acknowledges nothing, and one with its admission account does', async () => {
  await follows('b');
  await follows('c');
  expect([await clients(), await admissions()]).toEqual([0, []]);
  await servers.a.waitForAcknowledgements(true);
  await write(['b', 'c']);
  expect(await waitingCommits()).toBe(1);
  await servers.a.allow(first, 'c');
  await follows('c', first);
  expect(await admissions()).toEqual([first]);
  await waitFor('it to count', async () => (await clients()) === 1);
  // The host already has that write. It acknowledges the next one, and with it every earlier one.
  const next = await write(['c']);
  await waitFor('the acknowledgement', next.hasEnded);
  await waitFor('the end of the earlier one', async () => (await waitingCommits()) === 0);
});

test('a host that was shut out no longer acknowledges, even if it hung or reconnects by itself', async () => {
  await servers.a.allow(first, 'b');
  await follows('b', first);
  await follows('c');
  await servers.a.waitForAcknowledgements(true);
  const acknowledged = await write(['b', 'c']);
  await waitFor('the acknowledgement', acknowledged.hasEnded);
  const pid = servers.b.pid ?? 0;
  process.kill(pid, 'SIGSTOP');
  try {
    const waiting = await write(['c']);
    expect(await clients()).toBe(1);
    await servers.a.bar();
    expect([await clients(), await admissions()]).toEqual([0, []]);
    process.kill(pid, 'SIGCONT');
    // The host reads what is left in its socket, acknowledges it, and is refused when it reconnects.
    await waitFor('its refusal', async () => {
      const [row] = await ask<{ Last_IO_Errno: number }>('b', 'SHOW SLAVE STATUS');
      return row?.Last_IO_Errno === 1045;
    });
    expect(waiting.hasEnded()).toBe(false);
    await servers.a.allow(second, 'c');
    await follows('c', second);
    const next = await write(['c']);
    await waitFor('the acknowledgement of the other one', next.hasEnded);
    expect([await clients(), await admissions()]).toEqual([1, [second]]);
    await follows('b');
    await write(['b', 'c']);
    expect(await clients()).toBe(1);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
});

test('a connection is found and ended even after its account was removed', async () => {
  await servers.a.allow(first, 'b');
  await follows('b', first);
  await ask(
    'a',
    `SET STATEMENT sql_log_bin = 0 FOR DROP USER '${receivingAccount(accounts, 2, first).user}'@'%'`,
  ).catch(async () => {
    await ask('a', `DROP USER '${receivingAccount(accounts, 2, first).user}'@'%'`);
  });
  expect(await admissions()).toEqual([first]);
  await servers.a.bar();
  expect([await clients(), await admissions()]).toEqual([0, []]);
});

test('admission accounts exist on the primary only', async () => {
  await follows('b');
  await servers.a.allow(first, 'b');
  await servers.a.bar();
  await servers.a.allow(second, 'b');
  await write(['b']);
  const users = await ask<{ user: string }>('b', "SELECT user FROM mysql.global_priv WHERE user LIKE 'tidegate%sync%'");
  expect(users).toEqual([]);
});

test('a former primary gets back its last writes, which its recovery rolled back', async () => {
  await servers.a.allow(first, 'b');
  await follows('b', first);
  await servers.a.waitForAcknowledgements(true);
  await ask('a', 'CREATE TABLE tidegate.t (id INT PRIMARY KEY)');
  await ask('a', 'INSERT INTO tidegate.t VALUES (1)');
  servers.a.kill();
  await servers.b.stopReceiving();
  await waitFor('all at b', async () => (await ask<unknown>('b', 'SELECT id FROM tidegate.t')).length === 1);
  await servers.b.fence(monotonicMs() + farMs, monotonicMs() + farMs);
  await servers.b.open({ epoch: 2, lossy: false, fenced: undefined, waits: false, mayOpen: () => true });
  await ask('b', 'INSERT INTO tidegate.t VALUES (2)');
  await waitFor('a to start', async () => {
    const view = await servers.a.view();
    if (view.state === 'down') await servers.a.start('SLAVE');
    return view.state === 'up';
  });
  await servers.a.follow('b', 'r2');
  await waitFor('both writes at a', async () => {
    const rows = await ask<{ id: number }>('a', 'SELECT id FROM tidegate.t ORDER BY id');
    return rows.map(({ id }) => id).join() === '1,2';
  });
});
