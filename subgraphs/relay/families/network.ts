// Typed mutations of network services: Neutron's words (OpenStack Networking API v2.0). Objects of the service are named by its
// own ids, which mappings hold in `uuid`.
import {
  addressBlockField,
  addressField,
  booleanField,
  enumField,
  listField,
  nameField,
  portField,
  required,
  textField,
} from './fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'NETWORK';
const id = (what: string) => textField(`${what}, by the service's own id.`, 36, 36);
const name = required(nameField('Its name. The relay requires it to be unique, which the service does not.'));

export const networkMutations: readonly TypedMutation[] = [
  {
    name: 'networkCreate',
    family,
    summary: 'Creates a network.',
    shareable: true,
    fields: { name },
  },
  {
    name: 'networkSubnetCreate',
    family,
    summary: 'Creates a subnet of a network.',
    fields: {
      name,
      network: required(id('The network')),
      cidr: required(addressBlockField('Its block of addresses.')),
      gateway: addressField('Its gateway; left out: the first address.'),
      dhcp: booleanField('Whether the service answers DHCP; left out: yes.'),
    },
  },
  {
    name: 'networkPortCreate',
    family,
    summary: 'Creates a port of a network.',
    fields: {
      name,
      network: required(id('The network')),
      subnet: id('The subnet of its address'),
      address: addressField('Its address; left out: a free one. Requires subnet.'),
      securityGroups: listField(id('A security group'), 'Its security groups, by id.'),
    },
    refine: (input) =>
      input.address !== undefined && input.subnet === undefined
        ? [{ path: ['subnet'], message: 'address needs the subnet that it is of' }]
        : [],
  },
  {
    name: 'networkSecurityGroupCreate',
    family,
    summary: 'Creates a security group.',
    shareable: true,
    fields: { name },
  },
  {
    name: 'networkSecurityGroupRuleCreate',
    family,
    summary: 'Creates a rule of a security group.',
    fields: {
      securityGroup: required(id('The security group')),
      direction: required(
        enumField('The direction of the packets.', {
          name: 'NetworkDirection',
          description: 'The direction of packets, seen from the port.',
          values: { INGRESS: 'To the port.', EGRESS: 'From the port.' },
        }),
      ),
      protocol: enumField('The protocol; left out: any.', {
        name: 'NetworkProtocol',
        description: 'Protocol of a security group rule.',
        values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP or ICMPv6, as the addresses require.' },
      }),
      firstPort: portField('The port, or the first of a range; requires TCP or UDP.'),
      lastPort: portField('Last port of a range.'),
      remote: addressBlockField('The addresses of the other side; left out: any.'),
    },
    refine: (input) =>
      input.firstPort !== undefined && input.protocol !== 'TCP' && input.protocol !== 'UDP'
        ? [{ path: ['firstPort'], message: 'firstPort needs the protocol TCP or UDP' }]
        : [],
  },
  {
    name: 'networkRouterCreate',
    family,
    summary: 'Creates a router.',
    fields: { name, externalNetwork: id('The external network it is a gateway to') },
  },
  {
    name: 'networkRouterInterfaceAdd',
    family,
    summary: 'Connects a router to a subnet.',
    fields: { router: required(id('The router')), subnet: required(id('The subnet')) },
  },
  {
    name: 'networkFloatingIpCreate',
    family,
    summary: 'Creates a floating IP.',
    fields: {
      name,
      network: required(id('The external network it is of')),
      port: id('The port it leads to'),
      address: addressField('The address; left out: a free one.'),
    },
  },
];
