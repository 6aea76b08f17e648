// The typed mutations of firewalls as operations of this driver.

import type { Driver, JsonObject, JsonValue } from '../driver.ts';
import { given } from '../json.ts';

type Scope = { family?: string; table?: string } | undefined;

/** "inet filter"; undefined when it is not a table. */
function tableOf(scope: JsonValue | undefined): Scope {
  if (scope === undefined) return {};
  const [family, table, ...more] = String(scope).split(' ');
  if (family === undefined || table === undefined || more.length > 0) return undefined;
  return { family, table };
}

/** Values without a counterpart in nft: the whole call is not offered then. */
function without(input: JsonObject, ...fields: string[]): boolean {
  return fields.every((field) => input[field] === undefined);
}

export const typedCalls: Driver['typed'] = {
  firewallAddressCreate: ({ name, scope, content, comment }) => {
    const table = tableOf(scope);
    const { address } = (content ?? {}) as JsonObject;
    if (table === undefined || address === undefined) return undefined;
    return {
      operation: 'address.create',
      arguments: given({ ...table, name, address, comment }),
      fields: { address: 'content.address' },
    };
  },
  firewallAddressSetElementAdd: ({ set, scope, address, comment }) => {
    const table = tableOf(scope);
    if (table === undefined) return undefined;
    return { operation: 'setElement.add', arguments: given({ ...table, set, address, comment }) };
  },
  firewallAddressSetElementRemove: ({ set, scope, address }) => {
    const table = tableOf(scope);
    if (table === undefined) return undefined;
    return { operation: 'setElement.remove', arguments: given({ ...table, set, address }) };
  },
  firewallRuleCreate: ({ scope, protocol, action, source, destination, ...rest }) => {
    const table = tableOf(scope);
    if (table === undefined || !without(rest, 'service', 'ingressInterface', 'egressInterface')) return undefined;
    const { name, chain, destinationPort } = rest;
    return {
      operation: 'rule.create',
      arguments: given({
        ...table,
        ...{ name, chain, destinationPort },
        source: peer(source),
        destination: peer(destination),
        protocol: lower(protocol),
        action: lower(action),
      }),
    };
  },
};

/** A side with neither address nor set matches anything. */
function peer(side: JsonValue | undefined): JsonValue | undefined {
  return typeof side === 'object' && side !== null && Object.keys(side).length === 0 ? undefined : side;
}

function lower(word: JsonValue | undefined): string | undefined {
  return word === undefined ? undefined : String(word).toLowerCase();
}
