// A subgraph that no file of the product knows, mounted through its row alone: in one process with all the rest, and as a
// process of its own behind a gateway. And a graph without a subgraph that a deployment leaves out.
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { allInOneConfig, startAllInOne } from '../../bin/compose/all-in-one.ts';
import { firstAccounts } from '../../bin/compose/first-accounts.ts';
import { ownersOf } from '../../bin/compose/owners.ts';
import { type RunningProcess, startProcess } from '../../bin/compose/process.ts';
import { ConfigError, readConfig } from '../../platform/config.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { createLogger } from '../../platform/log.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { testEgressSettings } from '../support/egress.ts';
import { freePort } from '../support/free-port.ts';
import { systemPlace } from '../support/running-system.ts';
import { temporaryFolder, waitFor } from '../support/temporary-folder.ts';
import { thermometerRow } from './row.ts';

const rows = [...subgraphRows, thermometerRow];
const log = createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
let device: Server;
let port: number;

beforeAll(async () => {
  device = createServer((socket) => socket.on('error', () => undefined).end());
  device.listen(0, '127.0.0.1');
  await once(device, 'listening');
  port = (device.address() as AddressInfo).port;
});

afterAll(() => new Promise((resolve) => device.close(resolve)));

interface Mounted {
  /** Without a path. */
  readonly url: string;
  readonly token: string;
  /** Processes whose health tells of all roles. */
  readonly processes: readonly RunningProcess[];
  stop(): Promise<void>;
}

async function ask<Data>(
  { url, token }: Pick<Mounted, 'url' | 'token'>,
  query: string,
  variables: object = {},
): Promise<Data> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify({ query, variables }),
  });
  const answer = (await response.json()) as { data: Data; errors?: unknown };
  expect(answer.errors).toBeUndefined();
  return answer.data;
}

async function allInOne(): Promise<Mounted> {
  const folder = await temporaryFolder();
  const flags = {
    'listen.port': String(await freePort()),
    'thermometer.checkIntervalMs': '200',
    'log.level': 'silent',
    ...testEgressSettings,
  };
  const running = await startAllInOne({
    config: allInOneConfig({ flags }, rows),
    ...{ dataPath: join(folder.path, 'data'), withLab: false, signal: new AbortController().signal, rows },
    stdout: new Writable({ write: (_chunk, _encoding, done) => done() }),
  });
  const accounts = await firstAccountsIn(running.process, join(folder.path, 'data'));
  return {
    ...{ url: running.process.url ?? '', token: accounts, processes: [running.process] },
    async stop() {
      await running.stop();
      await folder.remove();
    },
  };
}

async function firstAccountsIn(process: RunningProcess, folder: string): Promise<string> {
  if (process.access === undefined) throw new Error('no role system');
  await mkdir(folder, { recursive: true });
  return (await firstAccounts(process.access, folder)).token;
}

/** Each role a process, as on hosts of their own; without the relay. */
async function served(): Promise<Mounted> {
  const place = await systemPlace();
  await migrate(place.database.connection, ownersOf(['thermometer'], rows));
  const ports = { system: await freePort(), thermometer: await freePort() };
  const start = (roles: string, settings: Readonly<Record<string, string>> = {}) =>
    startProcess(readConfig({ flags: { ...place.settings, ...settings, roles } }, rows), log, { rows });
  const processes = [
    await start('system', { 'internal.systemPort': String(ports.system) }),
    await start('thermometer', { 'internal.thermometerPort': String(ports.thermometer) }),
    await start('worker', { 'thermometer.checkIntervalMs': '200' }),
    await start('weatherman', { 'thermometer.checkIntervalMs': '200' }),
    await start('gateway', {
      'listen.port': '0',
      'subgraphs.systemUrl': `http://127.0.0.1:${ports.system}`,
      'subgraphs.thermometerUrl': `http://127.0.0.1:${ports.thermometer}`,
    }),
  ];
  const [system] = processes;
  if (system === undefined) throw new Error('no process');
  const token = await firstAccountsIn(system, join(place.folder.path, 'accounts'));
  return {
    ...{ url: processes.at(-1)?.url ?? '', token, processes },
    async stop() {
      for (const process of processes.reverse()) await process.stop();
      await place.remove();
    },
  };
}

describe.each([
  ['in one process with all the rest', allInOne],
  ['served over HTTP', served],
])('the small subgraph, %s', (_mode, mount) => {
  let mounted: Mounted;

  beforeAll(async () => {
    mounted = await mount();
  }, 60_000);

  afterAll(() => mounted?.stop(), 60_000);

  test('its mutation, subscription, entity, queue, check and kinds of events', async () => {
    const client = createClient({
      url: `${mounted.url.replace('http', 'ws')}/graphql`,
      webSocketImpl: WebSocket,
      connectionParams: { authorization: `Bearer ${mounted.token}` },
    });
    const changes = client.iterate<{
      thermometerChanges: { thermometer: { name: string; reading: number | null } | null };
    }>({
      query:
        'subscription { thermometerChanges { cursor thermometer { name reading operatingStatus project { name } } } }',
    });
    await changes.next();

    const create = `mutation ($input: ThermometerCreateInput!) { thermometerCreate(input: $input) {
      thermometer { id name project { name } } userErrors { code } commit { replication { state } } } }`;
    const input = { name: 'roof', port, idempotencyKey: 'k1' };
    type Created = { thermometerCreate: { thermometer: { id: string } | null; userErrors: { code: string }[] } };
    const created = await ask<Created>(mounted, create, { input });
    expect(created.thermometerCreate).toMatchObject({
      thermometer: { name: 'roof', project: { name: 'default' } },
      userErrors: [],
      commit: { replication: { state: 'NOT_REPLICATED' } },
    });
    expect(await ask<Created>(mounted, create, { input })).toEqual(created);
    const taken = await ask<Created>(mounted, create, { input: { name: 'roof', port } });
    expect(taken.thermometerCreate.userErrors).toEqual([{ code: 'ALREADY_EXISTS' }]);

    const id = created.thermometerCreate.thermometer?.id;
    const shown = `query ($id: ID!) { node(id: $id) { ... on Thermometer { reading operatingStatus } } }`;
    const now = async () =>
      (await ask<{ node: { reading: number; operatingStatus: string } }>(mounted, shown, { id })).node;
    await waitFor('the queue and the check', async () => {
      const { reading, operatingStatus } = await now();
      return reading === 21 && operatingStatus === 'ONLINE';
    });
    for (;;) {
      const { value } = await changes.next();
      const thermometer = value?.data?.thermometerChanges.thermometer;
      if (thermometer?.reading === 21) break;
    }
    await client.dispose();

    const history = '{ statusHistory(subjectTypes: ["Thermometer"], first: 10) { nodes { kind to } } }';
    const { statusHistory } = await ask<{ statusHistory: { nodes: { kind: string; to: string }[] } }>(mounted, history);
    expect(statusHistory.nodes.map(({ kind, to }) => `${kind} ${to}`).sort()).toEqual([
      'thermometer.operatingStatus ONLINE',
      'thermometer.operatingStatus UNKNOWN',
      'thermometer.reading READ',
    ]);
  }, 60_000);

  test('its role without a database runs', async () => {
    const parts = (await Promise.all(mounted.processes.map(({ health }) => health.parts()))).flat();
    expect(parts).toContainEqual({ name: 'weatherman', ready: true, detail: 'every 200 ms' });
  });
});

test('a graph without the subgraphs that are nowhere; system must be somewhere', async () => {
  const mounted = await served();
  try {
    const { __schema } = await ask<{ __schema: { types: { name: string }[] } }>(
      mounted,
      '{ __schema { types { name } } }',
    );
    const names = __schema.types.map(({ name }) => name);
    expect(names).toContain('Thermometer');
    expect(names.filter((name) => /^(Backend|Mapping|RelayOperation)/.test(name))).toEqual([]);
  } finally {
    await mounted.stop();
  }
  const place = await systemPlace();
  try {
    const config = readConfig({ flags: { ...place.settings, roles: 'gateway', 'listen.port': '0' } }, rows);
    await expect(startProcess(config, log, { rows })).rejects.toThrow(ConfigError);
    await expect(startProcess(config, log, { rows })).rejects.toThrow('subgraphs.systemUrl');
  } finally {
    await place.remove();
  }
}, 60_000);
