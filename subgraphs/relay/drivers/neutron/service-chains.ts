// Service function chains: port pairs, groups of port pairs, flow classifiers, port chains, and graphs of chains. They use the SFC
// extensions of the Networking API v2.0, below /v2.0/sfc, as in networking-sfc 15 (Zed). Neutron names objects in use by ids, and
// so do these calls.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject, JsonValue } from '../driver.ts';
import { given, isObject } from '../json.ts';
import type { Kind } from './kind.ts';
import { sortedTexts } from './ports.ts';
import { addressBlock, toCidr, uuid } from './schema.ts';

const exampleId = '7c0d5d5c-3c53-4c54-8f3b-0a3f5c1d2e4f';
const otherId = 'b6a1a8f0-4d3e-4e0c-9c66-8b1f0f1f7a52';
const correlations = ['mpls', 'nsh'] as const;

const ids = (of: string, description: string, minItems = 0) =>
  ({ type: 'array', items: uuid(of), minItems, maxItems: 100, uniqueItems: true, description }) as const;

export const portPair: Kind = {
  ...{ resource: 'port-pair', prefix: 'portPair', one: 'a port pair' },
  ...{ path: 'sfc/port_pairs', collection: 'port_pairs', member: 'port_pair' },
  key: { by: 'name' },
  properties: {
    ingress: uuid('the port into the service function'),
    egress: { ...uuid('the port out of it'), description: 'The id of the port out of it; may be the ingress port.' },
    correlation: {
      type: 'string',
      enum: correlations,
      description: 'The encapsulation that the service function understands. Default: none.',
    },
    weight: {
      type: 'integer',
      minimum: 0,
      maximum: 65_535,
      description: 'Its share of the sessions of its group. Default: 1.',
    },
  },
  lists: {},
  own: ['weight'],
  required: ['ingress', 'egress'],
  changeable: {},
  example: { name: 'tenant-42-inspect-1', ingress: exampleId, egress: otherId },
  changeExample: { description: 'Inspects web traffic' },
  toNative: ({ ingress, egress, correlation, weight }) =>
    given({
      ingress,
      egress,
      // Always both parts. If only one part is sent, networking-sfc leaves the other out and can't make a graph later.
      service_function_parameters:
        ingress === undefined ? undefined : { correlation: correlation ?? null, weight: weight ?? 1 },
    }),
  values: ({ ingress, egress, service_function_parameters: parameters }) => {
    const { correlation, weight } = isObject(parameters) ? parameters : ({} as JsonObject);
    return given({ ingress, egress, correlation: correlation ?? undefined, weight: weight ?? undefined });
  },
};

const portPairs = ids('a port pair', 'Its port pairs, which share the sessions. Default: none.');
const lbFields = ['eth_src', 'eth_dst', 'ip_src', 'ip_dst', 'tcp_src', 'tcp_dst', 'udp_src', 'udp_dst'] as const;

export const portPairGroup: Kind = {
  ...{ resource: 'port-pair-group', prefix: 'portPairGroup', one: 'a port pair group' },
  ...{ path: 'sfc/port_pair_groups', collection: 'port_pair_groups', member: 'port_pair_group' },
  key: { by: 'name' },
  properties: {
    portPairs,
    lbFields: {
      type: 'array',
      items: { type: 'string', enum: lbFields },
      maxItems: lbFields.length,
      uniqueItems: true,
      description: 'The header fields by which sessions are shared. Default: those of the backend.',
    },
    tap: { type: 'boolean', description: 'True: it gets a copy of the traffic (passive). Default: false.' },
  },
  lists: { portPairs: 'SET', lbFields: 'SET' },
  // None of the lists is an empty one.
  own: ['tap'],
  required: [],
  changeable: { portPairs },
  example: { name: 'tenant-42-inspect', portPairs: [exampleId] },
  changeExample: { portPairs: [exampleId, otherId] },
  toNative: ({ portPairs: pairs, lbFields: fields, tap }) =>
    given({
      port_pairs: pairs,
      port_pair_group_parameters: fields === undefined ? undefined : { lb_fields: fields },
      tap_enabled: tap,
    }),
  values: ({ port_pairs: pairs, port_pair_group_parameters: parameters, tap_enabled: tap }) =>
    given({
      portPairs: sortedTexts(pairs),
      lbFields: isObject(parameters) ? sortedTexts(parameters.lb_fields) : undefined,
      tap,
    }),
};

const portOf = (side: string) =>
  ({
    type: 'integer',
    minimum: 0,
    maximum: 65_535,
    description: `The ${side} port, or the first of a range.`,
  }) as const;
const lastOf = (side: string) =>
  ({ type: 'integer', minimum: 0, maximum: 65_535, description: `Default: ${side}FirstPort.` }) as const;

export const flowClassifier: Kind = {
  ...{ resource: 'flow-classifier', prefix: 'flowClassifier', one: 'a flow classifier' },
  ...{ path: 'sfc/flow_classifiers', collection: 'flow_classifiers', member: 'flow_classifier' },
  key: { by: 'name' },
  properties: {
    ipVersion: { type: 'integer', enum: [4, 6], description: 'Default: that of source or destination, else 4.' },
    protocol: { type: 'string', enum: ['tcp', 'udp', 'icmp'], description: 'Default: any.' },
    source: { ...addressBlock, description: 'The addresses of the sender. Default: any.' },
    sourceFirstPort: portOf('source'),
    sourceLastPort: lastOf('source'),
    destination: { ...addressBlock, description: 'The addresses of the receiver. Default: any.' },
    destinationFirstPort: portOf('destination'),
    destinationLastPort: lastOf('destination'),
    logicalSourcePort: {
      ...uuid('the port of the sender'),
      description:
        'The id of the port that the traffic comes from. The Open vSwitch driver of networking-sfc needs it.',
    },
    logicalDestinationPort: uuid('the port of the receiver'),
  },
  lists: {},
  own: ['ipVersion', 'sourceLastPort', 'destinationLastPort'],
  required: [],
  changeable: {},
  example: {
    ...{ name: 'tenant-42-web', protocol: 'tcp', source: '10.42.0.0/24' },
    ...{ destinationFirstPort: 443, logicalSourcePort: exampleId },
  },
  changeExample: { description: 'Traffic to the web servers' },
  refine: (args) => [...rangeFaults(args, 'source'), ...rangeFaults(args, 'destination'), ...versionFaults(args)],
  toNative: (args) => {
    const { protocol, source, destination, logicalSourcePort, logicalDestinationPort, ipVersion, ...ports } = args;
    const version = ipVersion ?? (`${String(source)} ${String(destination)}`.includes(':') ? 6 : undefined);
    return given({
      ethertype: version === undefined ? undefined : `IPv${String(version)}`,
      protocol,
      source_ip_prefix: source === undefined ? undefined : toCidr(String(source)),
      source_port_range_min: ports.sourceFirstPort,
      source_port_range_max: ports.sourceLastPort ?? ports.sourceFirstPort,
      destination_ip_prefix: destination === undefined ? undefined : toCidr(String(destination)),
      destination_port_range_min: ports.destinationFirstPort,
      destination_port_range_max: ports.destinationLastPort ?? ports.destinationFirstPort,
      logical_source_port: logicalSourcePort,
      logical_destination_port: logicalDestinationPort,
    });
  },
  values: (native) => {
    const block = (value: JsonValue | undefined) => (value == null ? undefined : canonicalText(String(value)));
    return given({
      ipVersion: native.ethertype === 'IPv6' ? 6 : 4,
      protocol: native.protocol ?? undefined,
      source: block(native.source_ip_prefix),
      sourceFirstPort: native.source_port_range_min ?? undefined,
      sourceLastPort: native.source_port_range_max ?? undefined,
      destination: block(native.destination_ip_prefix),
      destinationFirstPort: native.destination_port_range_min ?? undefined,
      destinationLastPort: native.destination_port_range_max ?? undefined,
      logicalSourcePort: native.logical_source_port ?? undefined,
      logicalDestinationPort: native.logical_destination_port ?? undefined,
    });
  },
};

function rangeFaults(args: JsonObject, side: 'source' | 'destination'): readonly ArgumentFault[] {
  const [first, last] = [args[`${side}FirstPort`], args[`${side}LastPort`]];
  const faults: ArgumentFault[] = [];
  if (first !== undefined && args.protocol !== 'tcp' && args.protocol !== 'udp')
    faults.push({ path: [`${side}FirstPort`], message: 'requires the protocol tcp or udp' });
  if (last !== undefined && first === undefined)
    faults.push({ path: [`${side}LastPort`], message: `requires ${side}FirstPort` });
  if (Number(last ?? first) < Number(first))
    faults.push({ path: [`${side}LastPort`], message: `must not be below ${side}FirstPort` });
  return faults;
}

function versionFaults({ ipVersion, source, destination }: JsonObject): readonly ArgumentFault[] {
  const versionOf = (block: JsonValue) => (String(block).includes(':') ? 6 : 4);
  const faults: ArgumentFault[] = [];
  for (const [path, block] of Object.entries({ source, destination }))
    if (block !== undefined && ipVersion !== undefined && versionOf(block) !== ipVersion)
      faults.push({ path: ['ipVersion'], message: `differs from the IP version of ${path}` });
  if (source !== undefined && destination !== undefined && versionOf(source) !== versionOf(destination))
    faults.push({ path: ['destination'], message: 'has another IP version than source' });
  return faults;
}

const portPairGroups = ids('a port pair group', 'Its port pair groups, in the order in which traffic passes them.', 1);
const flowClassifiers = ids('a flow classifier', 'Which traffic takes it. Default: none.');

export const portChain: Kind = {
  ...{ resource: 'port-chain', prefix: 'portChain', one: 'a port chain' },
  ...{ path: 'sfc/port_chains', collection: 'port_chains', member: 'port_chain' },
  key: { by: 'name' },
  properties: {
    portPairGroups,
    flowClassifiers,
    chainId: {
      type: 'integer',
      minimum: 1,
      maximum: 65_535,
      description: 'Its number in the encapsulation. Default: one that Neutron chooses.',
    },
    correlation: { type: 'string', enum: correlations, description: 'Its encapsulation. Default: mpls.' },
    symmetric: { type: 'boolean', description: 'Whether replies take it backwards. Default: false.' },
  },
  lists: { portPairGroups: 'ORDERED', flowClassifiers: 'SET' },
  own: ['chainId', 'correlation', 'symmetric'],
  required: ['portPairGroups'],
  changeable: { portPairGroups, flowClassifiers },
  example: { name: 'tenant-42', portPairGroups: [exampleId], flowClassifiers: [otherId] },
  changeExample: { portPairGroups: [otherId, exampleId] },
  // networking-sfc 15 answers with the order of the request, and leaves those where they are that the chain has already.
  doubtful: {
    when: ({ portPairGroups: groups }) => Array.isArray(groups) && groups.length > 1,
    hint: 'networking-sfc keeps the places of groups that a chain has already: give it a group that is none of these first, and then these.',
  },
  toNative: ({ portPairGroups: groups, flowClassifiers: classifiers, chainId, correlation, symmetric }) =>
    given({
      port_pair_groups: groups,
      flow_classifiers: classifiers,
      chain_id: chainId,
      chain_parameters:
        correlation === undefined && symmetric === undefined ? undefined : given({ correlation, symmetric }),
    }),
  values: ({
    port_pair_groups: groups,
    flow_classifiers: classifiers,
    chain_id: chainId,
    chain_parameters: parameters,
  }) =>
    given({
      portPairGroups: groups,
      flowClassifiers: sortedTexts(classifiers),
      chainId,
      ...(isObject(parameters) ? { correlation: parameters.correlation, symmetric: parameters.symmetric } : {}),
    }),
};

type Branch = { readonly from: string; readonly to: readonly string[] };

export const serviceGraph: Kind = {
  ...{ resource: 'service-graph', prefix: 'serviceGraph', one: 'a service graph' },
  ...{ path: 'sfc/service_graphs', collection: 'service_graphs', member: 'service_graph' },
  key: { by: 'name' },
  properties: {
    branches: {
      type: 'array',
      description:
        'Where traffic goes on after a chain: to that of the chains whose flow classifier it matches. The chains have one correlation, as their port pairs do.',
      items: {
        type: 'object',
        properties: { from: uuid('a port chain'), to: ids('a port chain', 'The next chains.', 1) },
        required: ['from', 'to'],
        additionalProperties: false,
      },
      minItems: 1,
      maxItems: 100,
    },
  },
  lists: { branches: 'SET' },
  own: [],
  required: ['branches'],
  changeable: {},
  example: { name: 'tenant-42', branches: [{ from: exampleId, to: [otherId] }] },
  changeExample: { description: 'Suspicious traffic is scrubbed' },
  refine: ({ branches = [] }) => {
    const froms = (branches as readonly Branch[]).map(({ from }) => from);
    const repeated = froms.findIndex((from, at) => froms.indexOf(from) < at);
    return repeated < 0
      ? []
      : [
          {
            path: ['branches', String(repeated), 'from'],
            message: 'is in an earlier branch: name all its next chains there',
          },
        ];
  },
  toNative: ({ branches }) =>
    given({
      port_chains:
        branches === undefined
          ? undefined
          : Object.fromEntries((branches as readonly Branch[]).map(({ from, to }) => [from, [...to]])),
    }),
  values: ({ port_chains: chains }) =>
    given({
      branches: isObject(chains)
        ? Object.entries(chains)
            .map(([from, to]) => ({ from, to: sortedTexts(to) ?? [] }))
            .sort((a, b) => (a.from < b.from ? -1 : 1))
        : undefined,
    }),
};
