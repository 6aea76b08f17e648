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
  'Where on the firewall: a VDOM, or a table such as "inet filter"; left out: its usual one.',
  63,
  1,
);
const comment = textField('Free text kept beside it, as far as the device keeps one.', 88);

const protocol = {
  name: 'FirewallProtocol',
  description: 'Transport protocol of a rule.',
  values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP (v4) or ICMPv6, by the addresses.' },
} as const;
const portProtocol = {
  name: 'FirewallPortProtocol',
  description: 'Transport protocol with ports.',
  values: { TCP: 'TCP.', UDP: 'UDP.' },
} as const;

const peer = {
  name: 'FirewallPeerInput',
  description: 'One side of a rule: at most one of address and set.',
  fields: {
    address: addressBlockField('An address or block.'),
    set: nameField('Name of an address, address group or address set of the firewall.'),
    setIpVersion: integerField(
      "IP version of the set's addresses, 4 or 6; left out: as the other side's address, else 4.",
      4,
      6,
    ),
  },
} as const;

const addressContent = {
  address: addressBlockField('An address or block; or else fqdn, or a range.'),
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
    summary: 'Makes a named address on a firewall, for rules to refer to.',
    shareable: true,
    fields: { name: required(nameField('Its name on the firewall.')), scope, ...addressContent, comment },
    refine: addressFaults,
  },
  {
    name: 'firewallAddressUpdate',
    family,
    summary: "Gives a firewall's named address another content.",
    fields: { name: required(nameField('Its name on the firewall.')), scope, ...addressContent, comment },
    refine: addressFaults,
  },
  {
    name: 'firewallAddressGroupCreate',
    family,
    summary: 'Makes a group of named addresses on a firewall.',
    shareable: true,
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      members: required(listField(nameField('Names of addresses.'), 'Names of addresses that are there.')),
      comment,
    },
  },
  {
    name: 'firewallAddressGroupUpdate',
    family,
    summary: 'Gives a group of named addresses other members.',
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      members: required(listField(nameField('Names of addresses.'), 'All its members from now on.')),
      comment,
    },
  },
  {
    name: 'firewallServiceCreate',
    family,
    summary: 'Makes a named service (protocol and ports) on a firewall.',
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
    summary: 'Makes a virtual IP (destination NAT) on a firewall.',
    fields: {
      name: required(nameField('Its name on the firewall.')),
      scope,
      externalAddress: required(addressField('The address that clients use.')),
      mappedAddress: required(addressField('The address that packets go on to.')),
      interface: nameField('The interface it listens on; left out: any.'),
      protocol: enumField('With ports: their protocol.', portProtocol),
      externalPort: portField('Only this port; needs protocol and mappedPort.'),
      mappedPort: portField('The port that packets go on to.'),
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
        'Free text kept beside the element, at most 88 bytes of printable characters without double quotes.',
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
    summary: 'Makes a firewall rule (policy), after those that are there.',
    fields: {
      name: required(
        nameField("The rule's name, unique where it is: 1 to 63 letters, digits, dot, hyphen, underscore."),
      ),
      scope,
      chain: nameField('Packet filters: the chain; left out: forward.'),
      ingressInterface: nameField('Where packets come in; left out: anywhere.'),
      egressInterface: nameField('Where packets go out; left out: anywhere.'),
      source: inputField('Where packets come from; left out: anywhere.', peer),
      destination: inputField('Where packets go to; left out: anywhere.', peer),
      protocol: enumField('Left out: any.', protocol),
      destinationPort: portField('Destination port; needs TCP or UDP.'),
      service: nameField('Name of a service of the firewall, instead of protocol and port.'),
      action: required(
        enumField('What to do.', {
          name: 'FirewallAction',
          description: 'What a firewall rule does with a packet.',
          values: {
            ACCEPT: 'Lets it pass.',
            DROP: 'Drops it without a word.',
            REJECT: 'Refuses it with an answer.',
          },
        }),
      ),
    },
    refine: ruleFaults,
  },
];
