// The processes of a control plane and its hosts, each with one role: their settings, and the machines whose credentials they have.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { fixedPort } from '../../measure/fixed-port.ts';
import type { Settings } from '../../measure/whole-system.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { testEgressSettings } from '../../tests/support/machine/egress.ts';
import { firstStartOf, thisFolder, tidegate } from '../upgrade/release.ts';

export interface BusyRole {
  /** Of the process and of its settings file. */
  readonly name: string;
  readonly settingsFile: string;
  /** Answers 200 while the process is ready. */
  readonly healthUrl: string;
}

interface Stores {
  readonly settings: Settings;
  readonly keys: string;
}

const subgraphs = {
  system: 'system',
  relay: 'relay',
  loadbalancer: 'loadbalancer',
  gslb: 'gslb',
  'object-storage': 'objectStorage',
} as const;
const clusterRoles = ['objectcontroller', 'objectresolver', 'objectserver'];

/** A database and a Redis, and keys. They end with `cleanup`. */
async function startStores(path: string, cleanup: AsyncDisposableStack): Promise<Stores> {
  const folder = await openDataFolder(path, { version: 1 });
  cleanup.defer(() => folder.close());
  const mariadb = await startMariadb({ folder, log: silentLog });
  cleanup.defer(() => mariadb.stop());
  const redis = await startRedis({ folder, log: silentLog });
  cleanup.defer(() => redis.stop());
  const keys = await folder.subfolder('keys');
  await makeKeys(keys);
  const { socketPath, user, password, database } = mariadb.application;
  const settings = {
    ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
    ...{ 'database.name': database, 'redis.path': redis.path, 'keys.folder': keys },
  };
  return { settings, keys };
}

/** The stores run; of the roles, only the settings exist. */
export async function layOutRoles(path: string, cleanup: AsyncDisposableStack): Promise<readonly BusyRole[]> {
  const names = Object.keys(subgraphs);
  const control = await startStores(join(path, 'control'), cleanup);
  const cluster = await startStores(join(path, 'cluster'), cleanup);
  await firstStartOf(thisFolder, [...names, 'worker'], control.settings, path);
  await makeAuthority(control.keys);
  const machines = join(path, 'machines');
  await mkdir(machines, { mode: 0o700 });

  const ports = new Map<string, number>();
  for (const name of [...names, 'gateway', 'lbLink', 'dnsLink', 'checkerLink', 'objectLink', 'dns', 'probe'])
    ports.set(name, await fixedPort());
  const link = (name: string) => `wss://127.0.0.1:${ports.get(name)}/link`;
  const behind = Object.entries(subgraphs).map(([name, setting]): [string, Settings] => [
    name,
    { ...control.settings, [`internal.${setting}Port`]: ports.get(name) ?? 0, ...linkPorts(name, ports) },
  ]);
  const urls = Object.entries(subgraphs).map(([name, setting]) => [
    `subgraphs.${setting}Url`,
    `https://127.0.0.1:${ports.get(name)}`,
  ]);
  const roles: [name: string, settings: Settings][] = [
    ...behind,
    ['worker', { ...control.settings }],
    ['gateway', { 'keys.folder': control.keys, 'listen.port': ports.get('gateway') ?? 0, ...Object.fromEntries(urls) }],
    ['dns', { 'nameserver.controlUrls': link('dnsLink'), 'nameserver.listen': `127.0.0.1:${ports.get('dns')}` }],
    ['checker', { 'checker.controlUrls': link('checkerLink'), 'checker.vantagePoint': 'east' }],
    [
      'lbhost',
      {
        ...{ 'lbhost.controlUrls': link('lbLink'), 'lbhost.provider': 'loopback' },
        ...{ 'lbhost.publicRange': '127.94.0.0/24', 'lbhost.healthPort': ports.get('probe') ?? 0 },
        'lbhost.folder': join(path, 'lbhost'),
      },
    ],
    ['cluster', { ...cluster.settings, ...(await clusterSettings(path)), roles: clusterRoles.join() }],
  ];
  const made: BusyRole[] = [];
  for (const [name, settings] of roles) {
    const watch = await fixedPort();
    const settingsFile = join(path, `${name}.json`);
    await writeSettings(settingsFile, {
      ...{ name, roles: name, 'internal.machineFolder': machines, 'watch.port': watch, 'log.format': 'json' },
      ...(name === 'cluster' ? { 'objectController.controlPlaneUrls': link('objectLink') } : {}),
      ...{ ...testEgressSettings, ...settings },
    });
    made.push({ name, settingsFile, healthUrl: `http://127.0.0.1:${watch}/health/ready` });
  }
  await issueMachines(path, [...names, 'gateway', 'lbhost'], machines, ports.get('gateway') ?? 0);
  await tidegate(thisFolder, 'migrate', '--config', join(path, 'cluster.json'));
  return made;
}

/** What checker and cluster need before they are ready. The control plane and the gateway run. */
export async function makeRecords(path: string): Promise<void> {
  const { 'listen.port': port } = JSON.parse(await readFile(join(path, 'gateway.json'), 'utf8')) as Settings;
  const password = ['--user', 'admin', '--password-file', join(path, 'admin.password')];
  const login = ['--url', `http://127.0.0.1:${port}/graphql`, ...password];
  const place = ['--region', 'eu', '--latitude', '50', '--longitude', '8'];
  await tidegate(thisFolder, 'vantage-points', 'create', 'east', ...place, ...login);
  await tidegate(thisFolder, 'clusters', 'add', 'north', ...login);
}

function linkPorts(name: string, ports: ReadonlyMap<string, number>): Settings {
  const port = (link: string) => ports.get(link) ?? 0;
  if (name === 'loadbalancer') return { 'loadbalancer.linkPort': port('lbLink') };
  if (name === 'gslb') return { 'gslb.dnsPort': port('dnsLink'), 'gslb.checkerPort': port('checkerLink') };
  if (name === 'object-storage') return { 'objectStorage.linkPort': port('objectLink') };
  return {};
}

async function clusterSettings(path: string): Promise<Settings> {
  const port = () => fixedPort();
  return {
    ...{ 'objectController.host': '127.0.0.1', 'objectController.port': await port() },
    ...{ 'objectResolver.host': '127.0.0.1', 'objectResolver.port': await port() },
    ...{ 'objectStore.cluster': 'north', 'objectStore.folder': join(path, 'objects') },
    ...{ 'objectServer.peerPort': await port(), 'objectServer.s3Port': await port() },
  };
}

async function issueMachines(path: string, roles: readonly string[], folder: string, port: number): Promise<void> {
  const endpoint = `http://127.0.0.1:${port}/graphql`;
  const common = ['--folder', folder, '--endpoint', endpoint, '--config', join(path, 'system.json')];
  const issue = (name: string, ...more: readonly string[]) =>
    tidegate(thisFolder, 'machines', 'issue', name, ...more, ...common);
  await issue('busy', '--role', roles.join());
  await issue('north', '--role', clusterRoles.join());
  await issue('ns1', '--role', 'dns', '--address', '127.0.0.1');
  await issue('east-1', '--role', 'checker', '--vantage-point', 'east');
}

async function writeSettings(file: string, settings: Settings): Promise<void> {
  await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
}
