// Virtual servers. iControl REST Reference 13.1, /mgmt/tm/ltm/virtual; their profiles are a subcollection, which a read has to
// request.

import { isIPv6 } from 'node:net';
import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject, JsonValue } from '../driver.ts';
import { given, isObject } from '../json.ts';
import { ifGiven } from './if-given.ts';
import type { LtmKind } from './ltm-kind.ts';
import { endpointName, fullPathOf, ltmPath, referenceOf, splitEndpoint } from './names.ts';
import { address, name, partition, port, reference } from './schema.ts';

const noPool = 'none';

/** The two form one property of the device. */
function faults(args: JsonObject): readonly ArgumentFault[] {
  if ((args.address === undefined) === (args.port === undefined)) return [];
  return [
    { path: [args.address === undefined ? 'address' : 'port'], message: 'address and port must be given together' },
  ];
}

function poolWord(text: string): string {
  return text === noPool ? noPool : referenceOf(text);
}

/** Full paths, sorted: their order has no meaning. */
function profileWords(profiles: JsonValue | undefined): readonly string[] | undefined {
  return Array.isArray(profiles) ? profiles.map((each) => referenceOf(String(each))).sort() : undefined;
}

function profilesIn({ profilesReference }: JsonObject): readonly string[] | undefined {
  const items = isObject(profilesReference) ? profilesReference.items : undefined;
  return Array.isArray(items)
    ? items
        .filter(isObject)
        .map((each) => String(each.fullPath))
        .sort()
    : undefined;
}

function destinationOf(text: string): { address?: string; port?: number } {
  const { host, port: ofIt } = splitEndpoint(text.slice(text.lastIndexOf('/') + 1)) ?? {};
  return host === undefined || ofIt === undefined ? {} : { address: canonicalText(host), port: ofIt };
}

export const virtualServer: LtmKind = {
  resource: 'virtual-server',
  prefix: 'virtualServer',
  one: 'a virtual server',
  many: 'virtual servers',
  listKey: 'virtualServers',
  kinds: ['tm:ltm:virtual:virtualstate'],
  naming: { properties: { name, partition }, required: ['name'], example: { name: 'shop' } },
  listing: { properties: { partition: name }, required: [], example: {}, byPartition: true },
  settings: {
    properties: {
      address,
      port,
      protocol: { type: 'string', enum: ['tcp', 'udp', 'any'] },
      pool: { ...reference, description: 'The full path of a pool, the name of a pool in Common, or `none`.' },
      profiles: {
        type: 'array',
        items: reference,
        minItems: 1,
        maxItems: 32,
        uniqueItems: true,
        description: 'Its profiles, for example tcp, http and websecurity.',
      },
      sourceTranslation: { type: 'string', enum: ['none', 'automap'], description: 'The source address translation.' },
      enabled: { type: 'boolean' },
    },
    required: ['address', 'port', 'protocol'],
    example: { address: '203.0.113.80', port: 80, protocol: 'tcp', pool: 'web', profiles: ['tcp', 'http'] },
    fixed: ['protocol'],
  },
  lists: { profiles: 'SET' },
  own: ['pool', 'profiles', 'sourceTranslation', 'enabled'],
  reads: [
    ...['destination', 'ipProtocol', 'pool', 'sourceAddressTranslation', 'enabled', 'disabled'],
    'profilesReference',
  ],
  query: '?expandSubcollections=true',
  refine: faults,
  place(args) {
    const [inPartition, key] = [String(args.partition), String(args.name)];
    return { collection: `${ltmPath}/virtual`, fullPath: fullPathOf(inPartition, key), scope: inPartition, key };
  },
  collection: () => `${ltmPath}/virtual`,
  named: ({ scope, key }) => ({ partition: scope, name: key }),
  settle: ({ name: known, partition: inPartition, ...args }) => ({
    ...{ name: known, partition: inPartition },
    ...given({
      address: ifGiven(args.address, canonicalText),
      port: args.port,
      protocol: args.protocol,
      pool: ifGiven(args.pool, poolWord),
      profiles: profileWords(args.profiles),
      sourceTranslation: args.sourceTranslation,
      enabled: args.enabled,
    }),
  }),
  toDevice({ partition: inPartition, address: host, port: ofIt, pool, enabled, ...args }) {
    const mask = isIPv6(String(host)) ? 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff' : '255.255.255.255';
    const destination = fullPathOf(String(inPartition), endpointName(String(host), Number(ofIt)));
    return given({
      ...(host === undefined ? {} : { destination, mask }),
      ipProtocol: args.protocol,
      pool: pool === noPool ? '' : pool,
      profiles: args.profiles,
      sourceAddressTranslation: args.sourceTranslation === undefined ? undefined : { type: args.sourceTranslation },
      ...(enabled === undefined ? {} : enabled === true ? { enabled } : { disabled: true }),
    });
  },
  values: (object) => ({
    name: object.name,
    partition: object.partition,
    ...destinationOf(String(object.destination)),
    protocol: object.ipProtocol,
    pool: object.pool ?? noPool,
    ...given({ profiles: profilesIn(object) }),
    sourceTranslation: isObject(object.sourceAddressTranslation) ? object.sourceAddressTranslation.type : 'none',
    enabled: object.disabled !== true,
  }),
};
