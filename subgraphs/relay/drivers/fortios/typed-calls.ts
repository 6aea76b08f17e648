// The typed mutations of firewalls as operations of this driver.

import type { Driver, JsonObject, JsonValue, TypedCall } from '../driver.ts';
import { given } from '../json.ts';

/** The input's fields in the terms of policies. */
const fields = {
  vdom: 'scope',
  sourceAddresses: 'source',
  destinationAddresses: 'destination',
  sourceInterfaces: 'ingressInterface',
  destinationInterfaces: 'egressInterface',
  services: 'service',
} as const;

/** A scope is a VDOM; the default is the schema's. */
function inVdom(operation: string, { scope, ...input }: JsonObject): TypedCall {
  return { operation, arguments: given({ vdom: scope, ...input }), fields };
}

/** The arguments have the content's fields beside the others. */
function withContent(operation: string, { content, ...input }: JsonObject): TypedCall {
  const { range, ...one } = (content ?? {}) as JsonObject;
  const call = inVdom(operation, { ...input, ...one, ...((range ?? {}) as JsonObject) });
  const inContent = {
    address: 'content.address',
    fqdn: 'content.fqdn',
    firstAddress: 'content.range.firstAddress',
    lastAddress: 'content.range.lastAddress',
  };
  return { ...call, fields: { ...call.fields, ...inContent } };
}

/** Policies refer to addresses by name. Undefined if FortiOS can't express it. */
function namesOfPeer(peer: JsonValue | undefined): readonly string[] | undefined {
  const { address, set, setIpVersion } = (peer ?? {}) as JsonObject;
  if (address !== undefined || setIpVersion === 6) return undefined;
  return set === undefined ? ['all'] : [String(set)];
}

export const typedCalls: Driver['typed'] = {
  firewallAddressCreate: (input) => withContent('address.create', input),
  firewallAddressUpdate: (input) => withContent('address.update', input),
  firewallAddressGroupCreate: (input) => inVdom('addressGroup.create', input),
  firewallAddressGroupUpdate: (input) => inVdom('addressGroup.update', input),
  firewallServiceCreate: ({ protocol, firstPort, lastPort, ...input }) => {
    const ports = lastPort === undefined || lastPort === firstPort ? `${firstPort}` : `${firstPort}-${lastPort}`;
    const list = protocol === 'TCP' ? { tcpPorts: [ports] } : { udpPorts: [ports] };
    return inVdom('service.create', { ...input, ...list });
  },
  firewallVipCreate: (input) => inVdom('vip.create', input),
  firewallRuleCreate: (input) => {
    const { chain, protocol, destinationPort, action } = input;
    const sourceAddresses = namesOfPeer(input.source);
    const destinationAddresses = namesOfPeer(input.destination);
    // Protocols, ports and addresses must be named objects first; a policy only accepts or denies, without rejecting.
    const isStrange = [chain, protocol, destinationPort].some((value) => value !== undefined) || action === 'REJECT';
    if (isStrange || sourceAddresses === undefined || destinationAddresses === undefined) return undefined;
    const { name, scope, ingressInterface, egressInterface, service } = input;
    return inVdom('policy.create', {
      ...given({ name, scope }),
      ...{ sourceAddresses, destinationAddresses },
      sourceInterfaces: [ingressInterface ?? 'any'],
      destinationInterfaces: [egressInterface ?? 'any'],
      services: [service ?? 'ALL'],
      schedule: 'always',
      action: action === 'ACCEPT' ? 'ACCEPT' : 'DENY',
    });
  },
};
