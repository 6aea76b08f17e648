// The typed mutations of firewalls at a FortiGate: their calls, and those that it can't express.

import { expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../subgraphs/relay/drivers/driver.ts';
import { fortios } from '../../../../../subgraphs/relay/drivers/fortios/driver.ts';
import { firewallMutations } from '../../../../../subgraphs/relay/spec/firewall.ts';
import { typedInputs } from '../../support/typed-inputs.ts';
import { faultsOf, RelayedGate, useRelayedGates } from './support/relayed-gate.ts';

useRelayedGates();

const typed = (name: string, input: JsonObject) => fortios.typed[name]?.(input);

test.each(Object.keys(fortios.typed))('%s is one of the family, and its call matches its operation', (name) => {
  expect(firewallMutations.map((mutation) => mutation.name)).toContain(name);
  const call = typed(name, typedInputs[name] ?? {});
  expect(faultsOf(call?.operation ?? '', call?.arguments ?? {})).toEqual([]);
});

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

test.each([
  { ...rule, chain: 'forward' },
  { ...rule, protocol: 'TCP', destinationPort: 80 },
  { ...rule, source: { address: '10.0.0.0/8' } },
  { ...rule, destination: { set: 'all', setIpVersion: 6 } },
  { ...rule, action: 'REJECT' },
])("a policy can't be %j", (input) => {
  expect(typed('firewallRuleCreate', input)).toBeUndefined();
});

test.each([
  ['firewallAddressCreate', { name: 'a', content: { address: '10.0.0.0/8' }, scope: 'inet filter' }, 'scope'],
  ['firewallRuleCreate', { ...rule, ingressInterface: '-eth0' }, 'ingressInterface'],
  ['firewallRuleCreate', { ...rule, service: '.any' }, 'service'],
] as const)('%s %j has no counterpart on a FortiGate, and the faulty field is %s', (name, input, field) => {
  const call = typed(name, input);
  const [fault] = faultsOf(call?.operation ?? '', call?.arguments ?? {});
  expect(call?.fields?.[fault?.split(/[.:]/)[0] ?? '']).toBe(field);
});

test('address sets filled element by element are not supported', () => {
  expect(typed('firewallAddressSetElementAdd', { set: 'blocked', address: '192.0.2.7' })).toBeUndefined();
});

test.each([
  ['firewallAddressCreate', { name: 'a', content: { address: '2001:db8::/32' } }, ['address: must be an IPv4 address']],
  [
    'firewallAddressCreate',
    { name: 'a', content: { range: { firstAddress: '10.0.0.9', lastAddress: '10.0.0.1' } } },
    ['lastAddress: must be above firstAddress'],
  ],
  [
    'firewallVipCreate',
    { name: 'v', externalAddress: '::1', mappedAddress: '10.0.0.1' },
    ['externalAddress: must be an IPv4 address'],
  ],
  [
    'firewallAddressCreate',
    { name: '.a', content: { address: '10.0.0.0/8' } },
    [expect.stringMatching(/^name: does not fit: /)],
  ],
])('%s %j has faults named after its fields', (name, input, faults) => {
  const call = typed(name, input as JsonObject);
  expect(faultsOf(call?.operation ?? '', call?.arguments ?? {})).toEqual(faults);
});
