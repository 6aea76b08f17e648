// Security groups and their rules. Neutron allows no two equal rules in a group, so a rule is named by its content.

import { canonicalText } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject } from '../driver.ts';
import { given } from '../json.ts';
import type { Kind } from './kind.ts';
import { addressBlock, toCidr, uuid } from './schema.ts';

export const securityGroup: Kind = {
  ...{ resource: 'security-group', prefix: 'securityGroup', one: 'a security group' },
  ...{ path: 'security-groups', collection: 'security_groups', member: 'security_group' },
  key: { by: 'name' },
  properties: {
    stateful: { type: 'boolean', description: 'Whether replies are allowed automatically. Default: true.' },
  },
  lists: {},
  own: ['stateful'],
  required: [],
  changeable: { stateful: { type: 'boolean' } },
  example: { name: 'tenant-42-web' },
  changeExample: { description: 'Web servers' },
  toNative: ({ stateful }) => given({ stateful }),
  values: ({ stateful }) => given({ stateful }),
};

const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const;
const icmp = { type: 'integer', minimum: 0, maximum: 255 } as const;

export const securityGroupRule: Kind = {
  ...{ resource: 'security-group-rule', prefix: 'securityGroupRule', one: 'a rule of a security group' },
  ...{ path: 'security-group-rules', collection: 'security_group_rules', member: 'security_group_rule' },
  scope: { argument: 'securityGroup', attribute: 'security_group_id', schema: uuid('the security group') },
  key: { by: 'settings', argument: 'rule', text: describe },
  properties: {
    direction: { type: 'string', enum: ['ingress', 'egress'] },
    ipVersion: { type: 'integer', enum: [4, 6], description: 'Default: that of remote, else 4.' },
    protocol: { type: 'string', enum: ['tcp', 'udp', 'icmp'], description: 'Default: any.' },
    firstPort: { ...port, description: 'The port, or the first port of a range. Requires tcp or udp.' },
    lastPort: { ...port, description: 'Default: firstPort.' },
    icmpType: icmp,
    icmpCode: icmp,
    remote: { ...addressBlock, description: 'The addresses of the other side. Default: any.' },
    remoteGroup: uuid('the security group of the other side'),
  },
  lists: {},
  // They follow from remote and firstPort.
  own: ['ipVersion', 'lastPort'],
  required: ['direction'],
  changeable: {},
  example: { direction: 'ingress', protocol: 'tcp', firstPort: 443, remote: '192.0.2.0/24' },
  changeExample: {},
  refine: ruleFaults,
  toNative: (args) => {
    const { direction, ipVersion, protocol, firstPort, lastPort, icmpType, icmpCode, remote, remoteGroup } =
      settle(args);
    return given({
      direction,
      ethertype: `IPv${String(ipVersion)}`,
      // Neutron's own name for ICMPv6.
      protocol: protocol === 'icmp' && ipVersion === 6 ? 'ipv6-icmp' : protocol,
      port_range_min: firstPort ?? icmpType,
      port_range_max: lastPort ?? icmpCode,
      remote_ip_prefix: remote === undefined ? undefined : toCidr(String(remote)),
      remote_group_id: remoteGroup,
    });
  },
  values: (native) => {
    const named = native.protocol ?? undefined;
    const protocol = named === 'ipv6-icmp' || named === 'icmpv6' ? 'icmp' : named;
    const [first, last] = [native.port_range_min ?? undefined, native.port_range_max ?? undefined];
    const remote = native.remote_ip_prefix ?? undefined;
    return given({
      direction: native.direction,
      ipVersion: native.ethertype === 'IPv6' ? 6 : 4,
      protocol,
      ...(protocol === 'icmp' ? { icmpType: first, icmpCode: last } : { firstPort: first, lastPort: last }),
      remote: remote === undefined ? undefined : canonicalText(String(remote)),
      remoteGroup: native.remote_group_id ?? undefined,
    });
  },
};

/** Normalises equal rules: all ports means no ports, one port is a range. */
function settle(args: JsonObject): JsonObject {
  const { firstPort, lastPort = firstPort, remote, ipVersion, ...others } = args;
  const all = firstPort === 1 && lastPort === 65_535;
  return given({
    ...others,
    ipVersion: ipVersion ?? (String(remote ?? '').includes(':') ? 6 : 4),
    firstPort: all ? undefined : firstPort,
    lastPort: all ? undefined : lastPort,
    remote: remote === undefined ? undefined : canonicalText(String(remote)),
  });
}

/** For example `ingress IPv4 tcp 443-443 192.0.2.0/24`. */
function describe(args: JsonObject): string {
  const { direction, ipVersion, protocol, firstPort, lastPort, icmpType, icmpCode, remote, remoteGroup } = settle(args);
  const ports = firstPort === undefined ? undefined : `${String(firstPort)}-${String(lastPort)}`;
  const kinds = icmpType === undefined ? undefined : `${String(icmpType)}/${String(icmpCode ?? 'any')}`;
  const words = [
    direction,
    `IPv${String(ipVersion)}`,
    protocol ?? 'any',
    ports ?? kinds ?? 'any',
    remote ?? remoteGroup ?? 'any',
  ];
  return words.join(' ');
}

function ruleFaults(args: JsonObject): readonly ArgumentFault[] {
  const { ipVersion, protocol, firstPort, lastPort, icmpType, icmpCode, remote, remoteGroup } = args;
  const faults: ArgumentFault[] = [];
  const fault = (path: string, message: string) => faults.push({ path: [path], message });
  const hasPorts = protocol === 'tcp' || protocol === 'udp';
  if (firstPort !== undefined && !hasPorts) fault('firstPort', 'requires the protocol tcp or udp');
  if (lastPort !== undefined && firstPort === undefined) fault('lastPort', 'requires firstPort');
  if (Number(lastPort ?? firstPort) < Number(firstPort)) fault('lastPort', 'must not be below firstPort');
  if (icmpType !== undefined && protocol !== 'icmp') fault('icmpType', 'requires the protocol icmp');
  if (icmpCode !== undefined && icmpType === undefined) fault('icmpCode', 'requires icmpType');
  if (remote !== undefined && remoteGroup !== undefined)
    fault('remoteGroup', "can't be combined with remote; give only one of the two");
  if (remote !== undefined && ipVersion !== undefined && String(remote).includes(':') !== (ipVersion === 6))
    fault('ipVersion', 'differs from the IP version of remote');
  return faults;
}
