// Typed mutations of firewalls: addresses, groups of them, services, address sets, rules and virtual IPs.
import type { ArgumentFault, JsonObject } from '../drivers/driver.ts';
import {
  addressBlockField,
  addressField,
  enumField,
  inputField,
  integerField,
  listField,
  nameField,
  portField,
  required,
  textField,
} from './fields.ts';
import { exactlyOne, type TypedMutation } from './typed-mutation.ts';

const family = 'FIREWALL';
const scope = textField(
  'The place on the firewall: a VDOM, or a table such as "inet filter"; left out: the usual one of the driver.',
  63,
  1,
);
const comment = textField('Free text that the device stores with it, if it can.', 88);

const protocol = {
  name: 'FirewallProtocol',
  description: 'Transport protocol of a rule.',
  values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP or ICMPv6, as the addresses require.' },
} as const;
const portProtocol = {
  name: 'FirewallPortProtocol',
  description: 'Transport protocol with ports.',
  values: { TCP: 'TCP.', UDP: 'UDP.' },
} as const;

const peer = {
  name: 'FirewallPeerInput',
  description: 'One side of a rule: either an address or a set.',
  fields: {
    address: addressBlockField('An address or block.'),
    set: nameField('Name of an address, address group or address set of the firewall.'),
    setIpVersion: integerField(
      "IP version of the set's addresses, 4 or 6; left out: that of the address of the other side, or 4.",
      4,
      6,
    ),
  },
} as const;

const addressContent = {
  address: addressBlockField('An address or block. Give either this, fqdn or a range.'),
  fqdn: textField('A host name that the firewall resolves.', 253, 1),
  firstAddress: addressField('First address of a range.'),
  lastAddress: addressField('Last address of a range.'),
} as const;

function addressFaults(input: JsonObject): readonly ArgumentFault[] {
  const faults = exactlyOne(input, ['address', 'fqdn', 'firstAddress']);
  if ((input.firstAddress === undefined) !== (input.lastAddress === undefined))
    faults.push({ path: ['lastAddress'], message: 'a range needs firstAddress and lastAddress' });
  return faults;
}

function ruleFaults(input: JsonObject): readonly ArgumentFault[] {
  const faults: ArgumentFault[] = [];
  for (const side of ['source', 'destination'] as const) {
    const one = input[side] as JsonObject | undefined;
    if (one?.set !== undefined && one.address !== undefined)
      faults.push({ path: [side], message: `${side} has an address and a set: give at most one of the two` });
  }
  if (input.destinationPort !== undefined && input.protocol !== 'TCP' && input.protocol !== 'UDP')
    faults.push({ path: ['destinationPort'], message: 'destinationPort needs the protocol TCP or UDP' });
  if (input.service !== undefined && (input.protocol !== undefined || input.destinationPort !== undefined))
    faults.push({ path: ['service'], message: 'service says protocol and port already: give one or the other' });
  return faults;
}

export const firewallMutations: readonly TypedMutation[] = [
  {
    name: 'firewallAddressCreate',
    family,
    summary: 'Creates a named address on a firewall, for rules to refer to.',
    shareable: true,
    fields: { name: required(nameField('Its name on the firewall.')), scope, ...addressContent, comment },
    refine: addressFaults,
  },
  {
    name: 'firewallAddressUpdate',
    family,
    summary: 'Changes the content of a named address on a firewall.',
    fields: { name: required(nameField('Its name on the firewall.')), scope, ...addressContent, comment },
    refine: addressFaults,
  },
  {
    name: 'firewallAddressGroupCreate',
    family,
    summary: 'Creates a group of named addresses on a firewall.',
    shareable: true,
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      members: required(listField(nameField('Names of addresses.'), 'The names of existing addresses.')),
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
      members: required(listField(nameField('Names of addresses.'), 'Its members, which replace the present ones.')),
      comment,
    },
  },
  {
    name: 'firewallServiceCreate',
    family,
    summary: 'Creates a named service (protocol and ports) on a firewall.',
    shareable: true,
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      protocol: required(enumField('Transport protocol.', portProtocol)),
      firstPort: required(portField('The port, or the first of a range.')),
      lastPort: portField('Last port of a range.'),
      comment,
    },
    refine: (input) =>
      Number(input.lastPort ?? input.firstPort) < Number(input.firstPort)
        ? [{ path: ['lastPort'], message: 'lastPort is before firstPort' }]
        : [],
  },
  {
    name: 'firewallVipCreate',
    family,
    summary: 'Creates a virtual IP (destination NAT) on a firewall.',
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      externalAddress: required(addressField('The address that clients use.')),
      mappedAddress: required(addressField('The address that packets are forwarded to.')),
      interface: nameField('The interface that it listens on; left out: any.'),
      protocol: enumField('The protocol of the ports. Requires externalPort and mappedPort.', portProtocol),
      externalPort: portField('The port that clients use. Requires protocol and mappedPort.'),
      mappedPort: portField('The port that packets are forwarded to.'),
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
    fields: {
      set: required(nameField("The set's name.")),
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
      set: required(nameField("The set's name.")),
      scope,
      address: required(addressBlockField('The address or block to remove.')),
    },
  },
  {
    name: 'firewallRuleCreate',
    family,
    summary: 'Creates a firewall rule (policy), after the existing ones.',
    fields: {
      name: required(
        nameField("The rule's name, unique in its place: 1 to 63 letters, digits, dots, hyphens and underscores."),
      ),
      scope,
      chain: nameField('Packet filters: the chain; left out: forward.'),
      ingressInterface: nameField('The interface where packets come in; left out: any.'),
      egressInterface: nameField('The interface where packets go out; left out: any.'),
      source: inputField('The source of the packets; left out: any.', peer),
      destination: inputField('The destination of the packets; left out: any.', peer),
      protocol: enumField('The transport protocol; left out: any.', protocol),
      destinationPort: portField('The destination port. Requires TCP or UDP.'),
      service: nameField('Name of a service of the firewall, instead of protocol and port.'),
      action: required(
        enumField('What to do with matching packets.', {
          name: 'FirewallAction',
          description: 'What a firewall rule does with a packet.',
          values: {
            ACCEPT: 'Lets it pass.',
            DROP: 'Drops it without an answer.',
            REJECT: 'Refuses it with an answer.',
          },
        }),
      ),
    },
    refine: ruleFaults,
  },
];
