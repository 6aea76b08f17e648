// Three hosts, each a network namespace, set up from nothing. The files that `ha init` and `join` write are enough for `tidegate ha agent`
// and `tidegate serve`, and a person's changes stay.
// needs: system, keepalived, bind9-dnsutils, curl, root
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { appendFile, chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { declareRecords } from '../../../dns/records/record-store.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { killQuietly } from '../../../embedded/server-process.ts';
import { serviceAccount } from '../../../embedded/service-account.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { Database } from '../../../platform/database/database.ts';
import { createLocalWake } from '../../../platform/work/wake.ts';
import { HaNetwork, places } from '../../../trials/ha/network.ts';
import { patience } from '../../support/machine/patience.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../../support/machine/temporary-folder.ts';

type Host = 'a' | 'b' | 'w';
const virtual = '198.19.77.10';
const program = fileURLToPath(new URL('../../../bin/tidegate', import.meta.url));
const zone = 'lb.example.test';
const nameServer = `  nameServerPort: 53\n  nameServerZones: ${zone}\n`;
const waitSeconds = String(90 * patience);
const describeAsRoot = process.getuid?.() === 0 ? describe : describe.skip;

let place: TemporaryFolder;
let network: HaNetwork;
const running = new Map<string, ChildProcess>();

describeAsRoot('of hosts that were nothing before', () => {
  beforeAll(async () => {
    place = await temporaryFolder();
    // The servers' own user must be able to enter it.
    await chmod(place.path, 0o711);
    network = await HaNetwork.layOut(`s${process.pid}`);
    const init = [
      'ha',
      'init',
      '--name',
      'a',
      '--address',
      places.a,
      '--vip',
      `${virtual}/24`,
      ...['--lease', '5'],
      '--no-install',
      '--json',
    ];
    const begun = await tidegate('a', init);
    expect(begun).toMatchObject({ exitCode: 0, stderr: '' });
    const { url, tokens, settings, units } = JSON.parse(begun.stdout);
    expect(settings).toBe(settingsOf('a'));
    expect(units).toHaveLength(2);
    await addToAgent('a', nameServer);
    start('a', ['ha', 'agent', '--data', folderOf('a')]);
    const words = (host: Host, token: string) => [
      ...['join', token, '--url', url, '--name', host, '--address', places[host], '--no-install'],
    ];
    await waitFor('b to join', async () => {
      const { exitCode, stderr } = await tidegate('b', words('b', tokens.data));
      if (exitCode !== 3) expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      return exitCode === 0;
    });
    await addToAgent('b', nameServer);
    expect(await tidegate('w', [...words('w', tokens.witness), '--witness'])).toMatchObject({ exitCode: 0 });
    for (const host of ['b', 'w'] as const) start(host, ['ha', 'agent', '--data', folderOf(host)]);
  }, 400_000 * patience);

  afterAll(async () => {
    for (const each of running.values()) each.kill('SIGKILL');
    await network?.remove();
    await place?.remove();
  });

  test(
    'only the two programs are typed, and both hosts answer as the service account',
    async () => {
      await whole();
      for (const host of ['a', 'b'] as const) {
        start(host, ['serve', '--config', settingsOf(host)], 'serve');
        await waitFor(`the API of ${host}`, async () => (await ready(places[host])) === '200');
        // The process writes its own file after its API is ready.
        const noted = join(folderOf(host), 'serve', 'process', 'served.json');
        const text = await waitFor(`the process of ${host}`, () => readFile(noted, 'utf8').catch(() => undefined));
        const { uid } = await stat(`/proc/${JSON.parse(text).pid}`);
        expect(uid).toBe(serviceAccount.uid);
      }
      // On a busy machine a failover may happen in between.
      await waitFor('the API at the virtual address', async () => (await ready(virtual)) === '200');
      const wanted = ['READY', 'USED', null].sort();
      await waitFor('each Redis', async () =>
        isDeepStrictEqual((await whole()).hosts.map(({ redis }) => redis).sort(), wanted),
      );
    },
    400_000 * patience,
  );

  test('the process that serves reads neither the authority nor the keys of the host', async () => {
    const text = await readFile(join(folderOf('a'), 'serve', 'host.json'), 'utf8');
    expect(text).not.toContain('authorityKey');
    const { key } = JSON.parse(await readFile(join(folderOf('a'), 'ha', 'host.json'), 'utf8'));
    expect(JSON.parse(text).key).not.toBe(key);
    const id = String(serviceAccount.uid);
    const as = (path: string) =>
      runProgram('setpriv', ['--reuid', id, '--regid', id, '--clear-groups', 'cat', path]).then(
        (each) => each.exitCode,
      );
    expect(await as(join(folderOf('a'), 'serve', 'host.json'))).toBe(0);
    for (const path of [join('ha', 'host.json'), join('ha', 'settings.yaml'), join('secrets', 'mariadb-root')])
      expect(await as(join(folderOf('a'), path))).not.toBe(0);
  });

  test(
    "the primary's name server answers for the names, and after a failover the next primary's does",
    async () => {
      const names = Array.from({ length: 20 }, (_each, at) => `n${at}.${zone}`);
      await declare(names);
      await answeredAlone(names);
      const { primary, epoch } = await whole();
      killQuietly(Number(await readFile(join(folderOf(primary as Host), 'mariadb', 'server.pid'), 'utf8')), 'SIGKILL');
      await waitFor('another epoch', async () => (await statusNow())?.epoch !== epoch);
      await answeredAlone(names);
      const later = `later.${zone}`;
      await declare([later]);
      await answeredAlone([...names, later]);
    },
    400_000 * patience,
  );

  test(
    'a lost primary stays out until a person lets it return, and one that handed over returns by itself',
    async () => {
      // Both hosts, because a failover may happen in between on a busy machine.
      for (const host of ['a', 'b'] as const) {
        await rejoinByHand(host);
        const ended = new Promise((resolve) => running.get(`${host} agent`)?.once('exit', resolve));
        running.get(`${host} agent`)?.kill('SIGTERM');
        await ended;
        start(host, ['ha', 'agent', '--data', folderOf(host)]);
      }
      const lost = (await allIn()).primary as Host;
      const other = lost === 'a' ? 'b' : 'a';
      killQuietly(Number(await readFile(join(folderOf(lost), 'mariadb', 'server.pid'), 'utf8')), 'SIGKILL');
      const said = `it was lost as the primary: "tidegate ha rejoin ${lost}" lets it return`;
      await waitFor(`${lost} to say why it stays out`, async () => {
        const { primary, hosts } = await status();
        const found = hosts.find(({ name }) => name === lost);
        return primary === other && found?.state === 'RETURNING' && found.returning === said;
      });
      // There is no answer while the cluster elects a leader.
      await waitFor('"ha status" to say the same', async () =>
        (await tidegate('w', ['ha', 'status'])).stdout.includes(`${lost} returns: ${said}`),
      );
      expect(await tidegate('w', ['ha', 'rejoin', other])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('ALREADY'),
      });
      expect(await tidegate('w', ['ha', 'rejoin', 'x'])).toMatchObject({
        exitCode: 1,
        stderr: expect.stringContaining('NOT_FOUND'),
      });
      const done = await tidegate('w', ['ha', 'rejoin', lost, '--wait', waitSeconds, '--json']);
      expect(done).toMatchObject({ exitCode: 0, stderr: '' });
      expect(JSON.parse(done.stdout)).toEqual({ host: lost, state: 'IN_SYNC' });
      // The hand-over was planned, so the host returns by itself.
      await waitFor('a switchover without a failover beside it', async () => {
        const { primary, epoch } = await allIn();
        if (primary === lost) return tidegate('w', ['ha', 'switchover', '--to', other]).then(() => false);
        const { exitCode } = await tidegate('w', ['ha', 'switchover', '--to', lost]);
        if (exitCode !== 0) return false;
        const after = await tidegate('w', ['ha', 'status', '--json', '--wait', '30']);
        return after.exitCode === 0 && JSON.parse(after.stdout).epoch === epoch + 1;
      });
    },
    400_000 * patience,
  );

  test('files that a person changed are not replaced, and nothing is started', async () => {
    const data = join(place.path, 'o');
    const units = join(place.path, 'units-of-o');
    const init = ['ha', 'init', '--name', 'o', '--address', places.w, '--no-install', '--data', data, '--units', units];
    await mkdir(units);
    await writeFile(join(units, 'tidegate-ha.service'), '[Unit]\nDescription=mine\n');
    const refused = await tidegate('w', init);
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('FILES_DIFFER') });
    expect(refused.stderr).toContain('line 1 is "[Unit]", and would be ');
    expect(await readFile(join(units, 'tidegate-ha.service'), 'utf8')).toBe('[Unit]\nDescription=mine\n');
    await expect(stat(join(data, 'ha', 'host.json'))).rejects.toThrow('ENOENT');
    await rm(join(units, 'tidegate-ha.service'));
    expect(await tidegate('w', init)).toMatchObject({ exitCode: 0, stderr: '' });
    // The command names another folder, but the host is already in a cluster.
    const other = init.map((word) => (word === data ? `${data}2` : word));
    expect(await tidegate('w', other)).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`it is of the host in ${data}`),
    });
    // The host has left its cluster. Generated files may be replaced, changed files may not.
    await rm(join(data, 'ha', 'host.json'));
    const again = init.map((word) => (word === 'o' ? 'p' : word));
    await appendFile(join(data, 'serve', 'settings.yaml'), 'log:\n  level: debug\n');
    expect(await tidegate('w', again)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('settings.yaml') });
    await rm(join(data, 'serve', 'settings.yaml'));
    expect(await tidegate('w', again)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await readFile(join(units, 'tidegate-ha.service'), 'utf8')).toContain('host p of a cluster');
  });
});

/** Lets in every host that was lost because the machine was busy. */
async function allIn(): Promise<ClusterStatus> {
  return waitFor('both hosts to be in', async () => {
    const seen = await status().catch(() => undefined);
    for (const { name, state } of seen?.hosts ?? [])
      if (state === 'RETURNING') await tidegate('w', ['ha', 'rejoin', name]);
    return seen?.copies === 2 && seen;
  });
}

function rejoinByHand(host: Host): Promise<void> {
  return addToAgent(host, '  rejoin: manual\n');
}

/** Adds lines to the agent's settings, below `ha`. */
async function addToAgent(host: Host, lines: string): Promise<void> {
  const path = join(folderOf(host), 'ha', 'settings.yaml');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('\nha:\n', `\nha:\n${lines}`));
}

function statusNow(): Promise<ClusterStatus | undefined> {
  return status().catch(() => undefined);
}

/** Declares names as a subgraph does, in the primary's database. Another host may be the primary by then. */
async function declare(names: readonly string[]): Promise<void> {
  const records = [{ type: 'A', value: '192.0.2.1' } as const];
  await waitFor('the names to be declared', async () => {
    const primary = (await statusNow())?.primary as Host | null | undefined;
    if (primary === null || primary === undefined) return false;
    // Not root, because a host that is no longer the primary must refuse the write.
    const password = (await readFile(join(folderOf(primary), 'serve', 'database.password'), 'utf8')).trim();
    const socketPath = join(folderOf(primary), 'run', 'mariadb.sock');
    const db = new Database({ connection: { socketPath, user: 'tidegate', password, database: 'tidegate' } });
    try {
      await db.transaction(async (tx) => {
        for (const name of names)
          await declareRecords(tx, createLocalWake(), { zone, name, owner: 'test/1', records, ttlSeconds: 5 });
      });
      return true;
    } catch {
      return false;
    } finally {
      await db.close();
    }
  });
}

/** True if the primary's name server answers, at its own address and the virtual one, and no other server does. */
function answeredAlone(names: readonly string[]): Promise<unknown> {
  return waitFor("the names at the primary's name server alone", async () => {
    const primary = (await statusNow())?.primary;
    if (primary !== 'a' && primary !== 'b') return false;
    const other = primary === 'a' ? 'b' : 'a';
    for (const address of [virtual, places[primary]])
      if ((await dig(address, names)) !== names.map(() => '192.0.2.1').join('\n')) return false;
    return (await dig(places[other], names.slice(0, 1))) === undefined;
  });
}

/** One line for each record. `undefined` if one of the names has no answer. */
async function dig(address: string, names: readonly string[]): Promise<string | undefined> {
  const words = ['dig', `@${address}`, '+short', '+time=2', '+tries=1', ...names];
  const { exitCode, stdout } = await runProgram('ip', ['netns', 'exec', network.namespace('c'), ...words]);
  return exitCode === 0 ? stdout.trim() : undefined;
}

function folderOf(host: Host): string {
  return join(place.path, host);
}

function settingsOf(host: Host): string {
  return join(folderOf(host), 'serve', 'settings.yaml');
}

function inNamespace(host: Host, words: readonly string[]): string[] {
  return ['netns', 'exec', network.namespace(host), 'sh', program, ...words];
}

/** If systemd runs here, no unit is written outside the test folder. */
function tidegate(host: Host, given: readonly string[]) {
  const data = given.includes('--data') ? [] : ['--data', folderOf(host)];
  const begins = given[0] === 'join' || given[1] === 'init';
  const units = begins && !given.includes('--units') ? ['--units', join(place.path, `units-${host}`)] : [];
  return runProgram('ip', inNamespace(host, [...given, ...data, ...units]), { timeoutMs: 180_000 * patience });
}

function start(host: Host, words: readonly string[], what = 'agent'): void {
  const output = openSync(join(place.path, `${host}-${what}.log`), 'a');
  running.set(`${host} ${what}`, spawn('ip', inNamespace(host, words), { stdio: ['ignore', output, output] }));
}

async function status(): Promise<ClusterStatus> {
  return JSON.parse((await tidegate('w', ['ha', 'status', '--json'])).stdout);
}

async function whole(): Promise<ClusterStatus> {
  const { exitCode, stdout, stderr } = await tidegate('w', ['ha', 'status', '--json', '--wait', waitSeconds]);
  if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`);
  return JSON.parse(stdout);
}

async function ready(address: string): Promise<string> {
  const url = `http://${address}:4000/health/ready`;
  const words = ['curl', '--silent', '--max-time', '2', '--output', '/dev/null', '--write-out', '%{http_code}', url];
  return (await runProgram('ip', ['netns', 'exec', network.namespace('c'), ...words])).stdout;
}
