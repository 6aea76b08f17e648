// Typed mutations of network services, in Neutron's terms (OpenStack Networking API v2.0). The service identifies objects by its
// own ids, which mappings hold in `uuid`.
import {
  addressBlockField,
  addressField,
  booleanField,
  cidrBlockField,
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
    summary: 'Creates a network of a network service.',
    shareable: true,
    makes: { type: 'Network', description: 'A network of a network service, as it is wanted.' },
    fields: { name },
  },
  {
    name: 'networkSubnetCreate',
    family,
    summary: 'Creates a subnet of a network.',
    makes: { type: 'NetworkSubnet', description: 'A subnet of a network, as it is wanted.' },
    fields: {
      name,
      network: required(id('the network')),
      cidr: required(cidrBlockField('The block from which its addresses come.')),
      gateway: addressField('Its gateway. Default: the first address.'),
      dhcp: { ...booleanField('Whether the service answers DHCP.'), default: true },
    },
  },
  {
    name: 'networkPortCreate',
    family,
    summary: 'Creates a port of a network.',
    makes: { type: 'NetworkPort', description: 'A port of a network, as it is wanted.' },
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
    makes: { type: 'NetworkSecurityGroup', description: 'A security group of a network service, as it is wanted.' },
    fields: { name },
  },
  {
    name: 'networkSecurityGroupRuleCreate',
    family,
    summary: 'Creates a rule of a security group.',
    makes: { type: 'NetworkSecurityGroupRule', description: 'A rule of a security group, as it is wanted.' },
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
    summary: 'Creates a router of a network service.',
    makes: { type: 'NetworkRouter', description: 'A router of a network service, as it is wanted.' },
    fields: { name, externalNetwork: id('the external network of its gateway') },
  },
  {
    name: 'networkRouterInterfaceAdd',
    family,
    summary: 'Connects a router to a subnet.',
    makes: { type: 'NetworkRouterInterface', description: 'An interface of a router in a subnet, as it is wanted.' },
    fields: { router: required(id('the router')), subnet: required(id('the subnet')) },
  },
  {
    name: 'networkFloatingIpCreate',
    family,
    summary: 'Creates a floating IP.',
    makes: { type: 'NetworkFloatingIp', description: 'A floating IP of a network service, as it is wanted.' },
    fields: {
      name,
      network: required(id('the external network of the address')),
      port: id('the port to which it forwards'),
      address: addressField('The address. Default: a free one.'),
    },
  },
];
