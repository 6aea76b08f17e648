// Every LTM operation at a simulated BIG-IP, over TLS.

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { BigIp } from '../../../../../simulators/f5-bigip/bigip.ts';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { f5BigIp } from '../../../../../subgraphs/relay/drivers/f5-bigip/driver.ts';
import { DriverCaller } from '../../support/driver-caller.ts';
import { webEndpoint } from '../../support/endpoints.ts';
import { unlike } from '../../support/unlike.ts';

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

const kinds: readonly {
  readonly prefix: string;
  readonly naming: JsonObject;
  readonly settings: JsonObject;
  readonly change: JsonObject;
  readonly list: JsonObject;
  readonly listKey: string;
  readonly object: { readonly resource: string; readonly scope: string; readonly key: string };
}[] = [
  {
    prefix: 'node',
    naming: { name: 'web-1' },
    settings: { address: '2001:DB8:0::10', ratio: 2, comment: 'rack 7' },
    change: { availability: 'offline', connectionLimit: 100 },
    list: { partition: 'Common' },
    listKey: 'nodes',
    object: { resource: 'node', scope: 'Common', key: 'web-1' },
  },
  {
    prefix: 'monitor',
    naming: { type: 'http', name: 'alive' },
    settings: { interval: 10, timeout: 31, send: 'GET /health HTTP/1.0\\r\\n\\r\\n', receive: '200 OK' },
    change: { receive: '^HTTP/1.[01] 200', interval: 11 },
    list: { type: 'http' },
    listKey: 'monitors',
    object: { resource: 'monitor', scope: 'Common', key: 'http/alive' },
  },
  {
    prefix: 'pool',
    naming: { name: 'web' },
    settings: { monitor: 'http', comment: 'Grüße' },
    change: { monitor: 'none', loadBalancing: 'least-connections-member', comment: 'later' },
    list: {},
    listKey: 'pools',
    object: { resource: 'pool', scope: 'Common', key: 'web' },
  },
  {
    prefix: 'virtualServer',
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
];

describe.each(kinds)('$prefix', ({ prefix, naming, settings, change, list, listKey, object }) => {
  const id = randomUUID();
  const operation = (verb: string) => `${prefix}.${verb}`;
  const { resource, ...where } = object;

  test('is created once, with the mark of its call', async () => {
    const given = { ...naming, ...settings };
    expect(driver.objectOf(operation('create'), given)).toEqual(object);
    const made = await driver.done(operation('create'), given, id);
    expect(made).toMatchObject({ operationId: id, comment: settings.comment ?? '' });
    expect(device.applied.carrying(id)).toHaveLength(1);
    expect(await driver.call(operation('create'), given)).toMatchObject({ state: 'FAILED', code: 'ALREADY_EXISTS' });
  });

  test('is found in the desired state', async () => {
    const seen = await driver.look(resource, where);
    if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
    expect(seen.operationId).toBe(id);
    expect(
      unlike(
        f5BigIp,
        operation('create'),
        driver.desired(operation('create'), { ...naming, ...settings }),
        seen.values,
      ),
    ).toEqual([]);
    const read = await driver.done(operation('get'), naming);
    expect(read).toMatchObject({ ...seen.values, operationId: id });
    const listed = (await driver.done(operation('list'), list))[listKey] as JsonObject[];
    expect(listed).toHaveLength(1);
    expect(listed[0]).toMatchObject({ fullPath: read.fullPath, operationId: id });
  });

  test('is changed only in the given values', async () => {
    const args = { ...naming, ...change };
    const before = await driver.look(resource, where);
    await driver.done(operation('update'), args);
    const after = await driver.look(resource, where);
    if (before.finding !== 'PRESENT' || after.finding !== 'PRESENT') throw new Error('it is gone');
    const wanted = { ...before.values, ...driver.desired(operation('update'), args) };
    expect(unlike(f5BigIp, operation('update'), wanted, after.values)).toEqual([]);
    // The creator's mark is kept, unless the text that contains it was replaced.
    if (change.comment === undefined) expect(after.operationId).toBe(id);
  });

  test('is deleted, and then reported as absent', async () => {
    const remove = f5BigIp.resources?.get(resource)?.remove?.({ ...where, uuid: null });
    if (!remove) throw new Error('no deletion');
    expect(remove.operation).toBe(operation('delete'));
    await driver.done(remove.operation, remove.arguments);
    expect(await driver.look(resource, where)).toEqual({ finding: 'ABSENT' });
    expect(await driver.call(remove.operation, remove.arguments)).toMatchObject({
      state: 'FAILED',
      code: 'NOT_FOUND',
      absent: true,
    });
    expect(await driver.call(operation('get'), naming)).toMatchObject({ state: 'FAILED', code: 'NOT_FOUND' });
    expect(await driver.call(operation('update'), { ...naming, ...change })).toMatchObject({
      state: 'FAILED',
      code: 'NOT_FOUND',
    });
  });
});

describe('pool members', () => {
  const members: readonly { naming: JsonObject; key: string }[] = [
    { naming: { pool: 'farm', address: '10.0.0.1', port: 80 }, key: '10.0.0.1:80' },
    { naming: { pool: 'farm', address: '2001:db8:0::1', port: 443 }, key: '2001:db8::1.443' },
    { naming: { pool: 'farm', node: 'named', port: 8080 }, key: 'named:8080' },
  ];

  test.each(members)('$key is created, found, changed and deleted', async ({ naming, key }) => {
    await driver.call('pool.create', { name: 'farm', monitor: 'tcp' });
    await driver.call('node.create', { name: 'named', address: '10.0.0.9' });
    const id = randomUUID();
    const given = { ...naming, ratio: 3, comment: 'blade' };
    expect(driver.objectOf('poolMember.create', given)).toEqual({ resource: 'pool-member', scope: 'Common/farm', key });
    await driver.done('poolMember.create', given, id);
    const where = { scope: 'Common/farm', key };
    const seen = await driver.look('pool-member', where);
    if (seen.finding !== 'PRESENT') throw new Error(JSON.stringify(seen));
    expect(seen.operationId).toBe(id);
    expect(unlike(f5BigIp, 'poolMember.create', driver.desired('poolMember.create', given), seen.values)).toEqual([]);
    const change = { ...naming, availability: 'disabled', ratio: 1 };
    expect(await driver.done('poolMember.update', change)).toMatchObject({ availability: 'disabled', ratio: 1 });
    expect((await driver.done('poolMember.list', { pool: 'farm' })).members).toMatchObject([{ operationId: id }]);
    const remove = f5BigIp.resources?.get('pool-member')?.remove?.({ ...where, uuid: null });
    await driver.done(remove?.operation ?? '', remove?.arguments ?? {});
    expect(await driver.look('pool-member', where)).toEqual({ finding: 'ABSENT' });
    expect(await driver.call('poolMember.delete', naming)).toMatchObject({ state: 'FAILED', absent: true });
  });

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
    // The device made it for the member, so it has no mark.
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

test("a person's description is kept as a comment", async () => {
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
