// Networks and their subnets.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import { given } from '../json.ts';
import type { Kind } from './kind.ts';
import { address, addressBlock, adminStateUp, uuid } from './schema.ts';

const mtu = { type: 'integer', minimum: 68, maximum: 9_216, description: 'The maximum packet size in bytes.' } as const;
const onlyAdministrators = 'Neutron allows only administrators to set it.';

export const network: Kind = {
  ...{ resource: 'network', prefix: 'network', one: 'a network' },
  ...{ path: 'networks', collection: 'networks', member: 'network' },
  key: { by: 'name' },
  properties: {
    adminStateUp,
    mtu,
    portSecurity: { type: 'boolean', description: 'Whether security groups apply to its ports.' },
    shared: { type: 'boolean', description: `Whether other projects may use it. ${onlyAdministrators}` },
    external: {
      type: 'boolean',
      description: `Whether routers may use it as an external gateway network. ${onlyAdministrators}`,
    },
    provider: {
      type: 'object',
      description: `The type of the physical network. ${onlyAdministrators}`,
      properties: {
        type: { type: 'string', enum: ['flat', 'vlan', 'vxlan', 'gre', 'geneve', 'local'] },
        physicalNetwork: {
          type: 'string',
          pattern: '^[A-Za-z0-9._-]{1,64}$',
          description: '1 to 64 letters, digits, dots, hyphens and underscores.',
        },
        segmentationId: { type: 'integer', minimum: 0, maximum: 16_777_215 },
      },
      required: ['type'],
      additionalProperties: false,
    },
  },
  lists: {},
  own: ['adminStateUp', 'mtu', 'portSecurity', 'shared', 'external', 'provider'],
  required: [],
  changeable: { adminStateUp, mtu, portSecurity: { type: 'boolean' }, shared: { type: 'boolean' } },
  example: { name: 'tenant-42' },
  changeExample: { adminStateUp: false },
  toNative: ({ adminStateUp: up, mtu: bytes, portSecurity, shared, external, provider }) => {
    const { type, physicalNetwork, segmentationId } = (provider ?? {}) as Record<string, string | number>;
    return given({
      admin_state_up: up,
      mtu: bytes,
      port_security_enabled: portSecurity,
      shared,
      'router:external': external,
      'provider:network_type': type,
      'provider:physical_network': physicalNetwork,
      'provider:segmentation_id': segmentationId,
    });
  },
  values: (native) => {
    const provider = given({
      type: native['provider:network_type'],
      physicalNetwork: native['provider:physical_network'] ?? undefined,
      segmentationId: native['provider:segmentation_id'] ?? undefined,
    });
    return given({
      adminStateUp: native.admin_state_up,
      mtu: native.mtu,
      portSecurity: native.port_security_enabled,
      shared: native.shared,
      external: native['router:external'],
      // Shown to administrators only.
      provider: Object.keys(provider).length === 0 ? undefined : provider,
    });
  },
};

const gateway = {
  type: ['string', 'null'],
  format: 'address',
  maxLength: 45,
  description: 'Its gateway, or null for none. Default: the first address.',
} as const;
const dhcp = { type: 'boolean', description: 'Whether Neutron answers DHCP. Default: true.' } as const;
const dnsServers = { type: 'array', items: address, maxItems: 5, uniqueItems: true } as const;
const allocationPools = {
  type: 'array',
  description: 'The ranges from which addresses are allocated. Default: all addresses except the gateway.',
  items: {
    type: 'object',
    properties: { first: address, last: address },
    required: ['first', 'last'],
    additionalProperties: false,
  },
  minItems: 1,
  maxItems: 20,
} as const;
const ipv6Mode = { type: 'string', enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] } as const;

type Pool = { readonly first: string; readonly last: string };

export const subnet: Kind = {
  ...{ resource: 'subnet', prefix: 'subnet', one: 'a subnet' },
  ...{ path: 'subnets', collection: 'subnets', member: 'subnet' },
  scope: { argument: 'network', attribute: 'network_id', schema: uuid('the network') },
  key: { by: 'name' },
  properties: {
    cidr: addressBlock,
    gateway,
    dhcp,
    dnsServers,
    allocationPools,
    ipv6RaMode: ipv6Mode,
    ipv6AddressMode: ipv6Mode,
  },
  lists: { dnsServers: 'ORDERED', allocationPools: 'SET' },
  own: ['gateway', 'dhcp', 'allocationPools'],
  required: ['cidr'],
  changeable: { gateway, dhcp, dnsServers, allocationPools },
  example: { name: 'tenant-42-a', cidr: '10.42.0.0/24' },
  changeExample: { dhcp: false },
  refine: ({ cidr }) =>
    cidr === undefined || String(cidr).includes('/') ? [] : [{ path: ['cidr'], message: 'must have a prefix length' }],
  toNative: ({ cidr, gateway: router, dhcp: enabled, dnsServers: servers, allocationPools: pools, ...modes }) =>
    given({
      cidr: cidr === undefined ? undefined : canonicalText(String(cidr)),
      ip_version: cidr === undefined ? undefined : String(cidr).includes(':') ? 6 : 4,
      gateway_ip: typeof router === 'string' ? canonicalText(router) : router,
      enable_dhcp: enabled,
      dns_nameservers: Array.isArray(servers) ? servers.map((one) => canonicalText(String(one))) : undefined,
      allocation_pools: (pools as readonly Pool[] | undefined)?.map(({ first, last }) => ({
        start: canonicalText(first),
        end: canonicalText(last),
      })),
      ipv6_ra_mode: modes.ipv6RaMode,
      ipv6_address_mode: modes.ipv6AddressMode,
    }),
  values: (native) =>
    given({
      cidr: native.cidr,
      gateway: native.gateway_ip,
      dhcp: native.enable_dhcp,
      dnsServers: native.dns_nameservers,
      allocationPools: (native.allocation_pools as readonly { start: string; end: string }[] | undefined)
        ?.map(({ start, end }) => ({ first: start, last: end }))
        .sort((a, b) => (a.first < b.first ? -1 : 1)),
      ipv6RaMode: native.ipv6_ra_mode ?? undefined,
      ipv6AddressMode: native.ipv6_address_mode ?? undefined,
    }),
};
