// Readers of this driver's objects: rules, sets, their elements and named addresses.
import type { ExecReply, JsonObject, JsonValue, MappedObject, ResourceFinding, ResourceReader } from '../driver.ts';
import { isObject } from '../json.ts';
import { addressIn, addressSetOf } from './addresses.ts';
import { list, objectsOf, readAnswer } from './nft.ts';
import { recognisedBy } from './rule-deletion.ts';
import { findRule } from './rules.ts';
import { findElement } from './set-elements.ts';
import { isOfAddresses, settingsOf } from './sets.ts';

/** For example `inet filter forward`: family, table, and the chain if there is one. */
function placeOf(scope: string): { family: string; table: string; name: string } {
  const [family = '', table = '', name = ''] = scope.split(' ');
  return { family, table, name };
}

/** The set in nft's answer, or the meaning of another answer. */
function oneSet(reply: ExecReply, read: (set: JsonObject) => ResourceFinding): ResourceFinding {
  const answer = readAnswer(reply);
  if (answer.kind === 'refused' && answer.absent) return { finding: 'ABSENT' };
  if (answer.kind !== 'objects') return { finding: 'UNREADABLE', message: answer.message };
  const [set] = objectsOf(answer.objects, 'set');
  return set === undefined ? { finding: 'UNREADABLE', message: 'nft did not return the set.' } : read(set);
}

function listSet({ scope, key }: MappedObject) {
  const { family, table } = placeOf(scope);
  return list({ set: { family, table, name: key } });
}

const rule: ResourceReader<ExecReply> = {
  lists: { statements: 'ORDERED' },
  own: [],
  render: ({ scope }) => list({ chain: placeOf(scope) }),
  interpret: findRule,
  remove(object) {
    const { family, table, name } = placeOf(object.scope);
    const handle = Number(object.uuid);
    if (!(handle > 0) || name === '') return undefined;
    const which = { family, table, chain: name, name: object.key, handle };
    return { operation: 'rule.delete', arguments: { ...which, ...recognisedBy(object) } };
  },
};

/**
 * libnftables-json(5): a type is a word, a list of words, or `{ "typeof": EXPRESSION }` from nft 1.1.4 on, for sets that others
 * made so. Null for a set whose elements are not addresses.
 */
function ipVersionOf(type: JsonValue | undefined): 4 | 6 | null {
  if (type === 'ipv4_addr') return 4;
  if (type === 'ipv6_addr') return 6;
  const payload = isObject(type) && isObject(type.typeof) ? type.typeof.payload : undefined;
  if (!isObject(payload) || (payload.field !== 'saddr' && payload.field !== 'daddr')) return null;
  return payload.protocol === 'ip' ? 4 : payload.protocol === 'ip6' ? 6 : null;
}

const addressSet: ResourceReader<ExecReply> = {
  lists: {},
  own: [],
  render: listSet,
  interpret: (reply) =>
    oneSet(reply, (set) => ({
      finding: 'PRESENT',
      ...(typeof set.handle === 'number' ? { uuid: String(set.handle) } : {}),
      values: {
        set: set.name ?? null,
        ipVersion: ipVersionOf(set.type),
        blocks: Array.isArray(set.flags) ? set.flags.includes('interval') : set.flags === 'interval',
      },
    })),
  remove: ({ scope, key, recorded }) => {
    if (!isOfAddresses(recorded)) return undefined;
    const { family, table } = placeOf(scope);
    return { operation: 'set.delete', arguments: { family, table, set: key, ...settingsOf(recorded) } };
  },
};

const element: ResourceReader<ExecReply> = {
  lists: {},
  // The comment of the call that first made the element stays.
  own: ['comment'],
  render: ({ scope, key }) => listSet({ scope, key: key.slice(0, key.indexOf('/')), uuid: null }),
  interpret: (reply, { key }) => findElement(reply, key.slice(key.indexOf('/') + 1)),
  remove: ({ scope, key }) => {
    const { family, table } = placeOf(scope);
    const cut = key.indexOf('/');
    return {
      operation: 'setElement.remove',
      arguments: { family, table, set: key.slice(0, cut), address: key.slice(cut + 1) },
    };
  },
};

const address: ResourceReader<ExecReply> = {
  // More than one only after a change by others.
  lists: { address: 'SET' },
  own: [],
  render: listSet,
  interpret: (reply) => oneSet(reply, addressSetOf),
  remove: ({ scope, key, recorded, madeBy }) => {
    const at = addressIn(recorded);
    if (at === undefined) return undefined;
    const { family, table } = placeOf(scope);
    const made = madeBy === undefined ? {} : { operationId: madeBy };
    return { operation: 'address.delete', arguments: { family, table, name: key, address: at, ...made } };
  },
};

export const resources = { rule, 'address-set': addressSet, 'address-set-element': element, address };
