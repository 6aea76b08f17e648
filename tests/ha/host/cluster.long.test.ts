// Three hosts, each a network namespace, with the real program. A single machine's database becomes a pair's without a dump. The commands
// show the leader and the place of the address.
// needs: system, keepalived, curl, root

import { type ChildProcess, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { openSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createConnection } from 'mariadb';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { startMariadb } from '../../../embedded/mariadb.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { Session } from '../../../ha/agent/session.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { readHostFile } from '../../../ha/host/host-file.ts';
import { readKeyFiles } from '../../../ha/host/key-files.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { HaNetwork, places } from '../../../trials/ha/network.ts';
import { patience } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

type Host = 'a' | 'b' | 'w';
const virtual = '198.19.77.10';
const program = fileURLToPath(new URL('../../../bin/tidegate', import.meta.url));
const leaseSeconds = 5;
const waitSeconds = String(90 * patience);
/** A switchover is requested again if it was not done, because its host may acknowledge too late on a busy machine. */
const tryWaitSeconds = String(20 * patience);
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

let place: TemporaryFolder;
let network: HaNetwork;
let invited: { url: string; tokens: { data: string; witness: string } };
const agents = new Map<Host | 'c', ChildProcess>();

describeAsRoot('of two data hosts and a witness', () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    network = await HaNetwork.layOut(`h${process.pid}`);
    const folder = await openDataFolder(folderOf('a'), { version: 1 });
    const single = await startMariadb({ folder, log: silentLog });
    const session = await createConnection({ ...single.application });
    await session.query(
      'CREATE TABLE db_timeline (epoch INT PRIMARY KEY, lossy BOOLEAN NOT NULL, gtid VARCHAR(255), at DATETIME(3))',
    );
    await session.query("INSERT INTO db_timeline VALUES (7, 0, '', NOW(3))");
    await session.query('CREATE TABLE t (id INT PRIMARY KEY)');
    await session.query('INSERT INTO t VALUES (1)');

    await makeKeys(join(folderOf('a'), 'keys'));
    const init = [
      'ha',
      'init',
      '--name',
      'a',
      '--address',
      places.a,
      // The longest lease. An agent restarts within it, unless the machine is too busy.
      ...['--lease', String(leaseSeconds)],
      '--vip',
      `${virtual}/24`,
      '--no-install',
      '--json',
    ];
    const begun = await tidegate('a', init);
    expect(begun).toMatchObject({ exitCode: 0, stderr: '' });
    invited = JSON.parse(begun.stdout);
    startAgent('a');
    const joined = await waitFor('b to join', async () => {
      const answer = await tidegate('b', joinWords('b', invited.tokens.data));
      return answer.exitCode === 3 ? undefined : answer;
    });
    expect(joined).toMatchObject({ exitCode: 0, stderr: '' });
    startAgent('b');
    expect(await tidegate('w', [...joinWords('w', invited.tokens.witness), '--witness'])).toMatchObject({
      exitCode: 0,
    });
    startAgent('w');

    // The single machine runs until it is stopped.
    await session.query('INSERT INTO t VALUES (2)');
    await session.end();
    await single.stop();
    await folder.close();
  });

  afterAll(async () => {
    for (const each of agents.values()) each.kill('SIGKILL');
    await network?.remove();
    await place?.remove();
  });

  test('the single machine is taken over with its rows and its epoch, and the other host is in sync', async () => {
    const seen = await whole();
    expect(seen).toMatchObject({ primary: 'a', copies: 2, epoch: 8, paused: false });
    expect(seen.hosts.map(({ name, state }) => [name, state])).toEqual([
      ['a', 'PRIMARY'],
      ['b', 'IN_SYNC'],
      ['w', 'WITNESS'],
    ]);
    for (const host of ['a', 'b'] as const)
      expect(await sql<{ id: number }[]>(host, 'SELECT id FROM tidegate.t ORDER BY id')).toEqual([
        { id: 1 },
        { id: 2 },
      ]);
    await waitFor('the address at a', async () => (await addressAt()) === 'a');
    expect([await health('a'), await health('b')]).toEqual(['200', '503']);
  });

  test('the other data host has the keys, the witness has none, and init and join are reported', async () => {
    const keysOf = (host: Host) => readKeyFiles(join(folderOf(host), 'keys'));
    expect(Object.keys(await keysOf('a'))).toContain('sealing.keys');
    expect(await keysOf('b')).toEqual(await keysOf('a'));
    expect(await keysOf('w')).toEqual({});
    for (const host of ['a', 'b', 'w'] as const)
      await waitFor(`what was asked for on ${host} to be told`, async () => {
        const noted = await readdir(join(folderOf(host), 'ha', 'acts'));
        return noted.length === 0;
      });
  });

  test('a switchover moves writes and the address, and is recorded', async () => {
    const before = await whole();
    const done = await tidegate('w', ['ha', 'switchover', '--json']);
    expect(done).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(done.stdout)).toEqual({ primary: 'b', epoch: before.epoch + 1, copies: expect.any(Number) });
    await waitFor('the address at b', async () => (await addressAt()) === 'b');
    await sql('b', 'INSERT INTO tidegate.t VALUES (3)');
    expect(await whole()).toMatchObject({ primary: 'b', copies: 2, switchoverTo: null });
    const { stdout } = await tidegate('a', ['ha', 'history', '--json']);
    expect(JSON.parse(stdout).moves.at(-1)).toMatchObject({
      previous: 'a',
      primary: 'b',
      kind: 'SWITCHOVER',
      state: 'SUCCEEDED',
      reason: 'a switchover to b was requested',
    });
    expect(await sql('b', 'SELECT MAX(epoch) AS epoch FROM tidegate.db_timeline')).toEqual([
      { epoch: before.epoch + 1 },
    ]);
  });

  test('a lost primary is replaced, and the address moves too', async () => {
    await whole();
    const pid = Number(await readFile(join(folderOf('b'), 'mariadb', 'server.pid'), 'utf8'));
    killQuietly(pid, 'SIGKILL');
    await waitFor('the address at a', async () => (await addressAt()) === 'a');
    await waitFor('writes at a', () =>
      sql('a', 'INSERT INTO tidegate.t VALUES (4)').then(
        () => true,
        () => false,
      ),
    );
    expect(await whole()).toMatchObject({ primary: 'a' });
    expect(await sql<unknown[]>('b', 'SELECT id FROM tidegate.t')).toHaveLength(4);
  });

  test('the death of an agent on the primary keeps server, epoch and address: the watchdog renews until the next agent does', async () => {
    for (let kills = 0; kills < 3; kills += 1) {
      const { primary, epoch } = await whole();
      const host = primary === 'b' ? 'b' : 'a';
      const read = (name: string) => readFile(join(folderOf(host), 'mariadb', name), 'utf8');
      const server = await read('server.pid');
      const ended = new Promise((resolve) => agents.get(host)?.once('exit', resolve));
      agents.get(host)?.kill('SIGKILL');
      await ended;
      const fence = await read('fence');
      await waitFor('a renewal without an agent', async () => (await read('fence')) !== fence);
      startAgent(host);
      await waitFor('the next agent', async () => (await health(host)) === '200');
      expect(await whole()).toMatchObject({ primary: host, epoch });
      expect(await read('server.pid')).toBe(server);
      await waitFor('the address', async () => (await addressAt()) === host);
    }
  });

  test('certificates are renewed by all processes without a move', async () => {
    const before = await whole();
    const serialOf = async (host: Host) =>
      new X509Certificate((await readHostFile(folderOf(host))).certificate).serialNumber;
    const old = await serialOf('b');
    const { stdout, exitCode } = await tidegate('w', ['ha', 'renew-certificates', '--json', '--wait', waitSeconds]);
    expect([exitCode, JSON.parse(stdout)]).toEqual([0, { renewed: ['a', 'b', 'w'] }]);
    expect(await serialOf('b')).not.toBe(old);
    const shown = async (at: string, more: readonly string[] = []) => {
      const place = folderOf('w');
      const own = ['-cert', join(place, 'certificates', 'host.pem'), '-key', join(place, 'certificates', 'host.key')];
      const words = ['openssl', 's_client', '-connect', at, ...own, ...more].join(' ');
      const serial = `${words} </dev/null 2>/dev/null | openssl x509 -noout -serial`;
      return (await inside('w', ['sh', '-c', serial])).trim().replace('serial=', '');
    };
    for (const [host, port, more] of [
      ...[['a', 2379, []] as const, ['b', 2379, []] as const, ['w', 2379, []] as const],
      ...[['a', 2381, []] as const, ['a', 3307, []] as const, ['b', 3307, []] as const],
      ...[['a', 3306, ['-starttls', 'mysql']] as const, ['b', 3306, ['-starttls', 'mysql']] as const],
    ])
      expect([host, port, await shown(`${places[host]}:${port}`, more)]).toEqual([host, port, await serialOf(host)]);
    const after = await whole();
    expect([after.primary, after.epoch, after.copies]).toEqual([before.primary, before.epoch, 2]);
    // A transaction of its own on the standby would end its replication.
    const [standby, primary] = before.primary === 'a' ? (['b', 'a'] as const) : (['a', 'b'] as const);
    const position = 'SELECT @@gtid_binlog_pos AS at';
    await waitFor('the same position', async () => {
      const [own, of] = await Promise.all([sql<{ at: string }[]>(standby, position), sql(primary, position)]);
      return isDeepStrictEqual(own, of);
    });
  });

  test('refusals change nothing and contain a remedy', async () => {
    const refused = async (host: Host, words: readonly string[], code: string) =>
      expect(await tidegate(host, words)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining(code) });
    await refused('a', ['ha', 'switchover', '--to', 'w'], 'NOT_FOUND');
    await refused('a', ['ha', 'init', '--name', 'a', '--address', places.a, '--no-install'], 'ALREADY');
    await refused('b', joinWords('b', invited.tokens.data), 'ALREADY');
    const elsewhere = ['--data', join(place.path, 'elsewhere')];
    const units = ['--units', join(place.path, 'units-elsewhere')];
    await refused('w', [...joinWords('x', invited.tokens.data), ...elsewhere, ...units, '--witness'], 'TOKEN_USED');
    const foreign = `tgh_${'a'.repeat(43)}.${'0'.repeat(64)}`;
    await refused('w', [...joinWords('x', foreign), ...units, '--data', join(place.path, 'foreign')], 'FOREIGN');
    await refused('w', ['ha', 'status', '--data', join(place.path, 'nothing')], 'NOT_CONFIGURED');
    // The primary already has the address that the other cluster would get.
    const other = ['ha', 'init', '--name', 'o', '--address', places.w, '--vip', `${virtual}/24`, '--no-install'];
    await refused('w', [...other, ...units, '--data', join(place.path, 'other')], 'ADDRESS_TAKEN');
    await waitFor('a refusal while the primary stays', async () => {
      const { primary, epoch } = await whole();
      const { exitCode, stderr } = await tidegate('a', ['ha', 'switchover', '--to', String(primary)]);
      // On a busy machine another host may have taken over before the request.
      if ((await whole()).epoch !== epoch) return false;
      expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: expect.stringContaining('ALREADY') });
      return true;
    });
  });

  test('a host leaves, and another one joins in its place', async () => {
    const leaving = await waitFor('a to be the primary', async () => {
      if ((await whole()).primary === 'a') return true;
      await tidegate('w', ['ha', 'switchover', '--to', 'a']);
      return false;
    });
    expect(leaving).toBe(true);
    const refusal = async (host: string, code: string) =>
      expect(await tidegate('w', ['ha', 'leave', '--host', host])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining(code),
      });
    await refusal('a', 'FIRST');
    await refusal('x', 'NOT_FOUND');
    const ended = new Promise((resolve) => agents.get('b')?.once('exit', resolve));
    expect(await tidegate('b', ['ha', 'leave'])).toMatchObject({ exitCode: 0, stderr: '' });
    await ended;
    expect(await tidegate('b', ['ha', 'status'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('LEFT: this host, b, has left the cluster at '),
    });
    await sql('a', 'INSERT INTO tidegate.t VALUES (5)');
    const { token, url } = JSON.parse((await tidegate('a', ['ha', 'invite', '--json'])).stdout);
    const folder = ['--data', folderOf('c')];
    const join = ['join', token, '--url', url, '--name', 'c', '--address', places.b, '--no-install', ...folder];
    expect(await tidegate('b', join)).toMatchObject({ exitCode: 0, stderr: '' });
    startAgent('b', 'c');
    const after = await waitFor('c in sync', async () => {
      const seen = await whole();
      return seen.hosts.some(({ name }) => name === 'c') ? seen : undefined;
    });
    expect(after.hosts.map(({ name }) => name).sort()).toEqual(['a', 'c', 'w']);
    expect(after.copies).toBe(2);
    expect(await sql<unknown[]>('c', 'SELECT id FROM tidegate.t')).toHaveLength(5);
  });

  test('the certificate of a departed host opens nothing, and the API certificate opens only etcd', async () => {
    const of = async (file: string, name: string) => {
      const { certificate, key, accounts } = JSON.parse(await readFile(file, 'utf8'));
      const at = join(place.path, name);
      await writeFile(`${at}.pem`, certificate, { mode: 0o600 });
      await writeFile(`${at}.key`, key, { mode: 0o600 });
      return {
        shows: ['--cert', `${at}.pem`, '--key', `${at}.key`],
        tls: [`--ssl-cert=${at}.pem`, `--ssl-key=${at}.key`],
        accounts,
      };
    };
    const left = await of(join(folderOf('b'), 'ha', 'left.json'), 'left');
    const listed = await of(join(folderOf('c'), 'ha', 'host.json'), 'listed');
    const served = await of(join(folderOf('a'), 'serve', 'host.json'), 'served');
    const authority = join(folderOf('a'), 'serve', 'authority.pem');
    const curlAt = async (from: 'b' | 'c', shows: readonly string[], path: string) => {
      // etcd's port for peers speaks gRPC over HTTP/2.
      const words = ['curl', '--silent', '--http1.1', '--max-time', '20', '--cacert', authority, ...shows];
      const { stdout, exitCode } = await runProgram('ip', [
        ...['netns', 'exec', network.namespace(from), ...words],
        ...['--output', '/dev/null', '--write-out', '%{http_code}', `https://${places.a}:${path}`],
      ]);
      return exitCode === 0 ? stdout : 'refused';
    };
    const curl = (shows: readonly string[], path: string) => curlAt('c', shows, path);
    for (const [shows, member, copy, etcd] of [
      [listed.shows, '200', '409', '200'],
      [left.shows, '400', '403', 'refused'],
      [served.shows, '400', '403', '200'],
    ] as const) {
      expect([member, await curl(shows, '2381/members')]).toEqual([member, member]);
      expect([etcd, await curl(shows, '2379/version')]).toEqual([etcd, etcd]);
      // The primary would send a copy, so the request goes to a path that does not exist.
      const path = copy === '409' ? '3307/none' : '3307/copy';
      expect(await curl(shows, path)).toBe(copy === '409' ? '404' : copy);
    }
    // etcd members must connect from the address in their certificate, which both hosts have.
    expect(await curlAt('b', left.shows, '2380/members')).toBe('refused');
    expect(await curlAt('b', listed.shows, '2380/members')).toBe('200');
    const { accounts } = listed;
    const follow = async (user: string, tls: readonly string[]) =>
      (
        await runProgram('ip', [
          ...[
            'netns',
            'exec',
            network.namespace('c'),
            'mariadb',
            '--no-defaults',
            `--host=${places.a}`,
            `--user=${user}`,
          ],
          ...[`--password=${accounts.replicationPassword}`, `--ssl-ca=${authority}`, ...tls, '--execute=SELECT 1'],
        ])
      ).exitCode;
    expect(await follow('tidegate_replica_4', listed.tls)).toBe(0);
    expect(await follow('tidegate_replica_4', left.tls)).not.toBe(0);
    expect(await follow('tidegate_replica_4', served.tls)).not.toBe(0);
    expect(await follow('tidegate_replica_2', left.tls)).not.toBe(0);
    expect(await follow('tidegate_replica', left.tls)).not.toBe(0);
  });

  test('a further data host joins without a vote: it is a spare, then the primary, and then leaves', async () => {
    const { token, url } = JSON.parse((await tidegate('a', ['ha', 'invite', '--json'])).stdout);
    const data = ['--data', folderOf('d')];
    const join = ['join', token, '--url', url, '--name', 'd', '--address', places.c, '--site', 'far', '--no-install'];
    expect(await tidegate('c', [...join, ...data])).toMatchObject({ exitCode: 0, stderr: '' });
    startAgent('c', 'd');
    // If a host was lost for a moment, this one is in sync instead.
    const further = await waitFor('d to follow', async () => {
      const seen = await whole();
      return seen.hosts.find(({ name, state }) => name === 'd' && ['FOLLOWS', 'IN_SYNC'].includes(state));
    });
    expect(further).toMatchObject({ site: 'far', etcd: 'NONE' });
    expect(await switchTo('d')).toMatchObject({ primary: 'd', copies: 2 });
    await sql('d', 'INSERT INTO tidegate.t VALUES (6)');
    expect(await tidegate('w', ['ha', 'leave', '--host', 'd'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('PRIMARY'),
    });
    await switchTo('a');
    expect(await sql<unknown[]>('a', 'SELECT id FROM tidegate.t')).toHaveLength(6);
    const ended = new Promise((resolve) => agents.get('c')?.once('exit', resolve));
    await waitFor('d to leave', async () => (await tidegate('w', ['ha', 'leave', '--host', 'd'])).exitCode === 0);
    await ended;
    const after = await whole();
    expect(after.hosts.map(({ name }) => name).sort()).toEqual(['a', 'c', 'w']);
    expect(after.copies).toBe(2);
  });

  test('while promotion is paused, no switchover begins', async () => {
    await whole();
    expect(await tidegate('w', ['ha', 'pause'])).toMatchObject({ exitCode: 0 });
    expect(await tidegate('w', ['ha', 'switchover'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('PAUSED'),
    });
    expect(await tidegate('w', ['ha', 'resume'])).toMatchObject({ exitCode: 0 });
    expect(await whole()).toMatchObject({ paused: false });
  });
});

async function switchTo(host: Host | 'd') {
  await waitFor(`a switchover to ${host}`, async () => {
    const { stderr } = await tidegate('w', ['ha', 'switchover', '--to', host, '--wait', tryWaitSeconds]);
    return stderr === '' || stderr.includes('ALREADY');
  });
  return whole();
}

function folderOf(host: Host | 'c' | 'd'): string {
  return join(place.path, host);
}

function joinWords(host: string, token: string): string[] {
  const address = places[host as Host] ?? places.w;
  return ['join', token, '--url', invited.url, '--name', host, '--address', address, '--no-install'];
}

/** Every command runs in the host's network, and on its data folder unless it names another. */
function words(host: Host | 'c', given: readonly string[]): string[] {
  const data = given.includes('--data') ? [] : ['--data', folderOf(host)];
  // If systemd runs here, no unit is written outside the test folder.
  const begins = given[0] === 'join' || given[1] === 'init';
  const units = begins && !given.includes('--units') ? ['--units', join(place.path, `units-${host}`)] : [];
  return ['netns', 'exec', network.namespace(host), 'sh', program, ...given, ...data, ...units];
}

function tidegate(host: Host | 'c', given: readonly string[]) {
  return runProgram('ip', words(host, given), { timeoutMs: 180_000 * patience });
}

/** `folder`: the data folder of another host, used in this host's network. */
function startAgent(host: Host | 'c', folder: Host | 'c' | 'd' = host): void {
  const output = openSync(join(place.path, `${folder}.log`), 'a');
  const agent = words(host, ['ha', 'agent', '--log-level', 'debug', '--data', folderOf(folder)]);
  // A real host has its own machine, so the other work of this machine should delay it little.
  const child = spawn('nice', ['-n', '-15', 'ip', ...agent], { stdio: ['ignore', output, output] });
  agents.set(host, child);
}

async function whole(): Promise<ClusterStatus> {
  const { exitCode, stdout, stderr } = await tidegate('w', ['ha', 'status', '--json', '--wait', waitSeconds]);
  if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}

async function inside(name: Host | 'c', given: readonly string[]): Promise<string> {
  return (await runProgram('ip', ['netns', 'exec', network.namespace(name), ...given])).stdout;
}

/** The host that has the address. Fails if both have it. */
async function addressAt(): Promise<string> {
  const have = [];
  for (const host of ['a', 'b'] as const)
    if ((await inside(host, ['ip', '-4', '-oneline', 'address', 'show'])).includes(`inet ${virtual}/`)) have.push(host);
  return have.join(' and ');
}

async function health(host: Host): Promise<string> {
  const url = `http://${places[host]}:2382/health/primary`;
  return inside('c', [
    'curl',
    '--silent',
    '--max-time',
    '2',
    '--output',
    '/dev/null',
    '--write-out',
    '%{http_code}',
    url,
  ]);
}

async function sql<Rows>(host: Host | 'c' | 'd', text: string): Promise<Rows> {
  const password = (await readFile(join(folderOf(host), 'secrets', 'mariadb-root'), 'utf8')).trim();
  const session = new Session({ socketPath: join(folderOf(host), 'run', 'mariadb.sock'), user: 'root', password });
  try {
    return await session.query<Rows>(text, [], 30_000);
  } finally {
    session.forget();
  }
}
