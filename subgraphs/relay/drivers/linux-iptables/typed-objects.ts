// Wanted rules in the terms of the typed mutations of firewalls. A range of ports has no counterpart there.
import type { JsonValue, TypedObjects } from '../driver.ts';

export const typedObjects: TypedObjects = {
  rule({ name, chain, source, destination, inInterface, outInterface, protocol, firstPort, lastPort, action, other }) {
    if (other !== undefined || (lastPort !== undefined && lastPort !== firstPort)) return undefined;
    return {
      type: 'FirewallRule',
      fields: {
        ...{ name, chain, ingressInterface: inInterface, egressInterface: outInterface },
        ...{ source: peerOf(source), destination: peerOf(destination) },
        ...{ protocol: upper(protocol), destinationPort: firstPort, action: upper(action) },
      },
    };
  },
};

function peerOf(address: JsonValue | undefined): JsonValue | undefined {
  return address === undefined ? undefined : { address };
}

function upper(word: JsonValue | undefined): string | undefined {
  return typeof word === 'string' ? word.toUpperCase() : undefined;
}
