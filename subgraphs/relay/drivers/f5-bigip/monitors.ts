// Health monitors of the kinds http, https and tcp. iControl REST Reference 13.1, /mgmt/tm/ltm/monitor.

import type { ArgumentFault, JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import type { LtmKind } from './ltm-kind.ts';
import { fullPathOf, ltmPath } from './names.ts';
import { count, name, partition } from './schema.ts';

const type = { type: 'string', enum: ['http', 'https', 'tcp'] } as const;

/** The request and the expected reply: printable ASCII, where `\r\n` is written as these four characters. */
const exchanged = { type: 'string', maxLength: 2_048, pattern: '^[\\x20-\\x7e]*$' } as const;

const collectionOf = (args: JsonObject): string => `${ltmPath}/monitor/${String(args.type)}`;

function faults({ interval, timeout }: JsonObject): readonly ArgumentFault[] {
  if (interval === undefined || timeout === undefined || Number(timeout) > Number(interval)) return [];
  return [{ path: ['timeout'], message: 'must be greater than interval' }];
}

export const monitor: LtmKind = {
  resource: 'monitor',
  prefix: 'monitor',
  one: 'a health monitor',
  many: 'health monitors of one type',
  listKey: 'monitors',
  kinds: ['http', 'https', 'tcp'].map((each) => `tm:ltm:monitor:${each}:${each}state`),
  naming: {
    properties: { type, name, partition },
    required: ['type', 'name'],
    example: { type: 'http', name: 'alive' },
  },
  listing: {
    properties: { type, partition: name },
    required: ['type'],
    example: { type: 'http' },
    byPartition: true,
  },
  settings: {
    properties: {
      interval: { ...count, minimum: 1, maximum: 86_400, description: 'The time between two checks, in seconds.' },
      timeout: {
        ...count,
        minimum: 2,
        maximum: 86_400,
        description: 'The time without an answer after which a member is down, in seconds.',
      },
      send: { ...exchanged, description: 'The text to send, for example `GET /health HTTP/1.0\\r\\n\\r\\n`.' },
      receive: { ...exchanged, description: 'A regular expression that matches the answer of a healthy member.' },
    },
    required: [],
    example: { interval: 5, timeout: 16, receive: '200 OK' },
    fixed: [],
  },
  lists: {},
  own: ['interval', 'timeout', 'send', 'receive'],
  reads: ['interval', 'timeout', 'send', 'recv'],
  refine: faults,
  place(args) {
    const [inPartition, known] = [String(args.partition), String(args.name)];
    return {
      collection: collectionOf(args),
      fullPath: fullPathOf(inPartition, known),
      scope: inPartition,
      key: `${String(args.type)}/${known}`,
    };
  },
  collection: collectionOf,
  named({ scope, key }) {
    const [ofType = '', ...known] = key.split('/');
    // An adopted object may have any name; an unknown kind gives a path that does not exist.
    const isOurs = (type.enum as readonly string[]).includes(ofType);
    return { type: isOurs ? ofType : 'none', name: known.join('/'), partition: scope };
  },
  settle: ({ type: ofType, name: known, partition: inPartition, interval, timeout, send, receive }) => ({
    ...{ type: ofType, name: known, partition: inPartition },
    ...given({ interval, timeout, send, receive }),
  }),
  toDevice: ({ interval, timeout, send, receive }) => given({ interval, timeout, send, recv: receive }),
  values: (object, { type: ofType }) => ({
    type: ofType,
    name: object.name,
    partition: object.partition,
    interval: object.interval,
    timeout: object.timeout,
    send: object.send ?? '',
    receive: object.recv ?? '',
  }),
};
