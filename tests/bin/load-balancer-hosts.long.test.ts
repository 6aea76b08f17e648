// Load balancers on "real hosts", as in docs/operating.md: a control process, a gateway and a load balancer host, each identified by its
// machine's credentials. The host joins with a token, its node serves, and Prometheus reads the figures from the control process.
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { request } from 'undici';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { startProcess } from '../../compose/process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { makeAuthority } from '../../platform/machines/authority.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { runCommand } from '../cli/commands/run-command.ts';
import { testEgressSettings } from '../support/machine/egress.ts';
import { freePort } from '../support/machine/free-port.ts';
import { endProcessesOf } from '../support/machine/left-processes.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';
import { startProgram } from './support/up-process.ts';

let folder: TemporaryFolder;
let database: TestDatabase;
let member: Server;
let token: string;
const ports = { gateway: 0, system: 0, loadbalancer: 0, link: 0, watch: 0, health: 0 };
const range = '127.93.0.0/24';
const programs = new Map<string, ReturnType<typeof startProgram>>();

const file = (name: string): string => join(folder.path, `${name}.json`);
const keys = (host: string): string => join(folder.path, `keys-${host}`);
const machines = (host: string): string => join(folder.path, `machine-${host}`);
const endpoint = (): string => `http://127.0.0.1:${ports.gateway}/graphql`;

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await testDatabase();
  for (const name of Object.keys(ports) as (keyof typeof ports)[]) ports[name] = await freePort();
  member = createServer((_, response) => response.end('of the member')).listen(0, '127.0.0.1');
  await makeKeys(keys('all'));
  await makeAuthority(keys('all'));
  const controlKeys = ['public', 'system', 'subgraphs', 'sealing', 'audit'].map((name) => `${name}.keys`);
  await give('control', [...controlKeys, 'authority.pem', 'authority.key']);
  await give('gateway', ['gateway.keys']);
  await mkdir(machines('lbhost'), { mode: 0o700 });
  await writeSettings();
  await makeAccounts();
  for (const [host, role] of [
    ['control', 'system'],
    ['control', 'loadbalancer'],
    ['gateway', 'gateway'],
  ] as const) {
    const options = ['--role', role, '--folder', machines(host), '--endpoint', endpoint(), '--config', file('control')];
    expect(await runCommand(['machines', 'issue', `${role}-1`, ...options])).toMatchObject({ exitCode: 0 });
  }
  for (const host of ['control', 'gateway']) start(host);
  await waitFor('the graph', async () => (await ask('{ loadBalancers { nodes { id } } }')).errors === undefined);
});

afterAll(async () => {
  for (const program of programs.values()) program.child.kill('SIGKILL');
  await Promise.all([...programs.values()].map((program) => program.ended));
  if (folder !== undefined) await endProcessesOf(folder.path);
  member?.closeAllConnections();
  member?.close();
  await database?.drop();
  await folder?.remove();
});

async function give(host: string, names: readonly string[]): Promise<void> {
  await mkdir(keys(host));
  await mkdir(machines(host), { mode: 0o700 });
  for (const name of names) await copyFile(join(keys('all'), name), join(keys(host), name));
}

async function writeSettings(): Promise<void> {
  const { socketPath, user, password, database: name } = database.connection;
  const settings = {
    control: {
      ...{ roles: ['system', 'loadbalancer', 'worker'], 'keys.folder': keys('control'), ...testEgressSettings },
      ...{ 'internal.systemPort': ports.system, 'internal.loadbalancerPort': ports.loadbalancer },
      ...{ 'loadbalancer.linkPort': ports.link, 'watch.port': ports.watch, 'redis.path': database.redisPath },
      ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.password': password },
      'database.name': name,
    },
    gateway: {
      ...{ roles: ['gateway'], 'keys.folder': keys('gateway'), 'listen.port': ports.gateway },
      'subgraphs.systemUrl': `https://127.0.0.1:${ports.system}`,
      'subgraphs.loadbalancerUrl': `https://127.0.0.1:${ports.loadbalancer}`,
    },
    lbhost: {
      ...{ roles: ['lbhost'], 'lbhost.controlUrls': [`wss://127.0.0.1:${ports.link}/link`] },
      ...{ 'lbhost.provider': 'loopback', 'lbhost.publicRange': range, 'lbhost.healthPort': ports.health },
      ...{ 'lbhost.folder': join(folder.path, 'host'), ...testEgressSettings },
    },
  };
  for (const [host, own] of Object.entries(settings))
    await writeFile(file(host), JSON.stringify({ ...own, 'internal.machineFolder': machines(host) }));
}

async function makeAccounts(): Promise<void> {
  const config = readConfig({ file: file('control'), flags: { roles: 'system' } }, subgraphRows);
  const alone = { ...config, 'internal.systemPort': undefined, 'internal.machineFolder': undefined };
  const running = await startProcess(alone, createLogger({ level: 'silent', pretty: false }));
  if (running.access === undefined) throw new Error('no system');
  token = (await firstAccounts(running.access, folder.path)).token;
  await running.stop();
}

function start(host: string): void {
  programs.set(host, startProgram(['serve', '--as-root', '--config', file(host)]));
}

interface Answered<Data> {
  readonly data: Data | null;
  readonly errors?: readonly object[];
}

async function ask<Data>(query: string, variables: object = {}): Promise<Answered<Data>> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const body = JSON.stringify({ query, variables });
  const answer = await request(endpoint(), { method: 'POST', headers, body }).catch(() => undefined);
  return answer === undefined ? { data: null, errors: [{}] } : ((await answer.body.json()) as Answered<Data>);
}

interface Seen {
  readonly loadBalancers: {
    readonly nodes: readonly {
      readonly addresses: readonly string[];
      readonly provisioningStatus: string;
      readonly operatingStatus: string;
    }[];
  };
}

test('the settings in docker/systemd are accepted', () => {
  const settings = (name: string) => join(import.meta.dirname, '..', '..', 'docker', 'systemd', `${name}.yaml`);
  // The others read files that contain passwords.
  for (const name of ['gateway', 'lbhost', 'dns'])
    expect(readConfig({ file: settings(name) }, subgraphRows).roles).toEqual([name]);
});

test('a host joins, a node on it serves, and the control process has its figures', async () => {
  const login = ['--url', endpoint(), '--user', 'admin', '--password-file', join(folder.path, 'admin.password')];
  const invited = await runCommand(['machines', 'create', 'host-1', '--role', 'lbhost', ...login]);
  const joinToken = /tgj_\S+/.exec(invited.stdout)?.[0] ?? '';
  expect(await runCommand(['join', joinToken, '--folder', machines('lbhost'), '--url', endpoint()])).toMatchObject({
    exitCode: 0,
    stderr: '',
  });
  start('lbhost');
  const hosts = async () => (await runCommand(['hosts', 'list', ...login])).stdout;
  await waitFor('the host', async () => /^host-1 +PRESENT/m.test(await hosts()));
  expect(await hosts()).toMatch(/^host-1 .* 0 of 0 .* its record has no networks and no room: .* hosts set host-1 /m);
  const record = [
    '--public-range',
    range,
    '--nodes',
    '5',
    '--provider',
    'loopback',
    '--health-port',
    String(ports.health),
  ];
  expect(await runCommand(['hosts', 'set', 'host-1', ...record, ...login])).toMatchObject({
    stdout: expect.stringMatching(/^host-1 has 127\.93\.0\.0\/24 .* room for 5 nodes, but .*hosts release host-1/),
    exitCode: 0,
  });
  expect(await runCommand(['hosts', 'release', 'host-1', ...login])).toMatchObject({ exitCode: 0 });
  // New nodes are placed on it. Whether nodes are confined depends on the machine.
  expect(await hosts()).toMatch(
    /^host-1 +PRESENT +LOOPBACK +0 of 5 +127\.93\.0\.0\/24 +- +yes +(yes|nodes run without .*)$/m,
  );
  // The same for a machine that has not joined yet; both are needed.
  const [publicRange, nodes] = [
    ['--public-range', '198.51.100.0/24'],
    ['--nodes', '5', '--released'],
  ];
  const invite = (name: string, more: readonly string[]) =>
    runCommand(['machines', 'create', name, '--role', 'lbhost', ...more, ...login]);
  expect((await invite('host-2', [...publicRange, ...nodes])).exitCode).toBe(0);
  expect((await invite('host-3', nodes)).stderr).toContain('needs both --public-range and --nodes');

  const port = await freePort();
  const input = {
    ...{ name: 'web', minNodes: 1, listeners: [{ protocol: 'HTTP', port, defaultPool: 'web' }] },
    pools: [
      {
        ...{
          name: 'web',
          memberProtocol: 'HTTP',
          healthMonitor: { monitorType: 'HTTP', intervalMs: 200, timeoutMs: 200 },
        },
        members: [{ host: '127.0.0.1', port: (member.address() as AddressInfo).port }],
      },
    ],
  };
  const create =
    'mutation ($input: LoadBalancerCreateInput!) { loadBalancerCreate(input: $input) { userErrors { message } } }';
  expect((await ask(create, { input })).data).toEqual({ loadBalancerCreate: { userErrors: [] } });
  const balancer = await waitFor('the node to serve', async () => {
    const { data } = await ask<Seen>('{ loadBalancers { nodes { addresses provisioningStatus operatingStatus } } }');
    const found = data?.loadBalancers.nodes[0];
    return found?.provisioningStatus === 'ACTIVE' && found.operatingStatus === 'ONLINE' && found;
  });
  const answered = await request(`http://${balancer.addresses[0]}:${port}/`);
  expect([answered.statusCode, await answered.body.text()]).toEqual([200, 'of the member']);
  await waitFor('the figures', async () => {
    const metrics = await (await request(`http://127.0.0.1:${ports.watch}/metrics`)).body.text();
    return /^tidegate_load_balancer_node_requests_total\{load_balancer="web",node="\w+"\} 1$/m.test(metrics);
  });
});
