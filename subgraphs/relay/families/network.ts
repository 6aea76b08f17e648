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
const name = required(nameField('Its name; the service allows it twice, the relay does not.'));

export const networkMutations: readonly TypedMutation[] = [
  {
    name: 'networkCreate',
    family,
    summary: 'Makes a network.',
    shareable: true,
    fields: { name },
  },
  {
    name: 'networkSubnetCreate',
    family,
    summary: 'Makes a subnet of a network.',
    fields: {
      name,
      network: required(id('The network')),
      cidr: required(addressBlockField('Its addresses.')),
      gateway: addressField('Its gateway; left out: the first address.'),
      dhcp: booleanField('Whether the service answers DHCP; left out: yes.'),
    },
  },
  {
    name: 'networkPortCreate',
    family,
    summary: 'Makes a port of a network.',
    fields: {
      name,
      network: required(id('The network')),
      subnet: id('The subnet of its address'),
      address: addressField('Its address; left out: a free one. Needs subnet.'),
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
    summary: 'Makes a security group.',
    shareable: true,
    fields: { name },
  },
  {
    name: 'networkSecurityGroupRuleCreate',
    family,
    summary: 'Makes a rule of a security group.',
    fields: {
      securityGroup: required(id('The security group')),
      direction: required(
        enumField('Which packets.', {
          name: 'NetworkDirection',
          description: 'Which way packets go, seen from the port.',
          values: { INGRESS: 'To the port.', EGRESS: 'From the port.' },
        }),
      ),
      protocol: enumField('Left out: any.', {
        name: 'NetworkProtocol',
        description: 'Protocol of a security group rule.',
        values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP, v4 or v6 by the addresses.' },
      }),
      firstPort: portField('The port, or the first of a range; needs TCP or UDP.'),
      lastPort: portField('Last port of a range.'),
      remote: addressBlockField('The other side; left out: anyone.'),
    },
    refine: (input) =>
      input.firstPort !== undefined && input.protocol !== 'TCP' && input.protocol !== 'UDP'
        ? [{ path: ['firstPort'], message: 'firstPort needs the protocol TCP or UDP' }]
        : [],
  },
  {
    name: 'networkRouterCreate',
    family,
    summary: 'Makes a router.',
    fields: { name, externalNetwork: id('The external network it is a gateway to') },
  },
  {
    name: 'networkRouterInterfaceAdd',
    family,
    summary: 'Connects a router with a subnet.',
    fields: { router: required(id('The router')), subnet: required(id('The subnet')) },
  },
  {
    name: 'networkFloatingIpCreate',
    family,
    summary: 'Makes a floating IP.',
    fields: {
      name,
      network: required(id('The external network it is of')),
      port: id('The port it leads to'),
      address: addressField('The address; left out: a free one.'),
    },
  },
];
