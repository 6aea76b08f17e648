// Services: protocols and ports with a name. FortiOS CLI reference, firewall service custom; a port range is
// `destination[:source]`, and several are separated by blanks.

import type { ArgumentFault, JsonObject, JsonValue, RenderContext } from '../driver.ts';
import { given } from '../json.ts';
import type { Kind } from './kind.ts';
import { sorted } from './members.ts';
import { nameOf } from './schema.ts';
import { isAtLeast } from './version.ts';

const portWords = [
  ['tcpPorts', 'tcp-portrange'],
  ['udpPorts', 'udp-portrange'],
  ['sctpPorts', 'sctp-portrange'],
] as const;

const ports = (protocol: string): JsonObject => ({
  type: 'array',
  items: {
    type: 'string',
    maxLength: 23,
    pattern: '^[0-9]{1,5}(-[0-9]{1,5})?(:[0-9]{1,5}(-[0-9]{1,5})?)?$',
    description: 'A port or a range, and after a colon that of the source: 443, 1024-2048, 80:1024-65535.',
  },
  minItems: 1,
  maxItems: 32,
  uniqueItems: true,
  description: `${protocol} ports: DESTINATION or DESTINATION:SOURCE, each a port or a range, for example 1024-2048.`,
});

function faults(args: JsonObject, isCreate: boolean): readonly ArgumentFault[] {
  const found: ArgumentFault[] = [];
  for (const [name] of portWords) {
    for (const [index, range] of listOf(args[name]).entries()) {
      if (!isPortRange(range))
        found.push({
          path: [name, String(index)],
          message: 'must be ports from 1 to 65535, with ranges in ascending order',
        });
    }
  }
  const hasPorts = portWords.some(([name]) => args[name] !== undefined);
  const chosen = [hasPorts, args.icmpType !== undefined, args.protocolNumber !== undefined].filter(Boolean).length;
  if (chosen > 1 || (chosen === 0 && isCreate)) {
    found.push({ path: [], message: 'give exactly one of ports, icmpType and protocolNumber' });
  }
  if (args.icmpCode !== undefined && args.icmpType === undefined) {
    found.push({ path: ['icmpCode'], message: 'requires icmpType' });
  }
  return found;
}

function isPortRange(range: string): boolean {
  return range.split(':').every((part) => {
    const [first = 0, last = first] = part.split('-').map(Number);
    return first >= 1 && first <= last && last <= 65_535;
  });
}

/** FortiOS writes `443-443` as `443`. */
function canonicalRange(range: string): string {
  return range
    .split(':')
    .map((part) => {
      const [first = 0, last = first] = part.split('-').map(Number);
      return first === last ? String(first) : `${first}-${last}`;
    })
    .join(':');
}

function settle(args: JsonObject): JsonObject {
  const { category, icmpType, icmpCode, protocolNumber } = args;
  const lists = portWords.map(([name]) => {
    const value = args[name];
    return [name, value === undefined ? undefined : sorted(listOf(value).map(canonicalRange))] as const;
  });
  return given({ category, icmpType, icmpCode, protocolNumber, ...Object.fromEntries(lists) });
}

/**
 * The protocol of services with ports, which is also the default: from 7.6 on with UDP-Lite (fortios_firewall_service_custom of
 * Fortinet's Ansible collection and Terraform provider, by version).
 */
function portProtocol({ backend }: RenderContext): string {
  return isAtLeast(backend.softwareVersion, 7, 6, 0) === true ? 'TCP/UDP/UDP-Lite/SCTP' : 'TCP/UDP/SCTP';
}

function toDevice(args: JsonObject, context: RenderContext, isCreate: boolean): JsonObject {
  const { category, icmpType, icmpCode, protocolNumber } = args;
  const ranges = portWords
    .filter(([name]) => args[name] !== undefined)
    .map(([name, attribute]) => [attribute, listOf(args[name]).join(' ')]);
  const protocol =
    ranges.length > 0
      ? isCreate
        ? undefined
        : portProtocol(context)
      : icmpType !== undefined
        ? 'ICMP'
        : protocolNumber !== undefined
          ? 'IP'
          : undefined;
  const numbers = { icmptype: icmpType, icmpcode: icmpCode, 'protocol-number': protocolNumber };
  return given({ category, protocol, ...Object.fromEntries(ranges), ...numbers });
}

function values(entry: JsonObject): JsonObject {
  const category = { category: entry.category ?? '' };
  switch (entry.protocol) {
    case 'ICMP':
      return { ...category, icmpType: entry.icmptype, icmpCode: entry.icmpcode };
    case 'IP':
      return { ...category, protocolNumber: entry['protocol-number'] };
    // Releases with UDP-Lite include it in the name.
    case 'TCP/UDP/SCTP':
    case 'TCP/UDP/UDP-Lite/SCTP': {
      const lists = portWords.map(([name, attribute]) => {
        const ranges = String(entry[attribute] ?? '').split(' ');
        return [name, sorted(ranges.filter((range) => range !== '').map(canonicalRange))] as const;
      });
      return { ...category, ...Object.fromEntries(lists.filter(([, list]) => list.length > 0)) };
    }
    default:
      return { ...category, protocol: entry.protocol };
  }
}

function listOf(value: JsonValue | undefined): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}

export const service: Kind = {
  resource: 'service',
  prefix: 'service',
  one: 'a service',
  many: 'services',
  listKey: 'services',
  table: 'firewall.service/custom',
  nameMax: 79,
  comment: 'comment',
  properties: {
    category: nameOf(63, 'The name of an existing service category.'),
    tcpPorts: ports('TCP'),
    udpPorts: ports('UDP'),
    sctpPorts: ports('SCTP'),
    icmpType: { type: 'integer', minimum: 0, maximum: 255 },
    icmpCode: { type: 'integer', minimum: 0, maximum: 255 },
    protocolNumber: {
      type: 'integer',
      minimum: 0,
      maximum: 254,
      description: 'The number of an IP protocol; 0 for any.',
    },
  },
  lists: { tcpPorts: 'SET', udpPorts: 'SET', sctpPorts: 'SET' },
  own: ['category', 'icmpCode'],
  required: [],
  example: { name: 'shop', tcpPorts: ['443', '8443-8444'] },
  reads: [
    'category',
    'protocol',
    'icmptype',
    'icmpcode',
    'protocol-number',
    ...portWords.map(([, attribute]) => attribute),
  ],
  refine: faults,
  settle,
  toDevice,
  values,
};
