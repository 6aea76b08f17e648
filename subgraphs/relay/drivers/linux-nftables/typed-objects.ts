// Wanted objects in the terms of the typed mutations of firewalls.

import type { JsonObject, JsonValue, TypedObjects } from '../driver.ts';
import { isObject } from '../json.ts';

const ports: Readonly<Record<string, string>> = { tcp: 'TCP', udp: 'UDP' };
const protocols: Readonly<Record<string, string>> = { 6: 'TCP', 17: 'UDP', 1: 'ICMP', 58: 'ICMP' };

export const typedObjects: TypedObjects = {
  address: ({ name, address }, { scope }) => ({
    type: 'FirewallAddress',
    fields: { name, scope, content: { address } },
  }),
  'address-set-element': ({ set, address }, { scope }) => ({
    type: 'FirewallAddressSetElement',
    fields: { set, scope, address },
  }),
  rule({ name, statements }, { scope }) {
    const [family = '', table = '', chain = ''] = scope.split(' ');
    const matching = Array.isArray(statements) ? matchingOf(statements) : undefined;
    if (matching === undefined) return undefined;
    return { type: 'FirewallRule', fields: { name, scope: `${family} ${table}`, chain, ...matching } };
  },
};

/** The opposite of `statements` (rule-statements.ts). Undefined if there is one that it does not make. */
function matchingOf(statements: readonly JsonValue[]): JsonObject | undefined {
  const matching: Record<string, JsonValue | undefined> = {};
  for (const statement of statements) {
    if (!isObject(statement)) return undefined;
    const [word = '', ...more] = Object.keys(statement);
    if (more.length > 0) return undefined;
    const read = word === 'match' ? matchOf(statement.match) : actionOf(word);
    if (read === undefined) return undefined;
    Object.assign(matching, read);
  }
  return matching;
}

function actionOf(word: string): JsonObject | undefined {
  return ['accept', 'drop', 'reject'].includes(word) ? { action: word.toUpperCase() } : undefined;
}

function matchOf(match: JsonValue | undefined): JsonObject | undefined {
  if (!isObject(match) || match.op !== '==') return undefined;
  const { left, right } = match;
  if (!isObject(left)) return undefined;
  if (isObject(left.meta) && left.meta.key === 'l4proto') return protocolOf(right);
  const { protocol, field } = isObject(left.payload) ? left.payload : {};
  if (field === 'saddr' || field === 'daddr') {
    const peer = peerOf(right, protocol === 'ip6' ? 6 : 4);
    return peer && { [field === 'saddr' ? 'source' : 'destination']: peer };
  }
  const word = ports[String(protocol)];
  return field === 'dport' && word !== undefined && typeof right === 'number'
    ? { protocol: word, destinationPort: right }
    : undefined;
}

function protocolOf(right: JsonValue | undefined): JsonObject | undefined {
  const numbers = isObject(right) && Array.isArray(right.set) ? right.set : [right];
  const words = new Set(numbers.map((number) => protocols[String(number)]));
  const [word] = words;
  return words.size === 1 && word !== undefined ? { protocol: word } : undefined;
}

function peerOf(right: JsonValue | undefined, version: 4 | 6): JsonObject | undefined {
  if (typeof right === 'string')
    return right.startsWith('@') ? { set: right.slice(1), setIpVersion: version } : { address: right };
  const { prefix } = isObject(right) ? right : {};
  return isObject(prefix) ? { address: `${String(prefix.addr)}/${String(prefix.len)}` } : undefined;
}
