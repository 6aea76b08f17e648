// The steps of the tests of sites, each as a person types it: one machine, two sites, three, and back. The real program runs on four hosts,
// each a network namespace, under a client that has the list of hosts.
// needs: curl
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { access, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from '@jest/globals';
import { runProgram } from '../../../embedded/run-program.ts';
import type { ClusterStatus } from '../../../ha/cluster-status.ts';
import { HaNetwork, places } from '../../../trials/ha/network.ts';
import { patience } from '../../support/machine/patience.ts';
import {
  type TemporaryFolder,
  temporaryFolder,
  waitFor as waitForState,
} from '../../support/machine/temporary-folder.ts';
import type { Seen } from './sites-client.ts';

type Host = 'a' | 'b' | 'w' | 'c';
type Program = 'up' | 'agent' | 'serve';
const program = fileURLToPath(new URL('../../../bin/tidegate', import.meta.url));
const client = fileURLToPath(new URL('./sites-client.ts', import.meta.url));
const waitSeconds = String(120 * patience);
const againMs = 1_000;
const stepMs = 150_000 * patience;
export const slowMs = 600_000 * patience;

let place: TemporaryFolder;
let network: HaNetwork;
const running = new Map<string, ChildProcess>();
const gapsTold: string[] = [];

/** One machine serves, and a client writes to it. */
export async function begin(): Promise<void> {
  place = await temporaryFolder();
  await mkdir(join(place.path, 'private'), { mode: 0o700 });
  network = await HaNetwork.layOut(`s${process.pid}`);
  await startUp();
  const namespace = await network.layClient('198.19.77.20');
  const urls = (['a', 'b', 'c'] as const).map(urlOf);
  const words = [process.execPath, client, seenFile(), join(folderOf('a'), 'admin.password'), ...urls];
  running.set('client', spawnIn(namespace, words, 'client'));
  await writesGoOn();
}

export async function remove(): Promise<void> {
  const all = [...running.values()];
  running.clear();
  for (const each of all) each.kill('SIGKILL');
  await network?.remove();
  if (process.env.SITES_TOLD === undefined) await place?.remove();
  else process.stdout.write(`${gapsTold.join('\n')}\n`);
}

/** `ha init` on the running machine, and `join` at a second site. */
export async function twoSites(): Promise<void> {
  const init = ['ha', 'init', '--name', 'a', '--address', places.a, '--site', 'one', '--lease', '5', '--json'];
  const begun = await tidegate('a', [...init, '--no-install']);
  expect(begun).toMatchObject({ exitCode: 0 });
  const { url, tokens } = JSON.parse(begun.stdout) as { url: string; tokens: { data: string; witness: string } };
  start('a', 'agent');
  await join_('b', tokens.data, url, ['--site', 'two']);
  await join_('w', tokens.witness, url, ['--site', 'two', '--witness']);
  start('b', 'agent');
  start('w', 'agent');
  await writesGoOn();
  await end('a', 'up');
  start('a', 'serve');
  await whole();
  start('b', 'serve');
  await writesGoOn();
  await nothingFailed('init');
}

/** A third site joins. */
export async function thirdSite(): Promise<void> {
  const { token, url } = JSON.parse((await tidegate('a', ['ha', 'invite', '--json'])).stdout);
  await join_('c', token, url, ['--site', 'three']);
  start('c', 'agent');
  // If the host in sync is lost for a moment, this host takes its place.
  await waitFor('c to follow', async () => ['FOLLOWS', 'IN_SYNC'].includes((await hostOf('c'))?.state ?? ''));
  start('c', 'serve');
  await serves('b');
  await serves('c');
  expect(await hostOf('c')).toMatchObject({ etcd: 'NONE', site: 'three' });
}

/** Every acknowledged row exists exactly once. The client has ended. */
export async function expectAllRowsOnce(): Promise<void> {
  const { acknowledged, reads } = await seen();
  expect(reads).toBeGreaterThanOrEqual(acknowledged.length - 1);
  const there = await allRows();
  expect(acknowledged.filter(({ name }) => there.get(name) !== 1)).toEqual([]);
  expect([...there].filter(([, count]) => count !== 1)).toEqual([]);
}

/** Waits longer than other tests do, because three whole hosts share the machine. */
export const waitFor = <T>(what: string, check: () => Promise<T | undefined | false>) =>
  waitForState(what, check, stepMs);

const folderOf = (host: Host): string => join(place.path, host);
const urlOf = (host: Host): string => `http://${places[host]}:4000`;
export const healthUrl = (host: Host): string => `http://${places[host]}:2382/health/primary`;
const seenFile = (): string => join(place.path, 'seen.json');
export const logOf = (host: Host, name: Program): string => join(place.path, `${host}-${name}.log`);

function spawnIn(namespace: string, words: readonly string[], name: string): ChildProcess {
  const output = openSync(join(place.path, `${name}.log`), 'a');
  // The servers' user can't enter this folder.
  const env = name.endsWith('agent') ? { ...process.env, TMPDIR: join(place.path, 'private') } : process.env;
  return spawn('ip', ['netns', 'exec', namespace, ...words], { stdio: ['ignore', output, output], env });
}

export function start(host: Host, name: Program): void {
  const data = folderOf(host);
  const words = {
    up: ['up', '--no-lab', '--no-install', '--data', data, '--host', places[host], '--port', '4000'],
    agent: ['ha', 'agent', '--data', data, '--log-level', 'debug'],
    serve: ['serve', '--as-root', '--config', join(data, 'serve', 'settings.yaml')],
  }[name];
  const key = `${host}-${name}`;
  const child = spawnIn(network.namespace(host), ['sh', program, ...words], key);
  running.set(key, child);
  // As its unit says: always restart, after one second.
  if (name !== 'up')
    child.once('exit', () => setTimeout(() => running.get(key) === child && start(host, name), againMs).unref());
}

export async function startUp(): Promise<void> {
  start('a', 'up');
  await serves('a');
  await waitFor('the first accounts', () =>
    password().then(
      () => true,
      () => false,
    ),
  );
}

/** Waits until a departing host has stopped. Its program is not restarted. */
export function gone(host: Host): Promise<void> {
  const over = ended(host, 'agent');
  running.delete(`${host}-agent`);
  return over;
}

function ended(host: Host | 'client', name?: Program): Promise<void> {
  const child = running.get(name === undefined ? host : `${host}-${name}`);
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((done) => child.once('exit', () => done()));
}

export async function end(host: Host | 'client', name?: Program, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  const key = name === undefined ? host : `${host}-${name}`;
  const over = ended(host, name);
  const child = running.get(key);
  running.delete(key);
  child?.kill(signal);
  await over;
}

function serves(host: Host): Promise<boolean> {
  const words = ['curl', '--silent', '--fail', '--max-time', '5', `${urlOf(host)}/health/ready`];
  return waitFor(`${host} to serve`, async () => (await runProgram('ip', inNetwork(host, words))).exitCode === 0);
}

const inNetwork = (host: Host, words: readonly string[]) => ['netns', 'exec', network.namespace(host), ...words];

export async function inside(host: Host, words: readonly string[]): Promise<string> {
  return (await runProgram('ip', inNetwork(host, words))).stdout;
}

export function tidegate(host: Host, words: readonly string[]) {
  const begins = words[0] === 'join' || words[1] === 'init';
  const units = begins ? ['--units', join(folderOf(host), 'units')] : [];
  const whole = ['sh', program, ...words, '--data', folderOf(host), ...units];
  return runProgram('ip', inNetwork(host, whole), { timeoutMs: 300_000 * patience });
}

/** The first host's agent may not listen yet. */
function join_(host: Host, joinToken: string, url: string, more: readonly string[]): Promise<boolean> {
  const words = ['join', joinToken, '--url', url, '--name', host, '--address', places[host], '--no-install', ...more];
  return waitFor(`${host} to join`, async () => {
    const { exitCode, stderr } = await tidegate(host, words);
    if (exitCode !== 0 && exitCode !== 3) throw new Error(stderr);
    return exitCode === 0;
  });
}

export async function status(at: Host, ...more: readonly string[]): Promise<ClusterStatus | undefined> {
  const { stdout } = await tidegate(at, ['ha', 'status', '--json', ...more]);
  return stdout === '' ? undefined : JSON.parse(stdout);
}

/** Waits until there are two copies. */
export async function whole(): Promise<ClusterStatus> {
  const found = await status('w', '--wait', waitSeconds);
  expect(found).toMatchObject({ copies: 2, switchoverTo: null });
  return found as ClusterStatus;
}

export async function hostOf(name: Host, at: Host = 'w') {
  return (await status(at))?.hosts.find((each) => each.name === name);
}

/** On a busy machine there may have been a failover in the meantime. */
export async function switchTo(to: Host): Promise<ClusterStatus> {
  await waitFor(`a switchover to ${to}`, async () => {
    const { stderr } = await tidegate('w', ['ha', 'switchover', '--to', to, '--wait', waitSeconds]);
    return stderr === '' || stderr.includes('ALREADY');
  });
  return whole();
}

/** Names of the hosts with a vote in etcd, according to the first host's member. */
export async function votes(): Promise<string[]> {
  const { authority, certificate, key, members } = JSON.parse(
    await readFile(join(folderOf('a'), 'ha', 'host.json'), 'utf8'),
  );
  const script =
    'umask 077; cd "$1"; printf %s "$2" > ca; printf %s "$3" > cert; printf %s "$4" > key; shift 4; exec "$@"';
  const curl = ['curl', '--silent', '--cacert', 'ca', '--cert', 'cert', '--key', 'key', '--data', '{}'];
  const url = `https://${places.a}:2379/v3/cluster/member/list`;
  const text = await inside('a', ['sh', '-c', script, 'sh', place.path, authority, certificate, key, ...curl, url]);
  const found = JSON.parse(text).members as { peerURLs: string[]; isLearner?: boolean }[];
  const nameOf = (peer: string) =>
    members.find((each: { address: string }) => peer === `https://${each.address}:2380`)?.name ?? peer;
  return found
    .filter(({ isLearner }) => isLearner !== true)
    .map(({ peerURLs }) => nameOf(peerURLs[0] ?? ''))
    .sort();
}

export const seen = async (): Promise<Seen> => JSON.parse(await readFile(seenFile(), 'utf8'));
const password = async () => (await readFile(join(folderOf('a'), 'admin.password'), 'utf8')).trim();

/** The host's answer. */
export async function answer(host: Host, query: string, variables: object, token?: string): Promise<string> {
  return inside(host, [
    ...['curl', '--silent', '--max-time', '20', `${urlOf(host)}/graphql`, '--header', 'content-type: application/json'],
    ...(token === undefined ? [] : ['--header', `authorization: Bearer ${token}`]),
    ...['--data', JSON.stringify({ query, variables })],
  ]);
}

export async function login(host: Host): Promise<string> {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const text = await answer(host, query, { input: { name: 'admin', password: await password() } });
  return JSON.parse(text).data.login.accessToken;
}

/** Waits until some more rows are acknowledged. */
export async function writesGoOn(): Promise<void> {
  const count = async () => (await access(seenFile()).then(seen, () => undefined))?.acknowledged.length ?? 0;
  const before = await count();
  await waitFor('writes', async () => (await count()) > before + 5).catch(async (error: unknown) => {
    throw new Error(
      `${String(error)}: ${JSON.stringify((await seen()).lastWords)}, ${JSON.stringify((await seen()).failed.at(-1))}`,
    );
  });
}

export async function nothingFailed(step: string): Promise<void> {
  const { acknowledged, again, lastWords, failed, stale, gaps } = await seen();
  const longest = Math.max(0, ...gaps.map(({ ms }) => ms));
  gapsTold.push(`${step}: ${acknowledged.length} rows, ${again} attempts again, longest gap ${longest} ms so far`);
  expect({ failed, stale, lastWords }).toMatchObject({ failed: [], stale: [] });
}

/** The number of rows for each name. */
async function allRows(): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  const admin = await login('a');
  for (let after: string | null = null; ; ) {
    const query =
      'query ($after: String) { projects(first: 100, after: $after) { nodes { name } pageInfo { endCursor hasNextPage } } }';
    const text = await answer('a', query, { after }, admin);
    const { nodes, pageInfo } = JSON.parse(text).data.projects;
    for (const { name } of nodes as { name: string }[])
      if (name.startsWith('row-')) found.set(name, (found.get(name) ?? 0) + 1);
    if (!pageInfo.hasNextPage) return found;
    after = pageInfo.endCursor;
  }
}

export const plug = (host: Host): Promise<void> => network.plug(host);
export const unplug = (host: Host): Promise<void> => network.unplug(host);
