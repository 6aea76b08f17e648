// The values that a FortiGate stores for the typed firewall mutations.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const typed = (name: string, input: JsonObject) => fortios.typed[name]?.(input);

const rule = { name: 'rule', action: 'ACCEPT' };

test.each([
  [
    'firewallAddressCreate',
    { name: 'a', content: { address: '10.0.0.0/8' } },
    { type: 'ipmask', subnet: '10.0.0.0 255.0.0.0' },
  ],
  ['firewallAddressCreate', { name: 'a', content: { fqdn: 'example.com' } }, { type: 'fqdn', fqdn: 'example.com' }],
  [
    'firewallAddressCreate',
    { name: 'a', content: { range: { firstAddress: '10.0.0.1', lastAddress: '10.0.0.9' } }, scope: 'tenant' },
    { type: 'iprange', 'end-ip': '10.0.0.9' },
  ],
  ['firewallAddressGroupCreate', { name: 'g', members: ['all'] }, { member: [{ name: 'all', q_origin_key: 'all' }] }],
  ['firewallServiceCreate', { name: 's', protocol: 'TCP', firstPort: 80 }, { 'tcp-portrange': '80' }],
  ['firewallServiceCreate', { name: 's', protocol: 'UDP', firstPort: 80, lastPort: 90 }, { 'udp-portrange': '80-90' }],
  [
    'firewallVipCreate',
    {
      ...{ name: 'v', externalAddress: '203.0.113.1', mappedAddress: '10.0.0.1', protocol: 'TCP' },
      ...{ externalPort: 80, mappedPort: 8080 },
    },
    { extip: '203.0.113.1', extport: '80', mappedport: '8080', extintf: 'any' },
  ],
  ['firewallRuleCreate', rule, { action: 'accept', status: 'enable', schedule: 'always' }],
  [
    'firewallRuleCreate',
    {
      ...{ ...rule, action: 'DROP', service: 'HTTPS', ingressInterface: 'port1' },
      ...{ source: { set: 'all', setIpVersion: 4 }, destination: {} },
    },
    { action: 'deny', srcintf: [{ name: 'port1', q_origin_key: 'port1' }] },
  ],
] as const)('%s %j', async (name, input, stored) => {
  const scope = 'scope' in input ? input.scope : 'root';
  const relayed = await RelayedGate.start({ multiVdom: true, vdoms: ['tenant'] });
  const call = typed(name, { ...input });
  await relayed.done(call?.operation ?? '', call?.arguments);
  const read = (call?.operation ?? '').replace('.create', '.get');
  expect((await relayed.done(read, { vdom: scope, name: input.name })).native).toMatchObject(stored);
});

test.each([
  ['firewallAddressUpdate', { name: 'a', content: { fqdn: 'example.org' }, comment: 'moved' }, { fqdn: 'example.org' }],
  ['firewallAddressGroupUpdate', { name: 'g', members: ['all'] }, { member: [{ name: 'all', q_origin_key: 'all' }] }],
])('%s', async (name, input, stored) => {
  const relayed = await RelayedGate.start();
  await relayed.done('address.create', { name: 'a', address: '10.0.0.0/8' });
  await relayed.done('addressGroup.create', { name: 'g', members: ['a'] });
  const call = typed(name, input);
  await relayed.done(call?.operation ?? '', call?.arguments);
  const read = (call?.operation ?? '').replace('.update', '.get');
  expect((await relayed.done(read, { name: String(input.name) })).native).toMatchObject(stored);
});
