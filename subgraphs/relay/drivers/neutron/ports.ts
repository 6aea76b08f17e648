// Ports of networks, and floating IPs that lead to them.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { JsonObject, JsonValue } from '../driver.ts';
import { given, isObject } from '../json.ts';
import type { Kind } from './kind.ts';
import { address, addressBlock, adminStateUp, uuid } from './schema.ts';

const securityGroups = {
  type: 'array',
  items: uuid('a security group'),
  maxItems: 100,
  uniqueItems: true,
  description: "Its security groups. Default: the project's default group.",
} as const;
const allowedAddresses = {
  type: 'array',
  items: addressBlock,
  maxItems: 100,
  uniqueItems: true,
  description: 'Addresses that it may use besides its own.',
} as const;

const device = {
  type: ['string', 'null'],
  pattern: '^[A-Za-z0-9._:/-]{1,255}$',
  description:
    'The id of the machine that it belongs to, as device_id; null for none. 1 to 255 letters, digits and . _ : / -. Both ports of a port pair have the same.',
} as const;

export const port: Kind = {
  ...{ resource: 'port', prefix: 'port', one: 'a port' },
  ...{ path: 'ports', collection: 'ports', member: 'port' },
  scope: { argument: 'network', attribute: 'network_id', schema: uuid('the network') },
  key: { by: 'name' },
  properties: {
    adminStateUp,
    subnet: uuid('the subnet of its address'),
    address: { ...address, description: 'Its address. Default: a free one. Requires subnet.' },
    macAddress: {
      type: 'string',
      pattern: '^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$',
      description: 'Its MAC address in lower case, for example fa:16:3e:00:00:01. Default: one that Neutron chooses.',
    },
    securityGroups,
    allowedAddresses,
    device,
  },
  lists: { securityGroups: 'SET', allowedAddresses: 'SET' },
  // Nova sets the device of a port that it attaches.
  own: ['adminStateUp', 'subnet', 'address', 'macAddress', 'securityGroups', 'device'],
  required: [],
  changeable: { adminStateUp, securityGroups, allowedAddresses, device },
  example: { name: 'tenant-42-vm-1' },
  changeExample: { adminStateUp: false },
  refine: ({ address: given, subnet }) =>
    given !== undefined && subnet === undefined ? [{ path: ['subnet'], message: 'is required with address' }] : [],
  toNative: ({
    adminStateUp: up,
    subnet,
    address: wanted,
    macAddress,
    securityGroups: groups,
    allowedAddresses: more,
    device: owner,
  }) =>
    given({
      admin_state_up: up,
      fixed_ips:
        subnet === undefined
          ? undefined
          : [
              given({
                subnet_id: subnet,
                ip_address: wanted === undefined ? undefined : canonicalText(String(wanted)),
              }),
            ],
      mac_address: macAddress,
      security_groups: groups,
      allowed_address_pairs: Array.isArray(more)
        ? more.map((one) => ({ ip_address: canonicalText(String(one)) }))
        : undefined,
      device_id: owner === null ? '' : owner,
    }),
  values: (native) => {
    // An unrequested address, from an IPv6 subnet with automatic addresses, comes after it.
    const [first] = objectsIn(native.fixed_ips);
    return given({
      adminStateUp: native.admin_state_up,
      subnet: first?.subnet_id,
      address: first?.ip_address,
      macAddress: native.mac_address,
      securityGroups: sortedTexts(native.security_groups),
      allowedAddresses: sortedTexts(
        native.allowed_address_pairs === undefined
          ? undefined
          : objectsIn(native.allowed_address_pairs).map(({ ip_address }) => canonicalText(String(ip_address))),
      ),
      device: native.device_id === '' ? null : native.device_id,
    });
  },
};

const leadsTo = {
  type: ['string', 'null'],
  pattern: uuid('').pattern,
  description: 'The port to which it forwards; null for none.',
};
const fixedAddress = {
  ...address,
  description: "The port's address to which it forwards. Needed when the port has several.",
} as const;

export const floatingIp: Kind = {
  ...{ resource: 'floating-ip', prefix: 'floatingIp', one: 'a floating IP' },
  ...{ path: 'floatingips', collection: 'floatingips', member: 'floatingip' },
  scope: { argument: 'network', attribute: 'floating_network_id', schema: uuid('the external network') },
  key: { by: 'description' },
  properties: {
    port: uuid('the port to which it forwards'),
    fixedAddress,
    address: {
      ...address,
      description: 'The address. Default: a free one. Neutron allows only administrators to choose it.',
    },
  },
  lists: {},
  own: ['fixedAddress', 'address'],
  required: [],
  changeable: { port: leadsTo, fixedAddress },
  example: { name: 'tenant-42-web' },
  changeExample: { port: null },
  refine: ({ fixedAddress: given, port }) =>
    given !== undefined && (port === undefined || port === null)
      ? [{ path: ['port'], message: 'is required with fixedAddress' }]
      : [],
  toNative: ({ port: to, fixedAddress: inside, address: outside }) =>
    given({
      port_id: to,
      fixed_ip_address: inside === undefined ? undefined : canonicalText(String(inside)),
      floating_ip_address: outside === undefined ? undefined : canonicalText(String(outside)),
    }),
  values: (native) =>
    given({
      port: native.port_id,
      fixedAddress: native.fixed_ip_address ?? undefined,
      address: native.floating_ip_address,
    }),
};

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function sortedTexts(value: JsonValue | undefined): JsonValue | undefined {
  return Array.isArray(value) ? value.map(String).sort() : undefined;
}
