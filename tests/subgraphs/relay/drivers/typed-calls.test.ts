// The typed mutations at every driver: the rendered call, settings that a driver can't express, the faults of fields,
// and the object in the mutation's own terms again. A driver without a row fails.
import { describe, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../subgraphs/relay/drivers/driver.ts';
import { drivers } from '../../../../subgraphs/relay/drivers/registry.ts';
import { typedMutations } from '../../../../subgraphs/relay/spec/families.ts';
import { checkedFor, driverOf, faultsOf, operationOf } from '../support/driver-caller.ts';
import { typedInputs } from '../support/typed-inputs.ts';

/**
 * `operation` and checked arguments; `undefined` if the driver can't express it; the faults; or the field of the first
 * fault.
 */
type Wanted = readonly [operation: string, args: object] | undefined | readonly string[] | { readonly field: string };

interface Row {
  /** Mutations of its family that the driver does not offer. */
  readonly lacks: readonly string[];
  /** Inputs that replace those that every driver gets. */
  readonly inputs?: Readonly<Record<string, JsonObject>>;
  readonly calls?: readonly (readonly [mutation: string, input: object, wanted: Wanted | RegExp])[];
}

const element = { set: 'blocked', address: '203.0.113.7' };
const place = { family: 'inet', table: 'filter' };
const accept = { name: 'rule', action: 'ACCEPT' };
const drop = { name: 'web', action: 'DROP' };
const policy = 'Xnm5-sgcAnOxSsK2uDZTkQ';
const route = { destination: '192.0.2.0/24' };
const ports = [
  { port: 'Eth1/4', mode: 'ACCESS', vlan: 42 },
  { port: 'eth1', mode: 'ACCESS', vlan: 42 },
] as const;

const rows: Readonly<Record<string, Row>> = {
  'f5-bigip': {
    lacks: [],
    inputs: { wafModeSet: { policy, mode: 'DETECTION' } },
    calls: [
      ['wafModeSet', { policy, mode: 'OFF' }, undefined],
      ['wafModeSet', { policy: 'shop', mode: 'BLOCKING' }, /^policy: does not fit: The policy's id/],
    ],
  },
  fortios: {
    // An address set is filled element by element.
    lacks: ['firewallAddressSetElementAdd', 'firewallAddressSetElementRemove'],
    calls: [
      ['firewallRuleCreate', { ...accept, chain: 'forward' }, undefined],
      ['firewallRuleCreate', { ...accept, protocol: 'TCP', destinationPort: 80 }, undefined],
      ['firewallRuleCreate', { ...accept, source: { address: '10.0.0.0/8' } }, undefined],
      ['firewallRuleCreate', { ...accept, destination: { set: 'all', setIpVersion: 6 } }, undefined],
      ['firewallRuleCreate', { ...accept, action: 'REJECT' }, undefined],
      [
        'firewallAddressCreate',
        { name: 'a', content: { address: '10.0.0.0/8' }, scope: 'inet filter' },
        { field: 'scope' },
      ],
      ['firewallRuleCreate', { ...accept, ingressInterface: '-eth0' }, { field: 'ingressInterface' }],
      ['firewallRuleCreate', { ...accept, service: '.any' }, { field: 'service' }],
      [
        'firewallAddressCreate',
        { name: 'a', content: { address: '2001:db8::/32' } },
        ['address: must be an IPv4 address'],
      ],
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
      ['firewallAddressCreate', { name: '.a', content: { address: '10.0.0.0/8' } }, /^name: does not fit: /],
    ],
  },
  frr: { lacks: [] },
  'linux-iproute2': {
    lacks: ['routerBgpNeighborCreate', 'routerPrefixListEntryCreate'],
    calls: [['routerStaticRouteCreate', { ...route, discard: true, vrf: 'blue' }, undefined]],
  },
  'linux-iptables': {
    lacks: [
      ...['firewallAddressCreate', 'firewallAddressUpdate', 'firewallAddressGroupCreate', 'firewallAddressGroupUpdate'],
      ...['firewallServiceCreate', 'firewallVipCreate', 'firewallAddressSetElementAdd'],
      'firewallAddressSetElementRemove',
    ],
    calls: [
      [
        'firewallRuleCreate',
        { ...drop, source: { address: '2001:db8::1' }, protocol: 'TCP', destinationPort: 443 },
        [
          'rule.create',
          {
            ...{ name: 'web', chain: 'FORWARD', ipVersion: 6, source: '2001:db8::1', protocol: 'tcp' },
            ...{ firstPort: 443, action: 'drop' },
          },
        ],
      ],
      ['firewallRuleCreate', { ...drop, scope: 'inet filter' }, undefined],
      ['firewallRuleCreate', { ...drop, service: 'https' }, undefined],
      ['firewallRuleCreate', { ...drop, source: { set: 'blocked' } }, undefined],
      ['firewallRuleCreate', { ...drop, destination: { set: 'blocked' } }, undefined],
    ],
  },
  'linux-nftables': {
    lacks: [
      ...['firewallAddressUpdate', 'firewallAddressGroupCreate', 'firewallAddressGroupUpdate', 'firewallServiceCreate'],
      'firewallVipCreate',
    ],
    calls: [
      ['firewallAddressSetElementAdd', element, ['setElement.add', { ...place, ...element }]],
      ['firewallAddressSetElementRemove', element, ['setElement.remove', { ...place, ...element }]],
      [
        'firewallRuleCreate',
        {
          ...{ name: 'r', chain: 'forward', source: { set: 'blocked6', setIpVersion: 6 }, protocol: 'TCP' },
          ...{ destination: { address: '2001:db8::/32' }, destinationPort: 443, action: 'REJECT' },
        },
        [
          'rule.create',
          {
            ...{ ...place, name: 'r', chain: 'forward', source: { set: 'blocked6', setIpVersion: 6 }, protocol: 'tcp' },
            ...{ destination: { address: '2001:db8::/32' }, destinationPort: 443, action: 'reject' },
          },
        ],
      ],
      // An empty side matches anything.
      [
        'firewallRuleCreate',
        { name: 'r', source: {}, action: 'DROP' },
        ['rule.create', { ...place, chain: 'forward', name: 'r', action: 'drop' }],
      ],
      [
        'firewallRuleCreate',
        { name: 'r r', source: { address: '::1', set: 's' }, destinationPort: 1, action: 'DROP' },
        /^name: /,
      ],
    ],
  },
  modsecurity: {
    lacks: ['wafPoolCreate', 'wafPoolMemberAdd'],
    calls: [
      ['wafModeSet', { policy: 'shop', mode: 'BLOCKING' }, ['mode.set', { site: 'shop', mode: 'On' }]],
      ['wafModeSet', { policy: 'shop', mode: 'DETECTION' }, ['mode.set', { site: 'shop', mode: 'DetectionOnly' }]],
      ['wafModeSet', { policy: 'shop', mode: 'OFF' }, ['mode.set', { site: 'shop', mode: 'Off' }]],
      ['wafModeSet', { policy: 'shop', mode: 'OFF', scope: 'Common' }, undefined],
    ],
  },
  neo: { lacks: [] },
  netconf: {
    lacks: ['routerBgpNeighborCreate', 'routerPrefixListEntryCreate'],
    calls: [
      ['routerStaticRouteCreate', { ...route, nextHop: '198.51.100.1', vrf: 'blue' }, undefined],
      ['routerStaticRouteCreate', { ...route, nextHop: '198.51.100.1', distance: 5 }, undefined],
    ],
  },
  neutron: { lacks: [] },
  onyx: {
    lacks: [],
    inputs: { switchPortVlanSet: ports[0] },
    calls: [['switchPortVlanSet', { ...ports[0], scope: 'br0' }, undefined]],
  },
  openvswitch: { lacks: ['switchVlanCreate'], inputs: { switchPortVlanSet: ports[1] } },
};

test('every driver has a row', () => {
  expect(Object.keys(rows).sort()).toEqual([...drivers.keys()].sort());
});

/** More inputs of mutations that create objects. */
const more: Readonly<Record<string, readonly JsonObject[]>> = {
  firewallAddressCreate: [
    { name: 'web', content: { address: '192.0.2.0/24' } },
    { name: 'web', content: { fqdn: 'www.example.com' } },
    { name: 'web', content: { range: { firstAddress: '192.0.2.1', lastAddress: '192.0.2.9' } } },
  ],
  firewallServiceCreate: [{ name: 'dns', protocol: 'UDP', firstPort: 53, lastPort: 54 }],
  firewallRuleCreate: [
    { name: 'rule', action: 'REJECT', source: { address: '192.0.2.0/24' }, protocol: 'TCP', destinationPort: 443 },
    { name: 'rule', action: 'ACCEPT', source: { set: 'blocked', setIpVersion: 6 }, protocol: 'ICMP' },
    {
      ...{ name: 'rule', action: 'REJECT', chain: 'INPUT', source: { address: '2001:db8::/32' } },
      ...{ ingressInterface: 'eth0', egressInterface: 'eth1', protocol: 'ICMP' },
    },
    { name: 'rule', action: 'ACCEPT', source: { set: 'web' }, service: 'HTTPS', ingressInterface: 'port1' },
  ],
};

describe.each(Object.entries(rows))('%s', (name, { lacks, inputs, calls = [] }) => {
  const driver = driverOf(name);
  const family = typedMutations.filter((one) => one.family === driver.family).map((one) => one.name);
  const inputOf = (mutation: string) => inputs?.[mutation] ?? typedInputs[mutation] ?? {};

  test('offers the mutations of its family, except those of its row', () => {
    expect([...Object.keys(driver.typed), ...lacks].sort()).toEqual(family.sort());
  });

  test.each(Object.keys(driver.typed))('%s is an operation with valid arguments', (mutation) => {
    const call = driver.typed[mutation]?.(inputOf(mutation));
    expect(faultsOf(driver, call?.operation ?? '', call?.arguments)).toEqual([]);
  });

  if (calls.length > 0)
    test.each(calls)('%s of %j', (mutation, input, wanted) => {
      const call = driver.typed[mutation]?.(input as JsonObject);
      expect(call === undefined).toBe(wanted === undefined);
      if (call === undefined || wanted === undefined) return;
      const faults = faultsOf(driver, call.operation, call.arguments);
      if (wanted instanceof RegExp) expect(faults).toEqual([expect.stringMatching(wanted)]);
      else if ('field' in wanted) expect(call.fields?.[faults[0]?.split(/[.:]/)[0] ?? '']).toBe(wanted.field);
      else if (typeof wanted[1] === 'object')
        expect([call.operation, checkedFor(driver, call.operation, call.arguments)]).toEqual([
          wanted[0],
          expect.objectContaining(wanted[1]),
        ]);
      else expect(faults).toEqual(wanted);
    });

  const makes = typedMutations.flatMap((one) =>
    [inputOf(one.name), ...(more[one.name] ?? [])].flatMap((input) => {
      const call = one.makes === undefined ? undefined : driver.typed[one.name]?.(input);
      return call === undefined ? [] : [[one.name, input, call, one.makes?.type] as const];
    }),
  );
  if (driver.objects !== undefined)
    test.each(makes)('the result of %s for %j is shown with the same settings', (_name, input, call, type) => {
      const operation = operationOf(driver, call.operation);
      const args = checkedFor(driver, call.operation, call.arguments);
      const object = operation.object?.(args);
      const shown = object && driver.objects?.[object.resource]?.(operation.desired?.(args) ?? args, object);
      expect(shown?.type).toBe(type);
      expect(JSON.parse(JSON.stringify(shown?.fields))).toMatchObject(input);
    });
});

const nftRule = { scope: 'inet filter forward', key: 'r', uuid: '7' };
const nftArgs = { ...place, chain: 'forward', name: 'r' };
const fortiPolicy = { scope: 'root', key: 'a', uuid: '1' };
const fortiArgs = { vdom: 'root', policyId: 1, name: 'a' };
const nameless = { scope: '', key: 'x', uuid: null };

/** The call that deletes a mapping's object. None if the mapping lacks data for it. */
const removals: readonly (readonly [
  driver: string,
  resource: string,
  mapping: { readonly scope: string; readonly key: string; readonly uuid: string | null; readonly madeBy?: string },
  call: readonly [operation: string, args: object] | undefined,
])[] = [
  ['linux-nftables', 'rule', nftRule, ['rule.delete', { ...nftArgs, handle: 7 }]],
  ['linux-nftables', 'rule', { ...nftRule, uuid: null }, undefined],
  ['linux-nftables', 'rule', { ...nftRule, uuid: 'x' }, undefined],
  ['linux-nftables', 'rule', { ...nftRule, scope: 'inet filter' }, undefined],
  ['fortios', 'policy', { ...fortiPolicy, uuid: null }, undefined],
  ['fortios', 'policy', fortiPolicy, ['policy.delete', { ...fortiArgs, marked: false }]],
  ['fortios', 'policy', { ...fortiPolicy, madeBy: '0' }, ['policy.delete', { ...fortiArgs, marked: true }]],
  ['f5-bigip', 'asm-policy', { scope: 'Common', key: 'old-shop', uuid: null }, undefined],
  ...[...(driverOf('openvswitch').resources?.keys() ?? [])].map(
    (kind) => ['openvswitch', kind, nameless, undefined] as const,
  ),
];

test.each(removals)('%s: the deletion of a %s %j', (name, resource, mapping, wanted) => {
  const call = driverOf(name).resources?.get(resource)?.remove?.(mapping);
  if (wanted === undefined) expect(call).toBeUndefined();
  else {
    const [operation, args] = wanted;
    expect(call?.operation).toBe(operation);
    expect(checkedFor(driverOf(name), operation, call?.arguments ?? {})).toEqual(args);
    // Creation and deletion name the same object.
    const { scope, key } = mapping;
    expect(operationOf(driverOf(name), operation).object?.(call?.arguments ?? {})).toMatchObject({ scope, key });
  }
});
