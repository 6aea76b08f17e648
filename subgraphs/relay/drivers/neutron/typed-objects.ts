// Wanted objects in the terms of the typed mutations of network services, which have Neutron's own words.

import type { JsonObject, JsonValue, TypedObject, TypedObjects } from '../driver.ts';

export const typedObjects: TypedObjects = {
  network: named('Network'),
  subnet: named('NetworkSubnet'),
  port: named('NetworkPort'),
  'security-group': named('NetworkSecurityGroup'),
  'security-group-rule'({ direction, protocol, ...fields }) {
    const word = upper(protocol);
    if (word !== undefined && !['TCP', 'UDP', 'ICMP'].includes(word)) return undefined;
    return { type: 'NetworkSecurityGroupRule', fields: { ...fields, direction: upper(direction), protocol: word } };
  },
  router: named('NetworkRouter'),
  'router-interface': (fields, { scope: router, key: subnet }) => ({
    type: 'NetworkRouterInterface',
    fields: { ...fields, router, subnet },
  }),
  'floating-ip': named('NetworkFloatingIp'),
};

function upper(word: JsonValue | undefined): string | undefined {
  return typeof word === 'string' ? word.toUpperCase() : undefined;
}

function named(type: string): (values: JsonObject, object: { readonly key: string }) => TypedObject {
  return (values, { key: name }) => ({ type, fields: { ...values, name } });
}
