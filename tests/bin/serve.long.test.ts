// `tidegate serve` on "real hosts": gateway, control and worker as separate processes, mutual TLS between them, HTTPS in front,
// on a database and Redis that they did not start.
import { once } from 'node:events';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { Agent, request } from 'undici';
import { WebSocket } from 'ws';
import { firstAccounts } from '../../compose/first-accounts.ts';
import { startProcess } from '../../compose/process.ts';
import { signalServed } from '../../ha/served-process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { testEgressSettings } from '../support/machine/egress.ts';
import { freePort } from '../support/machine/free-port.ts';
import { type TemporaryFolder, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';
import { makeCertificates, type TestCertificates } from '../support/product/certificates.ts';
import { type TestDatabase, testDatabase } from '../support/stores/database.ts';
import { startProgram } from './support/up-process.ts';

let folder: TemporaryFolder;
let database: TestDatabase;
let internal: TestCertificates;
let front: TestCertificates;
let agent: Agent;
let token: string;
const ports = { gateway: 0, system: 0, relay: 0, control: 0, worker: 0 };
const programs = new Map<string, ReturnType<typeof startProgram>>();

beforeAll(async () => {
  folder = await temporaryFolder();
  database = await testDatabase();
  internal = await makeCertificates(folder.path, 'internal');
  front = await makeCertificates(folder.path, 'front');
  agent = new Agent({ connect: { ca: front.ca } });
  for (const name of ['gateway', 'system', 'relay', 'control', 'worker'] as const) ports[name] = await freePort();
  await makeKeys(keys('all'));
  await giveKeys('gateway', ['gateway']);
  await giveKeys('control', ['public', 'system', 'subgraphs', 'sealing']);
  await giveKeys('worker', ['public', 'audit', 'sealing']);
  token = await makeAccounts();
  await writeFile(
    file('control'),
    JSON.stringify({
      ...common('control'),
      roles: ['system', 'relay'],
      'internal.systemPort': ports.system,
      'internal.relayPort': ports.relay,
      'watch.port': ports.control,
    }),
  );
  await writeFile(
    file('worker'),
    JSON.stringify({ ...common('worker'), roles: ['worker'], 'watch.port': ports.worker }),
  );
  await writeFile(file('gateway'), JSON.stringify(gatewaySettings()));
  for (const name of ['control', 'worker', 'gateway']) start(name);
  await waitFor('the gateway to be ready', isReady);
});

afterAll(async () => {
  for (const program of programs.values()) program.child.kill('SIGKILL');
  await Promise.all([...programs.values()].map((program) => program.ended));
  await agent?.close();
  await database?.drop();
  await folder?.remove();
});

const file = (name: string): string => join(folder.path, `${name}.json`);
const keys = (host: string): string => join(folder.path, `keys-${host}`);

/** Exactly the keys that a host of these roles needs according to docs/operating.md. */
async function giveKeys(host: string, names: readonly string[]): Promise<void> {
  await mkdir(keys(host));
  for (const name of names) await copyFile(join(keys('all'), `${name}.keys`), join(keys(host), `${name}.keys`));
}

function common(host: string): Record<string, unknown> {
  const { socketPath, user, password, database: name } = database.connection;
  return {
    'database.socketPath': socketPath,
    'database.user': user,
    'database.password': password,
    'database.name': name,
    'redis.path': database.redisPath,
    'keys.folder': keys(host),
    'internal.tls.certFile': internal.files.cert,
    'internal.tls.keyFile': internal.files.key,
    'internal.tls.caFile': internal.files.ca,
    'log.level': 'warn',
    ...testEgressSettings,
  };
}

/** A gateway host needs no database, no Redis and no sealing key. */
function gatewaySettings(): Record<string, unknown> {
  const {
    'keys.folder': keysFolder,
    'internal.tls.certFile': certFile,
    'internal.tls.keyFile': key,
    'internal.tls.caFile': caFile,
  } = common('gateway');
  return {
    roles: ['gateway'],
    'listen.port': ports.gateway,
    'ha.processFile': file('gateway.process'),
    'listen.tls.certFile': front.files.cert,
    'listen.tls.keyFile': front.files.key,
    'subgraphs.systemUrl': `https://127.0.0.1:${ports.system}/graphql`,
    'subgraphs.relayUrl': `https://127.0.0.1:${ports.relay}/graphql`,
    'keys.folder': keysFolder,
    'internal.tls.certFile': certFile,
    'internal.tls.keyFile': key,
    'internal.tls.caFile': caFile,
    'log.level': 'warn',
  };
}

function start(name: string): void {
  programs.set(name, startProgram(['serve', '--as-root', '--config', file(name)]));
}

async function makeAccounts(): Promise<string> {
  const config = readConfig(
    { flags: { ...(common('control') as Record<string, string>), roles: 'system' } },
    subgraphRows,
  );
  const running = await startProcess(config, createLogger({ level: 'silent', pretty: false }));
  if (running.access === undefined) throw new Error('no system');
  const accounts = await firstAccounts(running.access, folder.path);
  await running.stop();
  return accounts.token;
}

async function isReady(): Promise<boolean> {
  const answer = await request(`https://127.0.0.1:${ports.gateway}/health/ready`, { dispatcher: agent }).catch(
    () => undefined,
  );
  await answer?.body.dump();
  return answer?.statusCode === 200;
}

async function ask<Data>(
  query: string,
  variables: object = {},
): Promise<{ data: Data; errors?: { extensions: { code: string } }[] }> {
  const answer = await request(`https://127.0.0.1:${ports.gateway}/graphql`, {
    dispatcher: agent,
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  return (await answer.body.json()) as { data: Data; errors?: { extensions: { code: string } }[] };
}

const createBackend =
  'mutation ($input: BackendCreateInput!) { backendCreate(input: $input) { backend { id name project { name } } userErrors { code } commit { replication { state } } } }';
const backendInput = (name: string, port = 9) => ({
  name,
  driver: 'linux-nftables',
  host: '127.0.0.1',
  port,
  credentials: { username: 'u', password: 'not-a-real-one' },
});

test('a mutation in one subgraph with fields of another, through HTTPS and mutual TLS', async () => {
  const { data, errors } = await ask<{
    backendCreate: {
      backend: { project: { name: string } };
      userErrors: unknown[];
      commit: { replication: { state: string } };
    };
  }>(createBackend, { input: backendInput('one') });
  expect(errors).toBeUndefined();
  expect(data.backendCreate.userErrors).toEqual([]);
  expect(data.backendCreate.backend.project.name).toBe('default');
  expect(data.backendCreate.commit.replication.state).toBe('NOT_REPLICATED');
});

test('a process without a public endpoint has health and metrics on its own port', async () => {
  const watched = async (port: number, path: string) => {
    const { statusCode, body } = await request(`http://127.0.0.1:${port}${path}`);
    return `${statusCode} ${await body.text()}`;
  };
  for (const port of [ports.worker, ports.control])
    await waitFor('it to be ready', async () => (await watched(port, '/health/ready')).startsWith('200 '));
  expect(await watched(ports.worker, '/metrics')).toMatch(/^tidegate_owed_work_rows\{state="due"\} \d/m);
  expect(await watched(ports.control, '/metrics')).toMatch(/^tidegate_feed_position \d/m);
});

test('the subgraphs answer only clients with a certificate of their authority', async () => {
  const insecure = new Agent({ connect: { ca: internal.ca } });
  await expect(
    request(`https://127.0.0.1:${ports.relay}/graphql`, { dispatcher: insecure, method: 'POST', body: '{}' }),
  ).rejects.toThrow();
  await insecure.close();
});

test('a subscription survives a restart of the subgraphs without gaps or repetitions', async () => {
  class TrustingWebSocket extends WebSocket {
    constructor(address: string, protocols: string[]) {
      super(address, protocols, { ca: front.ca });
    }
  }
  const client = createClient({
    url: `wss://127.0.0.1:${ports.gateway}/graphql`,
    webSocketImpl: TrustingWebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
  });
  const stream = client.iterate<{
    statusChanges: { change: { id: string; subject: { name?: string } | null } | null };
  }>({
    query:
      'subscription { statusChanges(kinds: ["backend.provisioningStatus"]) { change { id subject { ... on Backend { name } } } } }',
  });
  expect((await stream.next()).value.data.statusChanges.change).toBeNull();
  await ask(createBackend, { input: backendInput('before', 10) });
  programs.get('control')?.child.kill('SIGKILL');
  await programs.get('control')?.ended;
  const away = await ask<{ backends: unknown }>('{ backends { nodes { id } } }');
  expect(['SUBGRAPH_UNAVAILABLE', 'UNAVAILABLE']).toContain(away.errors?.[0]?.extensions.code);
  start('control');
  await waitFor('the gateway to be ready again', isReady);
  await ask(createBackend, { input: backendInput('after', 11) });
  const ids: string[] = [];
  const names: (string | undefined)[] = [];
  while (!names.includes('after')) {
    const { data, errors } = (await stream.next()).value;
    const { change } = data.statusChanges;
    if (change === null) continue;
    ids.push(change.id);
    // An event that is sent while a part stops lists the fields that are missing for that reason.
    names.push(change.subject?.name ?? errors?.[0]?.extensions.code);
  }
  expect(names).toEqual([expect.stringMatching(/^(before|SUBGRAPH_UNAVAILABLE)$/), 'after']);
  expect(new Set(ids).size).toBe(2);
  await client.dispose();
});

test('SIGUSR2 ends the connections of clients, and each process continues to serve', async () => {
  const socket = new WebSocket(`wss://127.0.0.1:${ports.gateway}/graphql`, 'graphql-transport-ws', { ca: front.ca });
  const closed = once(socket, 'close');
  await once(socket, 'open');
  programs.get('control')?.child.kill('SIGUSR2');
  // The form in which the agent of a cluster's host finds it.
  expect(await signalServed(file('gateway.process'), 'SIGUSR2')).toBe(true);
  expect((await closed)[0]).toBe(1001);
  await waitFor('the gateway', isReady);
});

test('SIGTERM drains every process: exit code 0', async () => {
  for (const name of ['gateway', 'worker', 'control']) {
    const program = programs.get(name);
    program?.child.kill('SIGTERM');
    expect({ name, ...(await program?.ended) }).toEqual({ name, code: 0, signal: null });
  }
});

test('reports all faults, and refuses a database without migrations', async () => {
  const wrong = startProgram(['serve', '--set', 'listen.port=x', '--set', 'no.such=1', '--roles', 'cook']);
  expect((await wrong.ended).code).toBe(1);
  expect(wrong.output()).toMatch(/listen\.port[\s\S]*no\.such|no\.such[\s\S]*listen\.port/);
  const empty = await testDatabase({ migrated: false });
  await writeFile(
    file('empty'),
    JSON.stringify({ ...common('control'), 'database.name': empty.name, roles: ['system'] }),
  );
  const refused = startProgram(['serve', '--as-root', '--config', file('empty')]);
  expect((await refused.ended).code).toBe(1);
  expect(refused.output()).toContain('tidegate migrate');
  await empty.drop();
});

/** Each line names its setting. Nothing listens at the database's port: whoever connected first would report that. */
test.each([
  [
    'password, key files, machines',
    { 'database.passwordFile': 'none', 'keys.folder': 'keys-gateway', 'internal.machineFolder': 'machines' },
    [
      /^database\.passwordFile: can't be used: ENOENT/,
      /^keys\.folder: without public\.keys, subgraphs\.keys, system\.keys, which these roles need/,
      /^internal\.machineFolder: without system\.json, relay\.json, which these roles need/,
      /^keys\.sealingFile: others may read the file .*chmod 600/,
    ],
  ],
  [
    'certificates, closed folders',
    { 'database.caFile': 'none', 'keys.folder': 'closed', 'internal.machineFolder': 'closed' },
    [
      /^database\.caFile: can't be used: ENOENT/,
      /^keys\.folder: can't be used: EACCES.*chown/,
      /^internal\.machineFolder: can't be used: EACCES.*chown/,
      /^keys\.sealingFile: others may read the file/,
    ],
  ],
] as const)('names all missing files at once, before it connects: %s', async (_, paths, wanted) => {
  // Even root needs a bit for x.
  await writeFile(join(folder.path, 'closed'), '', { mode: 0o600 });
  await mkdir(join(folder.path, 'machines'), { recursive: true });
  await writeFile(join(folder.path, 'shared.keys'), '{}', { mode: 0o644 });
  const settings = {
    ...{ roles: ['system', 'relay'], 'internal.systemPort': 1, 'internal.relayPort': 1 },
    ...{ 'database.host': '127.0.0.1:1', 'redis.host': '127.0.0.1' },
  };
  const inFolder = ([name, path]: readonly [string, string]) => [name, join(folder.path, path)];
  const all = {
    ...settings,
    'keys.sealingFile': join(folder.path, 'shared.keys'),
    ...Object.fromEntries(Object.entries(paths).map(inFolder)),
  };
  await writeFile(file('faulty'), JSON.stringify(all));
  const refused = startProgram(['serve', '--as-root', '--config', file('faulty')]);
  expect((await refused.ended).code).toBe(1);
  const lines = refused
    .output()
    .split('\n')
    .filter((line) => line.startsWith('  '))
    .map((line) => line.trim());
  expect({ lines, isComplete: wanted.every((each) => lines.some((line) => each.test(line))) }).toEqual({
    lines,
    isComplete: true,
  });
  expect(lines).toHaveLength(wanted.length);
});
