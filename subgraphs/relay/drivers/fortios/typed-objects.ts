// Wanted objects in the terms of the typed mutations of firewalls.

import type { JsonValue, TypedObjects } from '../driver.ts';
import { given } from '../json.ts';

const actions: Readonly<Record<string, string>> = { ACCEPT: 'ACCEPT', DENY: 'DROP' };

export const typedObjects: TypedObjects = {
  address({ address, fqdn, firstAddress, lastAddress, comment }, { scope, key: name }) {
    const range = isGiven(firstAddress) ? { firstAddress, lastAddress } : undefined;
    const content = given({ address: orNone(address), fqdn: orNone(fqdn), range });
    if (Object.keys(content).length !== 1) return undefined;
    return { type: 'FirewallAddress', fields: { name, scope, content, comment: orNone(comment) } };
  },
  'address-group': ({ members, comment }, { scope, key: name }) => ({
    type: 'FirewallAddressGroup',
    fields: { name, scope, members, comment: orNone(comment) },
  }),
  service({ tcpPorts, udpPorts, comment }, { scope, key: name }) {
    const [protocol, list] = isGiven(tcpPorts) ? ['TCP', tcpPorts] : ['UDP', udpPorts];
    if (!Array.isArray(list) || list.length !== 1 || (isGiven(tcpPorts) && isGiven(udpPorts))) return undefined;
    const [firstPort, lastPort] = String(list[0]).split('-').map(Number);
    if (!Number.isInteger(firstPort)) return undefined;
    return {
      type: 'FirewallService',
      fields: { name, scope, protocol, firstPort, lastPort, comment: orNone(comment) },
    };
  },
  vip(values, { scope, key: name }) {
    const { externalAddress, mappedAddress, interface: on, protocol, externalPort, mappedPort, comment } = values;
    const isRange = ['lastExternalAddress', 'lastMappedAddress', 'lastExternalPort', 'lastMappedPort'].some((field) =>
      isGiven(values[field]),
    );
    if (isRange || protocol === 'SCTP') return undefined;
    const ports = { protocol, externalPort, mappedPort };
    const named = { name, scope, interface: on === 'any' ? undefined : on, comment: orNone(comment) };
    return { type: 'FirewallVip', fields: { ...named, externalAddress, mappedAddress, ...ports } };
  },
  policy(values, { scope, key: name }) {
    const source = peerOf(values.sourceAddresses);
    const destination = peerOf(values.destinationAddresses);
    const [ingress, egress] = [one(values.sourceInterfaces), one(values.destinationInterfaces)];
    const service = one(values.services);
    const action = actions[String(values.action)];
    if ([source, destination, ingress, egress, service, action].includes(undefined)) return undefined;
    const interfaces = { ingressInterface: unless(ingress, 'any'), egressInterface: unless(egress, 'any') };
    return {
      type: 'FirewallRule',
      fields: { name, scope, ...interfaces, source, destination, service: unless(service, 'ALL'), action },
    };
  },
};

function isGiven(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null;
}

function orNone(value: JsonValue | undefined): JsonValue | undefined {
  return value === null || value === '' ? undefined : value;
}

function one(list: JsonValue | undefined): string | undefined {
  return Array.isArray(list) && list.length === 1 ? String(list[0]) : undefined;
}

function unless(word: string | undefined, usual: string): string | undefined {
  return word === usual ? undefined : word;
}

/** Null: any. Undefined: not one name. */
function peerOf(list: JsonValue | undefined): JsonValue | undefined {
  const name = one(list);
  if (name === undefined) return undefined;
  return name === 'all' ? null : { set: name };
}
