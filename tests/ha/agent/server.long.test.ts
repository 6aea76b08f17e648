// The server of a data host, without the agent's decisions: its start, its fence, its copies, and the state that a killed agent leaves.
// needs: mariadb-backup
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import { databasePath, makeDatabase } from '../../../embedded/mariadb.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { monotonicMs } from '../../../ha/agent/clock.ts';
import { copyFailurePath, copyPath } from '../../../ha/agent/copy.ts';
import { CopyServer } from '../../../ha/agent/copy-server.ts';
import { fetchCopy } from '../../../ha/agent/fetch-copy.ts';
import { HaServer, type ServerOptions } from '../../../ha/agent/server.ts';
import { replicationUser } from '../../../ha/agent/server-program.ts';
import { Session } from '../../../ha/agent/session.ts';
import { makeCertificate } from '../../../platform/net/certificates.ts';
import { freePort } from '../../support/machine/free-port.ts';
import { patience } from '../../support/machine/patience.ts';
import { isRunning, type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

const farMs = 3_600_000;
const opening = { epoch: 1, lossy: false, fenced: undefined, waits: false, mayOpen: () => true };
let place: TemporaryFolder;
let folder: DataFolder;
let port: number;
const servers: HaServer[] = [];
const warnings: string[] = [];

beforeEach(async () => {
  warnings.length = 0;
  place = await temporaryFolder();
  folder = await openDataFolder(join(place.path, 'a'), { version: 1 });
  port = await freePort();
});

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.kill();
    server.close();
  }
  await folder.close();
  await place.remove();
});

async function open(): Promise<HaServer> {
  await makeDatabase(folder);
  return openAsItIs();
}

async function openAsItIs(others: ServerOptions['hosts'] = {}): Promise<HaServer> {
  const server = await HaServer.open({
    ...{
      folder,
      log: { ...silentLog, warn: (line) => warnings.push(line) },
      me: 'a',
      hosts: { a: { address: '127.0.0.1', port, serverId: 1 }, ...others },
    },
    ...{ accounts: { applicationPassword: 'a', replicationPassword: 'b' }, heartbeatMs: 60_000, mayRoute: false },
  });
  servers.push(server);
  return server;
}

/** Fences with an end of the lease that does not matter. */
const fence = (server: HaServer, fenceAtMs: number) => server.fence(fenceAtMs, fenceAtMs);

async function isUp(server: HaServer): Promise<boolean> {
  return (await server.view()).state === 'up';
}

test('a lease that is renewed while the server starts applies to it, and its end kills the server', async () => {
  const server = await open();
  const firstMs = monotonicMs() + 5_000 * patience;
  await fence(server, firstMs);
  const starting = server.start('MASTER');
  const fenceFile = join(folder.path, 'mariadb', 'fence');
  await waitFor('the fence', async () => (await readFile(fenceFile, 'utf8').catch(() => '')) !== '');
  await fence(server, firstMs + farMs);
  await starting;
  await waitFor('the server', () => isUp(server));
  await waitFor('the end of the first lease', () => monotonicMs() > firstMs + 500);
  expect(await isUp(server)).toBe(true);
  expect(await readFile(fenceFile, 'utf8')).toBe(String(firstMs + farMs));
  const pid = server.pid ?? 0;
  await fence(server, monotonicMs());
  await waitFor('its end', () => !isRunning(pid));
});

test('a host that leaves while admissions change is refused, and so is its replication', async () => {
  await makeDatabase(folder);
  const server = await openAsItIs({ b: { address: '127.0.0.2', port, serverId: 2 } });
  await fence(server, monotonicMs() + farMs);
  await server.start('MASTER');
  await waitFor('the server', () => isUp(server));
  const session = new Session(server.root);
  const accounts = () =>
    session.query<unknown[]>('SELECT user FROM mysql.global_priv WHERE user = ?', [replicationUser(2)], 5_000);
  try {
    await waitFor('its account', async () => (await accounts()).length === 1);
    const admissions = (async () => {
      for (let count = 0; count < 30; count += 1) await server.allow(`test${count}`, 'b');
      await server.bar();
    })();
    server.refuseReplicas([2]);
    // Neither connection blocks the statements of the other.
    await admissions;
    await waitFor('the end of its account', async () => (await accounts()).length === 0);
  } finally {
    session.forget();
  }
});

test('a host whose account could not be removed at once loses it as soon as the server answers', async () => {
  await makeDatabase(folder);
  const server = await openAsItIs({ b: { address: '127.0.0.2', port, serverId: 2 } });
  await fence(server, monotonicMs() + farMs);
  await server.start('MASTER');
  await waitFor('the server', () => isUp(server));
  const session = new Session(server.root);
  const locking = new Session(server.root);
  const accounts = () =>
    session.query<unknown[]>('SELECT user FROM mysql.global_priv WHERE user = ?', [replicationUser(2)], 5_000);
  try {
    await waitFor('its account', async () => (await accounts()).length === 1);
    // The lock lasts longer than a change may take.
    await locking.query('LOCK TABLES mysql.global_priv WRITE', [], 5_000);
    server.refuseReplicas([2]);
    await waitFor('the failure', () => warnings.some((each) => each.includes('not up to date')));
    locking.forget();
    await waitFor('the end of its account', async () => {
      await server.view();
      return (await accounts()).length === 0;
    });
  } finally {
    for (const each of [session, locking]) each.forget();
  }
}, 60_000);

/** Statements that stop commits. */
const locks = {
  'a read lock': ['FLUSH TABLES WITH READ LOCK'],
  'a backup lock': ['START', 'FLUSH', 'BLOCK_DDL', 'BLOCK_COMMIT'].map((stage) => `BACKUP STAGE ${stage}`),
};

test.each(Object.entries(locks))(
  '%s does not make a primary count as dead, but a server that hangs under it does',
  async (_what, statements) => {
    const server = await open();
    await fence(server, monotonicMs() + farMs);
    await server.start('MASTER');
    await waitFor('the server', () => isUp(server));
    await server.open(opening);
    const locking = new Session(server.root);
    const pid = server.pid ?? 0;
    const deadMs = () => monotonicMs() - server.aliveAtMs;
    try {
      for (const each of statements) await locking.query(each, [], 10_000);
      await waitFor('a commit that waits', () => warnings.some((each) => each.includes('commits wait')));
      const untilMs = monotonicMs() + 3_000;
      let mostMs = 0;
      await waitFor('three seconds', () => {
        mostMs = Math.max(mostMs, deadMs());
        return monotonicMs() > untilMs;
      });
      expect(mostMs).toBeLessThan(1_000);
      process.kill(pid, 'SIGSTOP');
      await waitFor('its death', () => deadMs() >= 1_000);
    } finally {
      process.kill(pid, 'SIGCONT');
      locking.forget();
    }
    await waitFor('commits', () => deadMs() < 400);
  },
  60_000,
);

/** Gives copies of a primary. `silenceMs`: how long a receiver may take nothing. */
async function givingCopies(silenceMs: number, mostBytesPerSecond = 1e9) {
  const server = await open();
  await fence(server, monotonicMs() + farMs);
  await server.start('MASTER');
  await waitFor('the server', () => isUp(server));
  await server.open(opening);
  const authority = await makeCertificate({ commonName: 'test hosts', use: 'authority' });
  const tls = await makeCertificate({ commonName: 'a', issuer: authority, names: ['127.0.0.1'] });
  const place = { address: '127.0.0.1', port: await freePort(), tls: { ca: authority.cert, ...tls } };
  const log = { ...silentLog, warn: (line: string) => warnings.push(line) };
  const source = async () => (await server.view()) && server.copySource();
  const copies = await CopyServer.start({ ...place, log, source, mostBytesPerSecond, silenceMs });
  await waitFor('writes', async () => (await source()) !== undefined);
  const asking: ClientRequest[] = [];
  const ask = async (path = copyPath): Promise<IncomingMessage> => {
    const { address: host, port: at } = place;
    const asked = request({ host, port: at, path, ...place.tls, agent: false });
    asking.push(asked.on('error', () => undefined));
    const [answer] = (await once(asked.end(), 'response')) as [IncomingMessage];
    return answer.on('error', () => undefined);
  };
  const end = async () => {
    for (const each of asking) each.destroy();
    await copies.stop();
  };
  return { server, place, ask, [Symbol.asyncDispose]: end };
}

test('a host that stops reading its copy gets no more, and the next host gets a copy', async () => {
  await using copies = await givingCopies(1_000);
  const frozen = (await copies.ask()).pause();
  expect(frozen.statusCode).toBe(200);
  const why = 'the host that gets it has taken nothing for 1 s';
  await waitFor('its end', () => warnings.includes(`a copy was not given to 127.0.0.1: ${why}`));
  expect(await text(await copies.ask(copyFailurePath))).toBe(`${why}\n`);
  const whole = await waitFor('the next one', async () => {
    const answer = await copies.ask();
    return answer.statusCode === 200 && answer;
  });
  let bytes = 0;
  for await (const part of whole) bytes += (part as Buffer).length;
  expect(whole.complete).toBe(true);
  expect(bytes).toBeGreaterThan(1_000_000);
}, 60_000);

test('a host whose copy ends because of the primary learns the reason', async () => {
  await using copies = await givingCopies(60_000, 2_000_000);
  const into = join(place.path, 'copy');
  await mkdir(into);
  const fetched = fetchCopy({
    ...{ ...copies.place, into, log: silentLog, runAs: undefined, signal: AbortSignal.timeout(30_000) },
    freeBytes: async () => 1e12,
    onProgress: () => copies.server.kill(),
  });
  await expect(fetched).rejects.toThrow('the primary has ended the copy: mariadb-backup ended with 1');
}, 60_000);

test('a copy that holds locks does not wait for the host that gets it, which gets all of it later', async () => {
  await using copies = await givingCopies(60_000);
  const session = new Session(copies.server.root);
  const run = <Rows>(text: string) => session.query<Rows>(text, [], 20_000);
  // mariadb-backup copies a table of this engine under its locks. It is larger than the buffers of a connection.
  const tableBytes = 40_000_000;
  try {
    await copies.server.waitForAcknowledgements(false);
    await run('CREATE TABLE tidegate.tail_of_copy (part LONGBLOB) ENGINE = MyISAM');
    for (let part = 0; part < 4; part += 1)
      await run(`INSERT INTO tidegate.tail_of_copy VALUES (REPEAT('x', ${tableBytes / 4}))`);
    const answer = await copies.ask();
    const parts = answer[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    let [bytes, last] = [0, ''];
    while (!last.includes('tail_of_copy.MYD')) {
      const { value, done } = await parts.next();
      if (done === true) throw new Error('the table is not in the copy');
      bytes += value.length;
      last = last.slice(-100) + value.toString('latin1');
    }
    // Nobody reads the copy now, and writes of this table wait for its locks.
    await run("INSERT INTO tidegate.tail_of_copy VALUES ('later')");
    for (let next = await parts.next(); next.done !== true; next = await parts.next()) bytes += next.value.length;
    expect(answer.complete).toBe(true);
    expect(bytes).toBeGreaterThan(tableBytes);
  } finally {
    session.forget();
  }
}, 60_000);

test('a standby has no fence until its writes are opened', async () => {
  const server = await open();
  await fence(server, monotonicMs() - 1);
  await server.start('SLAVE');
  await waitFor('the server', () => isUp(server));
  await fence(server, monotonicMs() + farMs);
  await server.open(opening);
  expect(await server.view()).toMatchObject({ duty: 'primary', writable: true });
});

const mostToldMs = 5_000;

test("the end of the lease is in the server's own row before writes are opened and after each renewal, and is never later than the real end", async () => {
  const server = await open();
  await server.start('SLAVE');
  await waitFor('the server', () => isUp(server));
  const session = new Session(server.root);
  const ask = <Row>(text: string) => session.query<Row[]>(text, [], 30_000);
  await ask('CREATE TABLE tidegate.db_lease (id TINYINT UNSIGNED PRIMARY KEY, ends_at DATETIME(6) NOT NULL)');
  const gtid = async () => (await ask<{ gtid: string }>('SELECT @@GLOBAL.gtid_binlog_pos AS gtid'))[0]?.gtid;
  const before = await gtid();
  // By the server's clock: at least the time that is left by this process's clock.
  const left = async (endsAtMs: number) => {
    const mostMs = endsAtMs - monotonicMs();
    const rows = await ask<{ ms: number }>(
      'SELECT TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), ends_at) / 1000 AS ms FROM tidegate.db_lease WHERE id = 1',
    );
    return rows[0] === undefined ? undefined : { toldMs: Number(rows[0].ms), mostMs };
  };
  try {
    const firstMs = monotonicMs() + farMs;
    await server.fence(firstMs, firstMs + 1_000);
    // A standby shows no end.
    expect(await left(firstMs)).toBeUndefined();
    await expect(server.open({ ...opening, mayOpen: () => false })).rejects.toThrow('not renewed in time');
    expect(await server.view()).toMatchObject({ writable: false });
    const first = await left(firstMs + 1_000);
    // Readers believe no end that is further ahead.
    expect(first?.toldMs).toBeGreaterThan(mostToldMs / 2);
    expect(first?.toldMs).toBeLessThanOrEqual(mostToldMs);
    // The millisecond allows for a clock that is being adjusted.
    expect(first?.toldMs).toBeLessThan((first?.mostMs ?? 0) + 1);
    await server.open(opening);
    // Each look writes it again if that is due, so that it stays ahead for longer than it was told at once.
    const fromMs = monotonicMs();
    await waitFor('renewals', async () => {
      await server.view();
      expect((await left(firstMs))?.toldMs).toBeGreaterThan(0);
      return monotonicMs() > fromMs + mostToldMs + 1_000;
    });
    const nextMs = monotonicMs() + mostToldMs / 2;
    await server.fence(firstMs, nextMs);
    await waitFor('a nearer end', async () => ((await left(nextMs))?.toldMs ?? 0) < mostToldMs / 2);
    const next = await left(nextMs);
    expect(next?.toldMs).toBeLessThan((next?.mostMs ?? 0) + 1);
    expect(await gtid()).toBe(before);
  } finally {
    session.forget();
  }
});

test.each([
  ['the copy, which is whole', ['data.copy', 'data.old'], 'data.copy'],
  ['what was there', ['data.old'], 'data.old'],
  ['the copy, which is in place', ['data', 'data.old'], 'data'],
  ['what was there, without a copy that is not whole', ['data.copy', 'data'], 'data'],
] as const)('after a crash during the replacement of the data there is %s', async (_what, there, expected) => {
  const home = join(folder.path, 'mariadb');
  for (const each of there) {
    await mkdir(join(home, each), { recursive: true });
    await writeFile(join(home, each, 'which'), each);
  }
  await openAsItIs();
  expect(await readFile(join(home, 'data', 'which'), 'utf8')).toBe(expected);
  expect((await readdir(home)).filter((name) => name.startsWith('data'))).toEqual(['data']);
});

test('a promotion writes its time in UTC, whatever the time zone of its host, and later than every recorded time', async () => {
  const server = await open();
  await server.start('SLAVE');
  await waitFor('the server', () => isUp(server));
  const session = new Session(server.root);
  const run = <Rows>(text: string, values: readonly unknown[] = []) => session.query<Rows>(text, values, 30_000);
  try {
    await run("SET GLOBAL time_zone = '+05:00'");
    await run(
      'CREATE TABLE tidegate.db_timeline (epoch INT PRIMARY KEY, lossy BOOLEAN, gtid VARCHAR(255), at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3))',
    );
    await run('CREATE TABLE tidegate.lease (name VARCHAR(9), token CHAR(36), host VARCHAR(9), expires_at DATETIME(3))');
    await run('CREATE TABLE tidegate.commit_record (id CHAR(36) PRIMARY KEY, at DATETIME(3) NOT NULL)');
    await run("INSERT INTO tidegate.lease VALUES ('x', UUID(), 'lost', UTC_TIMESTAMP(3) + INTERVAL 10 SECOND)");
    // By the clock of the last primary, which was ahead.
    await run("INSERT INTO tidegate.commit_record VALUES ('last', UTC_TIMESTAMP(3) + INTERVAL 900000 MICROSECOND)");
    await server.fence(monotonicMs() + farMs, monotonicMs() + farMs);
    await server.open({ ...opening, fenced: 'lost' });
    const [found] = await run<Record<string, number>[]>(
      `SELECT t.at <= UTC_TIMESTAMP(3) AS begun, t.at > c.at AS later, l.expires_at < UTC_TIMESTAMP(3) AS ended
      FROM tidegate.db_timeline t, tidegate.commit_record c, tidegate.lease l`,
    );
    expect(found).toMatchObject({ begun: 1, later: 1, ended: 1 });
    // The promotion does not wait for a clock that was wrong.
    await run("INSERT INTO tidegate.commit_record VALUES ('wrong', UTC_TIMESTAMP(3) + INTERVAL 1 HOUR)");
    await server.open({ ...opening, epoch: 2 });
    expect(await server.view()).toMatchObject({ writable: true });
  } finally {
    session.forget();
  }
});

test('a server that an agent started but could not record is killed before another one starts', async () => {
  const first = await open();
  await first.start('SLAVE');
  await waitFor('the first server', () => isUp(first));
  const pid = first.pid ?? 0;
  await rm(join(folder.path, 'mariadb', 'server.json'));
  const second = await open();
  expect(await second.view()).toEqual({ state: 'down' });
  await second.start('SLAVE');
  await waitFor('its end', () => !isRunning(pid));
  await waitFor('the second server', async () => {
    if ((await second.view()).state === 'down') await second.start('SLAVE');
    return isUp(second);
  });
});

test.each(['gone', 'not mounted'])('a database that is %s is not created again', async (how) => {
  await makeDatabase(folder);
  const data = databasePath(folder.path);
  await rm(data, { recursive: true });
  if (how === 'not mounted') await mkdir(data);
  const server = await openAsItIs();
  expect(await server.view()).toEqual({ state: 'empty' });
});
