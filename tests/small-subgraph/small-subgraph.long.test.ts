// A subgraph that no file of the product knows, mounted only through its row: in one process with all others, and as a separate
// process behind a gateway. Also a graph without a subgraph that a deployment leaves out.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startProcess } from '../../compose/process.ts';
import { ConfigError } from '../../platform/errors/config-error.ts';
import { graphOf } from '../../platform/graph/sdl.ts';
import { createLogger } from '../../platform/log/log.ts';
import { readConfig } from '../../platform/process/config.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';
import { lintGraph } from '../../tools/check/sdl-lint.ts';
import { waitFor } from '../support/machine/temporary-folder.ts';
import {
  ask,
  type MountedGraph,
  mountAsProcesses,
  mountInOneProcess,
  subscriber,
} from '../support/product/mounted-graph.ts';
import { systemPlace } from '../support/product/running-system.ts';
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

const settings = { 'thermometer.checkIntervalMs': '200' };

const inOneProcess = () => mountInOneProcess({ rows, settings });
/** Like on separate hosts; without the relay. */
const served = () => mountAsProcesses({ rows, settings, subgraphs: ['thermometer'], roles: ['weatherman'] });

describe.each([
  ['in one process with all others', inOneProcess],
  ['served over HTTP', served],
])('the small subgraph, %s', (_mode, mount) => {
  let mounted: MountedGraph;

  beforeAll(async () => {
    mounted = await mount();
  });

  afterAll(() => mounted?.stop(), 60_000);

  test('its mutations, list, subscription, entity, queue, check and event kinds work', async () => {
    const client = subscriber(mounted);
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
    type History = { statusHistory: { nodes: { kind: string; to: string }[] } };
    const told = async () =>
      (await ask<History>(mounted, history)).statusHistory.nodes.map(({ kind, to }) => `${kind} ${to}`).sort();
    // An event appears in the history a moment after the change.
    await waitFor('the history', async () => (await told()).length >= 3);
    expect(await told()).toEqual([
      'thermometer.operatingStatus ONLINE',
      'thermometer.operatingStatus UNKNOWN',
      'thermometer.reading READ',
    ]);

    const list = '{ thermometers(first: 1) { nodes { id } pageInfo { hasNextPage endCursor } totalCount } }';
    type List = { thermometers: { nodes: { id: string }[]; pageInfo: { endCursor: string } } };
    const { thermometers } = await ask<List>(mounted, list);
    expect(thermometers).toMatchObject({ nodes: [{ id }], pageInfo: { hasNextPage: false }, totalCount: 1 });
    const next = `{ thermometers(after: "${thermometers.pageInfo.endCursor}") { nodes { id } } }`;
    expect(await ask(mounted, next)).toEqual({ thermometers: { nodes: [] } });

    const remove = `mutation ($input: ThermometerDeleteInput!) { thermometerDelete(input: $input) {
      thermometer { operatingStatus } userErrors { code } } }`;
    const removal = { id, expectedVersion: 1, idempotencyKey: 'k2' };
    const stale = { thermometerDelete: { thermometer: null, userErrors: [{ code: 'STALE_VERSION' }] } };
    expect(await ask(mounted, remove, { input: removal })).toEqual(stale);
    const gone = { thermometerDelete: { thermometer: { operatingStatus: 'DELETED' }, userErrors: [] } };
    const again = { id, idempotencyKey: 'k3' };
    expect(await ask(mounted, remove, { input: again })).toEqual(gone);
    expect(await ask(mounted, remove, { input: again })).toEqual(gone);
    const twice = { thermometerDelete: { thermometer: null, userErrors: [{ code: 'NOT_FOUND' }] } };
    expect(await ask(mounted, remove, { input: { id } })).toEqual(twice);
    expect(await ask(mounted, list)).toMatchObject({ thermometers: { nodes: [] } });
  });

  test('its role without a database runs', async () => {
    const parts = (await Promise.all(mounted.processes.map(({ health }) => health.components()))).flat();
    expect(parts).toContainEqual({ name: 'weatherman', ready: true, detail: 'every 200 ms' });
  });
});

test('its SDL follows the rules of the graph', () => {
  expect(lintGraph(graphOf(rows))).toEqual([]);
});

test('a graph without subgraphs that run nowhere; system must run somewhere', async () => {
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
});
