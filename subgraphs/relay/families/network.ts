// Typed mutations of network services, in Neutron's terms (OpenStack Networking API v2.0). The service identifies objects by its
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
} from '../../../platform/graph/fields.ts';
import type { TypedMutation } from './typed-mutation.ts';

const family = 'NETWORK';
const id = (what: string) => textField(`The id of ${what} in the service.`, 36, 36);
const name = required(nameField('Its name. The relay requires it to be unique; the service itself does not.'));

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
      network: required(id('the network')),
      cidr: required(addressBlockField('Its address block.')),
      gateway: addressField('Its gateway. Default: the first address.'),
      dhcp: booleanField('Whether the service answers DHCP. Default: true.'),
    },
  },
  {
    name: 'networkPortCreate',
    family,
    summary: 'Creates a port of a network.',
    fields: {
      name,
      network: required(id('the network')),
      subnet: id('the subnet of its address'),
      address: addressField('Its address. Default: a free one. Requires subnet.'),
      securityGroups: listField(id('a security group'), 'The ids of its security groups in the service.'),
    },
    refine: (input) =>
      input.address !== undefined && input.subnet === undefined
        ? [{ path: ['subnet'], message: 'address requires subnet, the subnet of the address' }]
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
      securityGroup: required(id('the security group')),
      direction: required(
        enumField('The direction of the packets.', {
          name: 'NetworkDirection',
          description: 'The direction of packets, as seen from the port.',
          values: { INGRESS: 'To the port.', EGRESS: 'From the port.' },
        }),
      ),
      protocol: enumField('The protocol. Default: any.', {
        name: 'NetworkProtocol',
        description: 'The protocol of a security group rule.',
        values: { TCP: 'TCP.', UDP: 'UDP.', ICMP: 'ICMP or ICMPv6, as the addresses require.' },
      }),
      firstPort: portField('The port, or the first port of a range. Requires TCP or UDP.'),
      lastPort: portField('The last port of a range.'),
      remote: addressBlockField('The addresses of the other side. Default: any.'),
    },
    refine: (input) =>
      input.firstPort !== undefined && input.protocol !== 'TCP' && input.protocol !== 'UDP'
        ? [{ path: ['firstPort'], message: 'firstPort requires the protocol TCP or UDP' }]
        : [],
  },
  {
    name: 'networkRouterCreate',
    family,
    summary: 'Creates a router.',
    fields: { name, externalNetwork: id('the external network of its gateway') },
  },
  {
    name: 'networkRouterInterfaceAdd',
    family,
    summary: 'Connects a router to a subnet.',
    fields: { router: required(id('the router')), subnet: required(id('the subnet')) },
  },
  {
    name: 'networkFloatingIpCreate',
    family,
    summary: 'Creates a floating IP.',
    fields: {
      name,
      network: required(id('the external network of the address')),
      port: id('the port to which it forwards'),
      address: addressField('The address. Default: a free one.'),
    },
  },
];
