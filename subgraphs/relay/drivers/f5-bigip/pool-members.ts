// Pool members: an address or node with a port, in a pool. iControl REST Reference 13.1, /mgmt/tm/ltm/pool/<pool>/members. If a
// member has no node yet, the device makes one named by its address; deleting the member leaves that node.

import { isIP } from 'node:net';
import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import { ifGiven } from './if-given.ts';
import type { LtmKind } from './ltm-kind.ts';
import { endpointName, fullPathOf, ltmPath, segmentOf, splitEndpoint } from './names.ts';
import { availability, fromSession, toSession } from './nodes.ts';
import { address, count, name, partition, port } from './schema.ts';

/** The pool's full path; the scope of mappings is this path without the first slash. */
const poolOf = (args: JsonObject): string => fullPathOf(String(args.partition), String(args.pool));

const hostOf = (args: JsonObject): string =>
  args.node === undefined ? canonicalText(String(args.address)) : String(args.node);

const membersOf = (args: JsonObject): string => `${ltmPath}/pool/${segmentOf(poolOf(args))}/members`;

function faults(args: JsonObject): readonly ArgumentFault[] {
  if ((args.address === undefined) !== (args.node === undefined)) return [];
  return [{ path: ['address'], message: 'give exactly one of address and node' }];
}

export const poolMember: LtmKind = {
  resource: 'pool-member',
  prefix: 'poolMember',
  one: 'a pool member',
  many: 'members of a pool',
  listKey: 'members',
  kinds: ['tm:ltm:pool:members:membersstate'],
  naming: {
    properties: {
      pool: name,
      partition,
      address: { ...address, description: 'Its address. Give either address or node.' },
      node: { ...name, description: 'The name of its node. Give either address or node.' },
      port,
    },
    required: ['pool', 'port'],
    example: { pool: 'web', address: '10.0.0.1', port: 80 },
  },
  listing: { properties: { pool: name, partition }, required: ['pool'], example: { pool: 'web' }, byPartition: false },
  settings: {
    properties: {
      ratio: { ...count, minimum: 1, maximum: 100, description: 'Its weight in the ratio load balancing methods.' },
      priorityGroup: { ...count, maximum: 65_535 },
      connectionLimit: count,
      availability,
    },
    required: [],
    example: { ratio: 1 },
    fixed: [],
  },
  lists: {},
  own: ['address', 'node', 'ratio', 'priorityGroup', 'connectionLimit', 'availability'],
  reads: ['address', 'session', 'state', 'ratio', 'priorityGroup', 'connectionLimit'],
  refine: faults,
  place(args) {
    const [inPartition, host] = [String(args.partition), hostOf(args)];
    const key = endpointName(host, Number(args.port));
    return {
      collection: membersOf(args),
      fullPath: fullPathOf(inPartition, key),
      scope: poolOf(args).slice(1),
      key,
      missingAs: `${poolOf(args)} ${fullPathOf(inPartition, host)} ${String(args.port)}`,
      within: poolOf(args),
    };
  },
  collection: membersOf,
  named({ scope, key }) {
    const [inPartition = '', inPool = ''] = scope.split('/');
    const { host = key, port: ofIt = 0 } = splitEndpoint(key) ?? {};
    return { pool: inPool, partition: inPartition, ...hostWords(host), port: ofIt };
  },
  settle: ({ pool: inPool, partition: inPartition, port: ofIt, ...args }) => ({
    ...{ pool: inPool, partition: inPartition, port: ofIt },
    ...given({
      address: ifGiven(args.address, canonicalText),
      node: args.node,
      ratio: args.ratio,
      priorityGroup: args.priorityGroup,
      connectionLimit: args.connectionLimit,
      availability: args.availability,
    }),
  }),
  toDevice: ({ ratio, priorityGroup, connectionLimit, availability: word }) => ({
    ...given({ ratio, priorityGroup, connectionLimit }),
    ...toSession(word),
  }),
  values(object, { pool: inPool }) {
    const { host = '', port: ofIt = 0 } = splitEndpoint(String(object.name)) ?? {};
    return {
      pool: inPool,
      partition: object.partition,
      ...hostWords(host),
      port: ofIt,
      ratio: object.ratio,
      priorityGroup: object.priorityGroup,
      connectionLimit: object.connectionLimit,
      availability: fromSession(object.session, object.state),
    };
  },
};

/** A host is an address, or else the name of a node. */
function hostWords(host: string): { address: string } | { node: string } {
  return isIP(host) !== 0 ? { address: canonicalText(host) } : { node: host };
}
