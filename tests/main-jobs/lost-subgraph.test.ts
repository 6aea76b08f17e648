// A gateway and the five subgraphs, each in its own process. One after the other is killed, while a document and streams of all five are
// read. Each loss costs the fields of the lost subgraph, with an error for each field, and no stream ends.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { startProcess } from '../../compose/process.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { startProgram } from '../bin/support/up-process.ts';
import { freePort } from '../support/machine/free-port.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import { accountsOf, type SystemPlace, systemPlace } from '../support/product/running-system.ts';

interface Answer {
  readonly data?: Readonly<Record<string, unknown>> | null;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly unknown[];
    readonly extensions: Readonly<Record<string, unknown>>;
  }[];
}

const settingNames: Readonly<Record<string, string>> = {
  system: 'system',
  relay: 'relay',
  loadbalancer: 'loadbalancer',
  gslb: 'gslb',
  'object-storage': 'objectStorage',
};
const names = Object.keys(settingNames);
const document = `{
  me { name } projects { nodes { name } }
  backends { nodes { name project { name } } } relayDrivers { name }
  loadBalancers { nodes { name project { name } } } loadBalancerQuotas { used }
  gslbs { nodes { fqdn } } gslbMonitorTypes { checkType }
  objectEndpoints { name } objectOptions { nodes { name } }
}`;
/** The paths without an answer, by lost subgraph. */
const lostPaths: Readonly<Record<string, readonly string[]>> = {
  system: ['backends.nodes.0.project', 'loadBalancers.nodes.0.project', 'me', 'projects'],
  relay: ['backends', 'relayDrivers'],
  loadbalancer: ['loadBalancerQuotas', 'loadBalancers'],
  gslb: ['gslbMonitorTypes', 'gslbs'],
  'object-storage': ['objectEndpoints', 'objectOptions'],
};
const streams: Readonly<Record<string, string>> = {
  system: 'statusChanges { change { kind } cursor }',
  relay: 'backendChanges { backend { name } cursor }',
  loadbalancer: 'loadBalancerChanges { loadBalancer { name } cursor }',
  gslb: 'gslbChanges { gslb { fqdn } cursor }',
  'object-storage': 'objectStatusChanges { objectOption { name } cursor }',
};

let place: SystemPlace;
let token: string;
let url: string;
/** Clients of the operator and of the administrator. Only the administrator sees changes of clusters. */
const clients: Client[] = [];
const programs = new Map<string, ReturnType<typeof startProgram>>();
/** Received events, by subgraph. */
const received = new Map<string, string[]>();
const ended: string[] = [];

beforeAll(async () => {
  place = await systemPlace();
  const first = await startProcess(
    readConfig({ flags: { ...place.settings, roles: 'system' } }, subgraphRows),
    createLogger({ level: 'silent', pretty: false }),
  );
  token = await accountsOf(place, first);
  await first.stop();
  const urls: Record<string, string> = {};
  for (const name of names) {
    const [setting, port] = [settingNames[name], await freePort()];
    urls[`subgraphs.${setting}Url`] = `http://127.0.0.1:${port}/graphql`;
    await settings(name, { roles: [name], [`internal.${setting}Port`]: port });
  }
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  await settings('gateway', { roles: ['gateway'], 'listen.port': port, ...urls });
  for (const name of [...names, 'gateway']) start(name);
  await waitFor('the gateway to be ready', isReady);
  await make('backendCreate', {
    ...{ name: 'one', driver: 'linux-nftables', host: '127.0.0.1', port: 9 },
    credentials: { username: 'u', password: 'not-a-real-one' },
  });
  await make('loadBalancerCreate', { name: 'one' });
  const [operator, administrator] = [socketOf(token), socketOf(await administratorToken())];
  for (const [name, fields] of Object.entries(streams)) {
    const client = name === 'object-storage' ? administrator : operator;
    const seen: string[] = [];
    received.set(name, seen);
    client.subscribe(
      { query: `subscription { ${fields} }` },
      {
        next: (item) => void seen.push(JSON.stringify(item)),
        error: (error) => void ended.push(`${name}: ${JSON.stringify(error)}`),
        complete: () => void ended.push(`${name}: complete`),
      },
    );
  }
  await waitFor('all streams to begin', async () => [...received.values()].every(({ length }) => length > 0));
});

afterAll(async () => {
  for (const client of clients) await client.dispose();
  for (const { child } of programs.values()) child.kill('SIGKILL');
  await Promise.all([...programs.values()].map((program) => program.ended));
  await place?.remove();
});

const file = (name: string): string => join(place.folder.path, `${name}.json`);

async function settings(name: string, own: object): Promise<void> {
  await writeFile(file(name), JSON.stringify({ ...place.settings, 'log.level': 'warn', ...own }));
}

function start(name: string): void {
  programs.set(name, startProgram(['serve', '--as-root', '--config', file(name)]));
}

function socketOf(bearer: string): Client {
  const client = createClient({
    url: `${url.replace('http', 'ws')}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${bearer}` },
    retryAttempts: 0,
  });
  clients.push(client);
  return client;
}

async function administratorToken(): Promise<string> {
  const password = (await readFile(join(place.folder.path, 'accounts', 'admin.password'), 'utf8')).trim();
  const login = 'mutation ($input: LoginInput!) { login(input: $input) { accessToken } }';
  const { data } = await ask(login, { input: { name: 'admin', password } }, {});
  return (data as { login: { accessToken: string } }).login.accessToken;
}

async function isReady(): Promise<boolean> {
  return (await fetch(`${url}/health/ready`).catch(() => undefined))?.status === 200;
}

async function ask(
  query: string,
  variables: object = {},
  credential: Readonly<Record<string, string>> = { authorization: `Bearer ${token}` },
): Promise<Answer> {
  const answer = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...credential },
    body: JSON.stringify({ query, variables }),
  });
  return (await answer.json()) as Answer;
}

async function make(mutation: string, input: object): Promise<void> {
  const type = `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
  const query = `mutation ($input: ${type}!) { made: ${mutation}(input: $input) { userErrors { code message } } }`;
  expect(await ask(query, { input })).toMatchObject({ data: { made: { userErrors: [] } } });
}

/** Kills the subgraph's process, and starts another one afterwards. */
async function whileLost<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const program = programs.get(name);
  program?.child.kill('SIGKILL');
  await program?.ended;
  try {
    return await work();
  } finally {
    start(name);
    await waitFor('the gateway to be ready again', isReady);
  }
}

/** `value` with null at these paths. */
function without(value: unknown, paths: readonly string[], at = ''): unknown {
  if (paths.includes(at)) return null;
  if (typeof value !== 'object' || value === null) return value;
  const below = (key: string) => (at === '' ? key : `${at}.${key}`);
  if (Array.isArray(value)) return value.map((each, index) => without(each, paths, below(String(index))));
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, without(each, paths, below(key))]));
}

test.each(names)('%s is lost: the fields of the others are present, and the streams continue', async (name) => {
  const whole = await ask(document);
  expect(whole.errors).toBeUndefined();
  const { data, errors = [] } = await whileLost(name, () => ask(document));
  const lost = lostPaths[name] ?? [];
  expect(data).toEqual(without(whole.data, lost));
  const places = errors.map(({ path = [] }) => lost.find((each) => path.join('.').startsWith(each)));
  expect([...new Set(places)].sort()).toEqual(lost);
  for (const { message, extensions } of errors) {
    expect(message).toBe(`Subgraph ${name} is not available; try again.`);
    expect(extensions).toEqual({ code: 'SUBGRAPH_UNAVAILABLE', subgraph: name });
  }
  expect((await ask(document)).errors).toBeUndefined();
  expect(ended).toEqual([]);
});

test('afterwards, each change is in its stream once', async () => {
  await make('backendCreate', {
    ...{ name: 'after', driver: 'linux-nftables', host: '127.0.0.1', port: 10 },
    credentials: { username: 'u', password: 'not-a-real-one' },
  });
  await make('loadBalancerCreate', { name: 'after' });
  const seen = (name: string, text: string) => received.get(name)?.filter((item) => item.includes(text)) ?? [];
  await waitFor('the changes to arrive', async () =>
    [
      seen('relay', '"after"'),
      seen('loadbalancer', '"after"'),
      seen('system', '"backend.provisioningStatus"'),
      seen('system', '"loadBalancer.provisioningStatus"'),
    ].every(({ length }) => length > 0),
  );
  for (const [name, items] of received) {
    const cursors = items.map((item) => /"cursor":"([^"]+)"/.exec(item)?.[1]);
    expect({ name, twice: cursors.length - new Set(cursors).size }).toEqual({ name, twice: 0 });
  }
  expect(ended).toEqual([]);
});
