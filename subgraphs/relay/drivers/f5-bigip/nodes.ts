// Nodes: the servers behind pool members. iControl REST Reference 13.1, /mgmt/tm/ltm/node.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { JsonValue } from '../driver.ts';
import { given } from '../json.ts';
import { ifGiven } from './if-given.ts';
import type { LtmKind } from './ltm-kind.ts';
import { fullPathOf, ltmPath } from './names.ts';
import { address, count, name, partition } from './schema.ts';

/** In the terms of the device's own pages: disabled finishes existing connections, offline drops them. */
export const availability = {
  type: 'string',
  enum: ['enabled', 'disabled', 'offline'],
  description:
    'disabled: accepts only connections of persistent sessions; offline: accepts no new connections. Open connections continue in both cases.',
} as const;

export function toSession(word: JsonValue | undefined): { session?: string; state?: string } {
  switch (word) {
    case 'enabled':
      return { session: 'user-enabled', state: 'user-up' };
    case 'disabled':
      return { session: 'user-disabled', state: 'user-up' };
    case 'offline':
      return { session: 'user-disabled', state: 'user-down' };
    default:
      return {};
  }
}

/** A monitor replaces a person's `user-enabled` with `monitor-enabled` and `up` or `down`. */
export function fromSession(session: JsonValue | undefined, state: JsonValue | undefined): string {
  if (session !== 'user-disabled') return 'enabled';
  return state === 'user-down' ? 'offline' : 'disabled';
}

export const node: LtmKind = {
  resource: 'node',
  prefix: 'node',
  one: 'a node',
  many: 'nodes',
  listKey: 'nodes',
  kinds: ['tm:ltm:node:nodestate'],
  naming: { properties: { name, partition }, required: ['name'], example: { name: 'web-1' } },
  listing: { properties: { partition: name }, required: [], example: {}, byPartition: true },
  settings: {
    properties: { address, availability, connectionLimit: count, ratio: { ...count, minimum: 1, maximum: 100 } },
    required: ['address'],
    example: { address: '10.0.0.1', ratio: 1 },
    fixed: ['address'],
  },
  lists: {},
  own: ['availability', 'connectionLimit', 'ratio'],
  reads: ['address', 'session', 'state', 'connectionLimit', 'ratio'],
  place(args) {
    const [inPartition, key] = [String(args.partition), String(args.name)];
    return { collection: `${ltmPath}/node`, fullPath: fullPathOf(inPartition, key), scope: inPartition, key };
  },
  collection: () => `${ltmPath}/node`,
  named: ({ scope, key }) => ({ partition: scope, name: key }),
  settle: ({ name: known, partition: inPartition, ...args }) => ({
    ...{ name: known, partition: inPartition },
    ...given({
      address: ifGiven(args.address, canonicalText),
      availability: args.availability,
      connectionLimit: args.connectionLimit,
      ratio: args.ratio,
    }),
  }),
  toDevice: (args) => ({
    ...given({ address: args.address, connectionLimit: args.connectionLimit, ratio: args.ratio }),
    ...toSession(args.availability),
  }),
  values: (object) => ({
    name: object.name,
    partition: object.partition,
    address: ifGiven(object.address, canonicalText),
    availability: fromSession(object.session, object.state),
    connectionLimit: object.connectionLimit,
    ratio: object.ratio,
  }),
};
