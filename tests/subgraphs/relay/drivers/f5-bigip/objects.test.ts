// Every LTM operation on a simulated BIG-IP, over TLS.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { live } from '../../support/object-life.ts';

let device: BigIp;
let driver: DriverCaller;

beforeAll(async () => {
  device = await BigIp.start();
  driver = new DriverCaller(f5BigIp, webEndpoint(device.server));
});
afterAll(async () => {
  await driver.stop();
  await device.stop();
});

const lives: readonly {
  readonly kind: string;
  readonly naming: JsonObject;
  readonly settings: JsonObject;
  readonly change: JsonObject;
  /** The device's answer to the change. */
  readonly answered?: JsonObject;
  readonly list: JsonObject;
  readonly listKey: string;
  readonly object: { readonly resource: string; readonly scope: string; readonly key: string };
}[] = [
  {
    kind: 'node',
    naming: { name: 'web-1' },
    settings: { address: '2001:DB8:0::10', ratio: 2, comment: 'rack 7' },
    change: { availability: 'offline', connectionLimit: 100 },
    list: { partition: 'Common' },
    listKey: 'nodes',
    object: { resource: 'node', scope: 'Common', key: 'web-1' },
  },
  {
    kind: 'monitor',
    naming: { type: 'http', name: 'alive' },
    settings: { interval: 10, timeout: 31, send: 'GET /health HTTP/1.0\\r\\n\\r\\n', receive: '200 OK' },
    change: { receive: '^HTTP/1.[01] 200', interval: 11 },
    list: { type: 'http' },
    listKey: 'monitors',
    object: { resource: 'monitor', scope: 'Common', key: 'http/alive' },
  },
  {
    kind: 'pool',
    naming: { name: 'web' },
    settings: { monitor: 'http', comment: 'Grüße' },
    change: { monitor: 'none', loadBalancing: 'least-connections-member', comment: 'later' },
    list: {},
    listKey: 'pools',
    object: { resource: 'pool', scope: 'Common', key: 'web' },
  },
  {
    kind: 'virtualServer',
    naming: { name: 'shop' },
    settings: {
      address: '203.0.113.80',
      port: 443,
      protocol: 'tcp',
      profiles: ['tcp', '/Common/http'],
      enabled: false,
    },
    change: { enabled: true, sourceTranslation: 'automap', address: '2001:db8::80', port: 80 },
    list: {},
    listKey: 'virtualServers',
    object: { resource: 'virtual-server', scope: 'Common', key: 'shop' },
  },
  ...[
    { naming: { pool: 'farm', address: '10.0.0.1', port: 80 }, key: '10.0.0.1:80' },
    { naming: { pool: 'farm', address: '2001:db8:0::1', port: 443 }, key: '2001:db8::1.443' },
    { naming: { pool: 'farm', node: 'named', port: 8080 }, key: 'named:8080' },
  ].map(({ naming, key }) => ({
    ...{ kind: 'poolMember', naming, settings: { ratio: 3, comment: 'blade' } },
    ...{ change: { availability: 'disabled', ratio: 1 }, answered: { availability: 'disabled', ratio: 1 } },
    ...{ list: { pool: 'farm' }, listKey: 'members', object: { resource: 'pool-member', scope: 'Common/farm', key } },
  })),
];

test.each(lives)('the life of a $kind: $object.key', async (life) => {
  const { kind, naming, settings, change, answered = {}, list, listKey, object } = life;
  if (kind === 'poolMember') {
    await driver.call('node.create', { name: 'named', address: '10.0.0.9' });
    await driver.call('pool.create', { name: 'farm', monitor: 'tcp' });
  }
  await live(driver, {
    ...{ kind, object, create: { ...naming, ...settings }, change: { ...naming, ...change } },
    result: (operationId) => expect.objectContaining({ operationId, comment: settings.comment ?? '' }),
    get: [naming, ({ values, mark }) => expect.objectContaining({ ...values, ...mark })],
    list: [list, ({ mark }) => ({ [listKey]: [expect.objectContaining(mark)] })],
    async made({ madeBy }) {
      expect(device.applied.carrying(madeBy)).toHaveLength(1);
      const { fullPath } = await driver.done(`${kind}.get`, naming);
      expect(await driver.done(`${kind}.list`, list)).toMatchObject({ [listKey]: [{ fullPath }] });
    },
    changed({ mark, madeBy }, called) {
      expect(called).toMatchObject({ result: answered });
      // The creator's mark is kept, unless the text that contains it was replaced.
      if (change.comment === undefined) expect(mark).toEqual({ operationId: madeBy });
    },
  });
});

describe('pool members', () => {
  test('of a deleted pool are absent', async () => {
    const where = { scope: 'Common/nowhere', key: '10.0.0.1:80' };
    expect(await driver.look('pool-member', where)).toEqual({ finding: 'ABSENT' });
    const args = { pool: 'nowhere', address: '10.0.0.1', port: 80 };
    expect(await driver.call('poolMember.delete', args)).toMatchObject({ state: 'FAILED', absent: true });
    const made = await driver.call('poolMember.create', args);
    expect(made).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
  });
});

test("an object in use is kept, with the device's message", async () => {
  await driver.done('monitor.create', { type: 'tcp', name: 'used' });
  await driver.done('pool.create', { name: 'used', monitor: '/Common/used' });
  await driver.done('poolMember.create', { pool: 'used', address: '10.9.0.1', port: 80 });
  const server = { name: 'used', address: '203.0.113.9', port: 80, protocol: 'tcp', pool: 'used' };
  await driver.done('virtualServer.create', server);
  const { settingsSha256 = null } = await driver.done('node.get', { name: '10.9.0.1' });
  for (const [operation, args, number] of [
    ['monitor.delete', { type: 'tcp', name: 'used' }, '01070083:3'],
    ['pool.delete', { name: 'used' }, '01070265:3'],
    // The device created the node for the member, so it has no mark.
    ['node.delete', { name: '10.9.0.1', settingsSha256 }, '01070110:3'],
  ] as const) {
    const message = expect.stringMatching(new RegExp(`^${number}: `));
    expect(await driver.call(operation, args)).toEqual({ state: 'FAILED', code: 'IN_USE', message });
  }
  expect(await driver.call('virtualServer.create', { ...server, name: 'twin' })).toMatchObject({
    state: 'FAILED',
    code: 'DEVICE_REFUSED',
    message: expect.stringContaining('01070333:3'),
  });
  await driver.done('virtualServer.update', { name: 'used', pool: 'none' });
  expect(await driver.done('virtualServer.get', { name: 'used' })).toMatchObject({ pool: 'none' });
  await driver.done('pool.delete', { name: 'used' });
});

test('a reference to a missing object is a refusal, not an absence', async () => {
  const server = { name: 'lost', address: '203.0.113.77', port: 80, protocol: 'tcp', pool: 'nowhere' };
  expect(await driver.call('virtualServer.create', server)).toEqual({
    state: 'FAILED',
    code: 'NOT_FOUND',
    message: '01020036:3: The requested Pool (/Common/nowhere) was not found.',
  });
  await driver.done('pool.create', { name: 'lost' });
  expect(await driver.call('pool.update', { name: 'lost', monitor: 'nowhere' })).toMatchObject({ state: 'FAILED' });
  expect(await driver.look('pool', { scope: 'Common', key: 'lost' })).toMatchObject({ finding: 'PRESENT' });
});

test('lists are read page by page', async () => {
  for (const name of ['p1', 'p2', 'p3']) await driver.done('pool.create', { name, comment: name });
  const all = (await driver.done('pool.list', {})).pools as JsonObject[];
  const page = (await driver.done('pool.list', { top: 2, skip: all.length - 3 })).pools as JsonObject[];
  expect(page.map((each) => each.comment)).toEqual(['p1', 'p2']);
});

test("a user's description is kept as a comment", async () => {
  device.config.add(
    'ltm/pool',
    { fullPath: '/Common/old', partition: 'Common', name: 'old' },
    { description: 'by hand' },
  );
  expect(await driver.look('pool', { scope: 'Common', key: 'old' })).toEqual({
    finding: 'PRESENT',
    values: expect.objectContaining({ comment: 'by hand' }),
  });
});

test('reports its identity, and saves', async () => {
  expect(await driver.health()).toEqual({ softwareVersion: 'BIG-IP 13.1.1', serial: 'f5-sim-0001' });
  expect(await driver.done('system.info', {})).toMatchObject({
    hostname: 'bigip-1.example.com',
    serial: 'f5-sim-0001',
    failoverState: 'active',
  });
  expect(device.config.unsaved).toBe(true);
  expect(await driver.done('config.save', {})).toEqual({ saved: true });
  expect(device.config.unsaved).toBe(false);
});
