// The graph's typed firewall mutations as operations of this driver.

import type { FirewallCalls, FirewallPeer, JsonObject } from '../driver.ts';

/** Leaves out what is null or undefined, so that the schema's defaults apply. */
function given(fields: Record<string, JsonObject[string] | null>): JsonObject {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null && value !== undefined));
}

/** A side with neither address nor set is anywhere. */
function peer(side: FirewallPeer | null | undefined): JsonObject | undefined {
  const fields = given({ address: side?.address, set: side?.set, setIpVersion: side?.setIpVersion });
  return Object.keys(fields).length === 0 ? undefined : fields;
}

export const firewallCalls: FirewallCalls = {
  addressSetElementAdd: ({ set, address, comment }) => ({
    operation: 'setElement.add',
    arguments: given({ set, address, comment }),
  }),
  addressSetElementRemove: ({ set, address }) => ({ operation: 'setElement.remove', arguments: { set, address } }),
  ruleCreate: (input) => ({
    operation: 'rule.create',
    arguments: given({
      name: input.name,
      chain: input.chain,
      source: peer(input.source),
      destination: peer(input.destination),
      protocol: input.protocol?.toLowerCase(),
      destinationPort: input.destinationPort,
      action: input.action.toLowerCase(),
    }),
  }),
  ruleDelete({ scope, key, uuid }) {
    const [family, table, chain] = scope.split(' ');
    const handle = Number(uuid);
    if (family === undefined || table === undefined || chain === undefined || !(handle > 0)) return undefined;
    return { operation: 'rule.delete', arguments: { family, table, chain, name: key, handle } };
  },
};
