// Every kind of object through its whole life, on FortiGates of several versions.

import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { live } from '../../support/object-life.ts';
import { unlike } from '../../support/unlike.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

interface Life {
  readonly kind: string;
  readonly resource: string;
  readonly listKey: string;
  readonly create: JsonObject;
  readonly change: JsonObject;
  /** Required objects. */
  readonly before?: readonly (readonly [operation: string, args: JsonObject])[];
  /** The device's values after the change. */
  readonly stored: JsonObject;
}

const web = ['address.create', { name: 'web', address: '192.0.2.80' }] as const;
const shop = ['vip.create', { name: 'shop', externalAddress: '203.0.113.10', mappedAddress: '10.0.0.10' }] as const;
const shop2 = ['vip.create', { name: 'shop2', externalAddress: '203.0.113.11', mappedAddress: '10.0.0.11' }] as const;
const anywhere = { sourceInterfaces: ['any'], destinationInterfaces: ['any'], sourceAddresses: ['all'] };

const lives: readonly Life[] = [
  {
    kind: 'address',
    resource: 'address',
    listKey: 'addresses',
    create: { name: 'net one', address: '10.1.0.0/16', comment: 'Grüße' },
    change: { firstAddress: '10.1.0.1', lastAddress: '10.1.0.9' },
    stored: { type: 'iprange', 'start-ip': '10.1.0.1', 'end-ip': '10.1.0.9' },
  },
  {
    kind: 'addressGroup',
    resource: 'address-group',
    listKey: 'addressGroups',
    before: [web],
    create: { name: 'servers', members: ['web', 'all'] },
    change: { members: ['web'], comment: 'fewer' },
    stored: { member: [{ name: 'web', q_origin_key: 'web' }] },
  },
  {
    kind: 'service',
    resource: 'service',
    listKey: 'services',
    create: { name: 'shop-ports', category: 'Web Access', tcpPorts: ['8443-8444', '443-443', '80:1024-65535'] },
    change: { udpPorts: ['53'] },
    stored: { protocol: 'TCP/UDP/SCTP', 'tcp-portrange': '443 80:1024-65535 8443-8444', 'udp-portrange': '53' },
  },
  {
    kind: 'vip',
    resource: 'vip',
    listKey: 'vips',
    create: {
      ...{ name: 'web-vip', externalAddress: '203.0.113.20', mappedAddress: '10.0.0.20', interface: 'port1' },
      ...{ protocol: 'TCP', externalPort: 443, mappedPort: 8443, comment: 'shop' },
    },
    change: { mappedAddress: '10.0.0.21', lastMappedAddress: '10.0.0.22', natSourceVip: true, portMapping: 'm-to-n' },
    stored: { extport: '443', mappedport: '8443', portforward: 'enable', 'nat-source-vip': 'enable' },
  },
  {
    kind: 'vipGroup',
    resource: 'vip-group',
    listKey: 'vipGroups',
    before: [shop, shop2],
    create: { name: 'published', interface: 'any', members: ['shop', 'shop2'] },
    change: { members: ['shop2'] },
    stored: { interface: 'any', member: [{ name: 'shop2', q_origin_key: 'shop2' }] },
  },
  {
    kind: 'policy',
    resource: 'policy',
    listKey: 'policies',
    before: [web, shop],
    create: {
      ...{ name: 'web in', ...anywhere, destinationAddresses: ['shop'], services: ['HTTPS', 'HTTP'] },
      ...{ schedule: 'always', action: 'ACCEPT', nat: true, log: 'ALL', comment: 'ticket 7' },
    },
    change: { services: ['HTTPS'], enabled: false, log: 'NONE' },
    stored: { status: 'disable', logtraffic: 'disable', nat: 'enable', action: 'accept' },
  },
];

/**
 * Values that a release stores differently from others, by version prefix, with the words of its Ansible collection.
 */
const storedOnly: Readonly<Record<string, Readonly<Record<string, JsonObject>>>> = {
  '7.6.4': { service: { protocol: 'TCP/UDP/UDP-Lite/SCTP', 'udplite-portrange': '' } },
};

describe.each(['5.6.14', '6.0.9', '6.4.9', '7.2.5', '7.6.4'])('FortiOS %s', (version) => {
  test.each(lives)('the life of a $kind', async (life) => {
    const { kind, resource, listKey, create, change, stored } = life;
    const gate = { version, multiVdom: true, vdoms: ['tenant'], interfaces: { port1: 'tenant' } };
    const relayed = await RelayedGate.start(gate, { softwareVersion: `FortiOS v${version} build1` });
    const inVdom = { vdom: 'tenant' };
    for (const [operation, args] of life.before ?? []) await relayed.done(operation, { ...inVdom, ...args });
    const named = { ...inVdom, name: String(create.name) };
    const object = { resource, scope: 'tenant', key: named.name };
    await live(relayed, {
      ...{ kind, object, create: { ...inVdom, ...create } },
      result: () => expect.objectContaining(named),
      ...(kind === 'policy' ? { uuid: '1' } : {}),
      change: { ...named, ...(kind === 'policy' ? { policyId: 1 } : {}), ...change },
      get: [named, () => expect.objectContaining({ native: expect.anything() })],
      list: [inVdom, ({ values }) => ({ [listKey]: expect.arrayContaining([expect.objectContaining(values)]) })],
      async made({ madeBy }) {
        expect(relayed.gate.log.carrying(madeBy)).toHaveLength(1);
        // The same name in another scope is another object.
        expect(await relayed.look(resource, { ...object, scope: 'root' })).toEqual({ finding: 'ABSENT' });
      },
      async changed({ values }) {
        expect(values.comment).toBe(change.comment ?? create.comment ?? '');
        const read = await relayed.done(`${kind}.get`, named);
        expect(read.native).toMatchObject({ ...stored, ...storedOnly[version]?.[kind] });
        const entries = (await relayed.done(`${kind}.list`, inVdom))[listKey] as readonly JsonObject[];
        expect(await relayed.done(`${kind}.list`, { ...inVdom, start: entries.length - 1, count: 9 })).toEqual({
          [listKey]: entries.slice(-1),
        });
      },
    });
  });
});

const contents: readonly (readonly [JsonObject, string, JsonObject])[] = [
  [{ address: '0.0.0.0/0' }, '7.4.5', { type: 'ipmask', subnet: '0.0.0.0 0.0.0.0' }],
  [{ address: '192.0.2.1/32' }, '7.4.5', { type: 'ipmask', subnet: '192.0.2.1 255.255.255.255' }],
  [{ address: '198.51.100.128/25' }, '7.4.5', { type: 'ipmask', subnet: '198.51.100.128 255.255.255.128' }],
  [{ fqdn: 'www.example.com' }, '7.4.5', { type: 'fqdn', fqdn: 'www.example.com' }],
  [{ wildcard: '10.0.0.1 255.0.0.255' }, '7.4.5', { type: 'wildcard', wildcard: '10.0.0.1 255.0.0.255' }],
  [{ wildcardFqdn: '*.example.com' }, '7.4.5', { type: 'fqdn', fqdn: '*.example.com' }],
  [{ wildcardFqdn: '*.example.com' }, '5.6.14', { type: 'wildcard-fqdn', 'wildcard-fqdn': '*.example.com' }],
  [{ address: '10.0.0.0/8', interface: 'port1' }, '7.4.5', { 'associated-interface': 'port1' }],
];

/** The whole life of an object whose stored values are known. */
const lifeOf = (relayed: RelayedGate, kind: string, content: JsonObject, stored: JsonObject) =>
  live(relayed, {
    ...{ kind, create: { name: 'a', ...content } },
    get: [{ name: 'a' }, () => expect.objectContaining({ native: expect.objectContaining(stored) })],
  });

test.each(contents)('the life of an address that is %j, on %s', async (content, version, stored) => {
  const softwareVersion = `FortiOS v${version} build1`;
  await lifeOf(await RelayedGate.start({ version }, { softwareVersion }), 'address', content, stored);
});

test.each([
  [
    { icmpType: 8, icmpCode: 0 },
    { protocol: 'ICMP', icmptype: 8 },
  ],
  [{ protocolNumber: 47 }, { protocol: 'IP', 'protocol-number': 47 }],
  [{ sctpPorts: ['2905'] }, { protocol: 'TCP/UDP/SCTP', 'sctp-portrange': '2905' }],
] as const)('the life of a service that is %j', async (content, stored) =>
  lifeOf(await RelayedGate.start(), 'service', { ...content } as JsonObject, stored),
);

test.each(['5.6.14', '7.4.5', '7.6.4'])(
  "%s: a service changes its protocol, and the release's word for ports differs from that of other releases",
  async (version) => {
    const softwareVersion = `FortiOS v${version} build1`;
    const relayed = await RelayedGate.start({ version }, { softwareVersion });
    await relayed.done('service.create', { name: 's', icmpType: 8 });
    await relayed.done('service.update', { name: 's', tcpPorts: ['443'] });
    const { native } = await relayed.done('service.get', { name: 's' });
    const [own, others] = ['TCP/UDP/UDP-Lite/SCTP', 'TCP/UDP/SCTP'];
    const word = version === '7.6.4' ? own : others;
    expect(native).toMatchObject({ protocol: word, 'tcp-portrange': '443' });
    // The simulated release refuses the other word as an unknown value.
    const other = { protocol: word === own ? others : own };
    const path = '/api/v2/cmdb/firewall.service/custom/s?vdom=root';
    const sent = await relayed.send({ kind: 'http', method: 'PUT', path, body: other });
    expect(sent.ok && sent.reply.kind === 'http' && sent.reply.status).toBe(500);
  },
);

test('a service with ports is created without its protocol, because that is the default of every release', async () => {
  // Before the first health check the release is unknown.
  const relayed = await RelayedGate.start({ version: '7.6.4' });
  await relayed.done('service.create', { name: 's', tcpPorts: ['443'], udpPorts: ['53'] });
  expect(await relayed.look('service', { key: 's' })).toMatchObject({
    values: { tcpPorts: ['443'], udpPorts: ['53'] },
  });
});

test('an address that changed its type has none of its old values', async () => {
  const relayed = await RelayedGate.start();
  await relayed.done('address.create', { name: 'a', address: '10.0.0.0/8' });
  await relayed.done('address.update', { name: 'a', fqdn: 'www.example.com' });
  const desired = relayed.desired('address.update', { name: 'a', fqdn: 'www.example.com' });
  expect(desired).toMatchObject({ fqdn: 'www.example.com', address: null });
  const seen = await relayed.look('address', { key: 'a' });
  expect('values' in seen && unlike(fortios, 'address.update', desired, seen.values)).toEqual([]);
});

test('an object in use is not deleted, with a message', async () => {
  const relayed = await RelayedGate.start({ version: '7.4.5' });
  await relayed.done('address.create', { name: 'a', address: '10.0.0.0/8' });
  await relayed.done('addressGroup.create', { name: 'g', members: ['a'] });
  expect(await relayed.call('address.delete', { name: 'a' })).toEqual({
    state: 'FAILED',
    code: 'IN_USE',
    message: 'error -23: The entry is used by other 1 entries',
  });
  expect(await relayed.refused('addressGroup.create', { name: 'h', members: ['no such'] })).toBe('FAILED NOT_FOUND');
  expect(await relayed.refused('addressGroup.create', { name: 'a', members: ['all'] })).toBe('FAILED ALREADY_EXISTS');
});

test('a name in another case and a longer name are different names', async () => {
  const relayed = await RelayedGate.start();
  await relayed.done('address.create', { name: 'my-web-1', address: '10.2.0.0/16' });
  await relayed.done('address.create', { name: 'WEB', address: '10.0.0.0/8' });
  expect(await relayed.look('address', { key: 'web' })).toEqual({ finding: 'ABSENT' });
  expect(await relayed.refused('address.get', { name: 'web' })).toBe('FAILED NOT_FOUND');
  await relayed.done('address.create', { name: 'web', address: '10.1.0.0/16' });
  expect(await relayed.look('address', { key: 'web' })).toMatchObject({
    values: { name: 'web', address: '10.1.0.0/16' },
  });
});
