// Typed mutations of firewalls: addresses, address groups, services, address sets, rules and virtual IPs.

import { objectField } from '../../../platform/graph/described/fields.ts';
import {
  addressBlockField,
  addressField,
  enumField,
  integerField,
  listField,
  nameField,
  portField,
  required,
  textField,
} from '../../../platform/graph/fields.ts';
import type { ArgumentFault, JsonObject } from '../drivers/driver.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'FIREWALL';
const scope = textField(
  'The part of the firewall: a VDOM, or a table such as "inet filter". Default: the usual one of the driver.',
  63,
  1,
);
const comment = textField('Free text, stored with the object where the device can store it.', 88);

const protocol = {
  name: 'FirewallProtocol',
  description: 'The transport protocol of a rule.',
  values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP or ICMPv6, as the addresses require.' },
} as const;
const portProtocol = {
  name: 'FirewallPortProtocol',
  description: 'A transport protocol with ports.',
  values: { TCP: 'TCP.', UDP: 'UDP.' },
} as const;

const peer = {
  name: 'FirewallPeer',
  description: 'The source or destination of a rule: an address or a set.',
  fields: {
    address: addressBlockField('An address or block.'),
    set: nameField('The name of an address, address group or address set on the firewall.'),
    setIpVersion: integerField(
      "The IP version of the set's addresses, 4 or 6. Default: that of the other side's address, else 4.",
      4,
      6,
    ),
  },
} as const;

const content = required(
  objectField('The addresses that the name stands for.', {
    name: 'FirewallAddressContent',
    description: 'What a named address on a firewall stands for.',
    oneOf: true,
    fields: {
      address: addressBlockField('An address, or a block with its prefix length.'),
      fqdn: textField('A host name, which the firewall resolves.', 253, 1),
      range: objectField('All addresses from one to another.', {
        name: 'FirewallAddressRange',
        description: 'A range of addresses of one IP version.',
        fields: {
          firstAddress: required(addressField('The first address of the range.')),
          lastAddress: required(addressField('The last address of the range. It is above the first one.')),
        },
      }),
    },
  }),
);

function ruleFaults(input: JsonObject): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  for (const side of ['source', 'destination'] as const) {
    const one = input[side] as JsonObject | undefined;
    if (one?.set !== undefined && one.address !== undefined)
      faults.push({ path: [side], message: `${side} has both an address and a set; give only one of them` });
  }
  if (input.destinationPort !== undefined && input.protocol !== 'TCP' && input.protocol !== 'UDP')
    faults.push({ path: ['destinationPort'], message: 'destinationPort requires the protocol TCP or UDP' });
  if (input.service !== undefined && (input.protocol !== undefined || input.destinationPort !== undefined))
    faults.push({
      path: ['service'],
      message: 'service already determines protocol and port; give either service or protocol and destinationPort',
    });
  return faults;
}

export const firewallMutations: readonly TypedMutation[] = [
  {
    name: 'firewallAddressCreate',
    family,
    summary: 'Creates a named address on a firewall, for use in rules.',
    shareable: true,
    makes: { type: 'FirewallAddress', description: 'A named address on a firewall, as it is wanted.' },
    fields: { name: required(nameField('Its name on the firewall.')), scope, content, comment },
  },
  {
    name: 'firewallAddressUpdate',
    family,
    summary: 'Changes the content of a named address on a firewall.',
    fields: { name: required(nameField('Its name on the firewall.')), scope, content, comment },
  },
  {
    name: 'firewallAddressGroupCreate',
    family,
    summary: 'Creates a group of named addresses on a firewall.',
    shareable: true,
    makes: { type: 'FirewallAddressGroup', description: 'A group of named addresses on a firewall, as it is wanted.' },
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      members: required(listField(nameField('The name of an address.'), 'The names of existing addresses.')),
      comment,
    },
  },
  {
    name: 'firewallAddressGroupUpdate',
    family,
    summary: 'Replaces the members of a group of named addresses.',
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      members: required(
        listField(
          nameField('The name of an address.'),
          'The names of its new members, which replace the current members.',
        ),
      ),
      comment,
    },
  },
  {
    name: 'firewallServiceCreate',
    family,
    summary: 'Creates a named service (protocol and ports) on a firewall.',
    shareable: true,
    makes: { type: 'FirewallService', description: 'A named service on a firewall, as it is wanted.' },
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      protocol: required(enumField('The transport protocol of the service.', portProtocol)),
      firstPort: required(portField('The port, or the first port of a range.')),
      lastPort: portField('The last port of a range.'),
      comment,
    },
    refine: (input) =>
      Number(input.lastPort ?? input.firstPort) < Number(input.firstPort)
        ? [{ path: ['lastPort'], message: 'lastPort must not be below firstPort' }]
        : [],
  },
  {
    name: 'firewallVipCreate',
    family,
    summary: 'Creates a virtual IP (destination NAT) on a firewall.',
    makes: { type: 'FirewallVip', description: 'A virtual IP (destination NAT) on a firewall, as it is wanted.' },
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      externalAddress: required(addressField('The address that clients use.')),
      mappedAddress: required(addressField('The address to which packets are forwarded.')),
      interface: nameField('The interface on which it receives packets. Default: any.'),
      protocol: enumField('The protocol of the ports. Requires externalPort and mappedPort.', portProtocol),
      externalPort: portField('The port that clients use. Requires protocol and mappedPort.'),
      mappedPort: portField('The port to which packets are forwarded. Requires protocol and externalPort.'),
      comment,
    },
    refine: (input) => {
      const given = ['protocol', 'externalPort', 'mappedPort'].filter((name) => input[name] !== undefined);
      if (given.length === 0 || given.length === 3) return [];
      return [
        { path: [given[0] ?? ''], message: 'give protocol, externalPort and mappedPort together, or none of them' },
      ];
    },
  },
  {
    name: 'firewallAddressSetElementAdd',
    family,
    summary: "Adds an address to a firewall's address set.",
    shareable: true,
    makes: {
      type: 'FirewallAddressSetElement',
      description: 'An address in an address set of a firewall, as it is wanted.',
    },
    fields: {
      set: required(nameField('The name of the set on the firewall.')),
      scope,
      address: required(addressBlockField('The address or block to add.')),
      comment: textField(
        'Free text stored with the element, at most 88 bytes of printable characters without double quotes.',
        88,
      ),
    },
  },
  {
    name: 'firewallAddressSetElementRemove',
    family,
    summary: "Removes an address from a firewall's address set.",
    fields: {
      set: required(nameField('The name of the set on the firewall.')),
      scope,
      address: required(addressBlockField('The address or block to remove.')),
    },
  },
  {
    name: 'firewallRuleCreate',
    family,
    summary: 'Creates a firewall rule (policy) after the existing ones.',
    makes: { type: 'FirewallRule', description: 'A rule (policy) of a firewall, as it is wanted.' },
    fields: {
      name: required(
        nameField(
          "The rule's name, unique in its part of the firewall. 1 to 63 letters, digits, dots, hyphens and underscores.",
        ),
      ),
      scope,
      chain: nameField('The chain, on packet filters only. Default: forward.'),
      ingressInterface: nameField('The interface on which packets arrive. Default: any.'),
      egressInterface: nameField('The interface on which packets leave. Default: any.'),
      source: objectField('The source of the packets. Default: any.', peer),
      destination: objectField('The destination of the packets. Default: any.', peer),
      protocol: enumField('The transport protocol. Default: any.', protocol),
      destinationPort: portField('The destination port. Requires TCP or UDP.'),
      service: nameField('The name of a service on the firewall, instead of protocol and destinationPort.'),
      action: required(
        enumField('The action on matching packets.', {
          name: 'FirewallAction',
          description: 'The action of a firewall rule on a packet.',
          values: {
            ACCEPT: 'Lets the packet pass.',
            DROP: 'Drops the packet without an answer.',
            REJECT: 'Drops the packet and answers with an error.',
          },
        }),
      ),
    },
    refine: ruleFaults,
  },
];
