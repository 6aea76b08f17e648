// Virtual IPs: destination NAT, of an address or of its ports. FortiOS CLI reference, firewall vip.

import { isBelow } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject, JsonValue } from '../driver.ts';
import { given } from '../json.ts';
import { ipv4Faults } from './addresses-text.ts';
import type { Kind } from './kind.ts';
import { fromMembers, toMembers } from './members.ts';
import { nameOf } from './schema.ts';

const address = { type: 'string', format: 'address', maxLength: 45 } as const;
const port = { type: 'integer', minimum: 1, maximum: 65_535 } as const;

function faults(args: JsonObject): readonly ArgumentFault[] {
  const addresses = ['externalAddress', 'lastExternalAddress', 'mappedAddress', 'lastMappedAddress'];
  const found = ipv4Faults(args, ...addresses);
  const needs = (name: string, first: string): boolean => {
    const isLonely = args[name] !== undefined && args[first] === undefined;
    if (isLonely) found.push({ path: [name], message: `requires ${first}` });
    return args[name] !== undefined && !isLonely;
  };
  for (const side of ['ExternalAddress', 'MappedAddress']) {
    const first = side.charAt(0).toLowerCase() + side.slice(1);
    if (needs(`last${side}`, first) && !isBelow(String(args[first]), String(args[`last${side}`]))) {
      found.push({ path: [`last${side}`], message: `must be above ${first}` });
    }
  }
  for (const side of ['ExternalPort', 'MappedPort']) {
    const first = side.charAt(0).toLowerCase() + side.slice(1);
    if (needs(`last${side}`, first) && Number(args[`last${side}`]) <= Number(args[first])) {
      found.push({ path: [`last${side}`], message: `must be above ${first}` });
    }
  }
  const forwarding = ['protocol', 'externalPort', 'mappedPort'].filter((name) => args[name] !== undefined);
  if (forwarding.length === 1 || forwarding.length === 2) {
    found.push({
      path: [forwarding[0] ?? ''],
      message: 'give protocol, externalPort and mappedPort together, or none of them',
    });
  }
  return found;
}

function range(first: JsonValue | undefined, last: JsonValue | undefined): string | undefined {
  if (first === undefined || first === null) return undefined;
  return last === undefined || last === null ? String(first) : `${String(first)}-${String(last)}`;
}

/** A new first address without a last one ends an existing range: the last is null then. */
function settle(args: JsonObject): JsonObject {
  const { interface: on, natSourceVip, portMapping, protocol } = args;
  const pair = (first: string, last: string) =>
    args[first] === undefined ? {} : { [first]: args[first], [last]: args[last] ?? null };
  return given({
    ...pair('externalAddress', 'lastExternalAddress'),
    ...pair('mappedAddress', 'lastMappedAddress'),
    ...{ interface: on, natSourceVip, portMapping, protocol },
    ...pair('externalPort', 'lastExternalPort'),
    ...pair('mappedPort', 'lastMappedPort'),
  });
}

function toDevice(args: JsonObject): JsonObject {
  const { protocol, natSourceVip, portMapping } = args;
  const mapped = range(args.mappedAddress, args.lastMappedAddress);
  return given({
    extip: range(args.externalAddress, args.lastExternalAddress),
    mappedip: toMembers(mapped === undefined ? undefined : [mapped], 'range'),
    extintf: args.interface,
    ...(protocol === undefined ? {} : { portforward: 'enable', protocol: String(protocol).toLowerCase() }),
    extport: range(args.externalPort, args.lastExternalPort),
    mappedport: range(args.mappedPort, args.lastMappedPort),
    ...(natSourceVip === undefined ? {} : { 'nat-source-vip': natSourceVip === true ? 'enable' : 'disable' }),
    ...(portMapping === undefined ? {} : { 'portmapping-type': portMapping }),
  });
}

function values(entry: JsonObject): JsonObject {
  const [mapped] = fromMembers(entry.mappedip, 'range');
  const [externalAddress, lastExternalAddress] = parts(entry.extip);
  const [mappedAddress, lastMappedAddress] = parts(mapped);
  const ports = entry.portforward === 'enable' ? portValues(parts(entry.extport), parts(entry.mappedport)) : {};
  return given({
    ...{ externalAddress, lastExternalAddress, mappedAddress, lastMappedAddress },
    interface: entry.extintf,
    ...(entry.portforward === 'enable' ? { protocol: String(entry.protocol).toUpperCase(), ...ports } : {}),
    natSourceVip: entry['nat-source-vip'] === 'enable',
    portMapping: entry['portmapping-type'],
  });
}

type Ends = readonly [first: string | undefined, last: string | undefined];

/** `a-b`; the last is undefined if it is not a range. */
function parts(text: JsonValue | undefined): Ends {
  const [first, last] = String(text ?? '').split('-');
  return [first === '' ? undefined : first, last === first ? undefined : last];
}

function portValues([external, lastExternal]: Ends, [mapped, lastMapped]: Ends): JsonObject {
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  return given({
    externalPort: number(external),
    lastExternalPort: number(lastExternal),
    mappedPort: number(mapped),
    lastMappedPort: number(lastMapped),
  });
}

export const vip: Kind = {
  resource: 'vip',
  prefix: 'vip',
  one: 'a virtual IP',
  many: 'virtual IPs',
  listKey: 'vips',
  table: 'firewall/vip',
  nameMax: 79,
  comment: 'comment',
  properties: {
    externalAddress: { ...address, description: 'The address that clients use.' },
    lastExternalAddress: { ...address, description: 'The last address of a range.' },
    mappedAddress: { ...address, description: 'The address to which packets are forwarded.' },
    lastMappedAddress: { ...address, description: 'The last address of a range.' },
    interface: nameOf(35, 'The interface on which it receives packets, or any.'),
    protocol: { type: 'string', enum: ['TCP', 'UDP', 'SCTP'] },
    externalPort: port,
    lastExternalPort: port,
    mappedPort: port,
    lastMappedPort: port,
    natSourceVip: {
      type: 'boolean',
      description: 'Whether traffic from the server gets the external address as its source address.',
    },
    portMapping: { type: 'string', enum: ['1-to-1', 'm-to-n'] },
  },
  lists: {},
  own: ['interface', 'natSourceVip', 'portMapping'],
  required: ['externalAddress', 'mappedAddress'],
  example: { name: 'shop', externalAddress: '203.0.113.10', mappedAddress: '10.0.0.10' },
  reads: [
    ...['uuid', 'extip', 'mappedip', 'extintf', 'portforward', 'protocol', 'extport', 'mappedport'],
    ...['nat-source-vip', 'portmapping-type'],
  ],
  refine: faults,
  settle,
  toDevice,
  values,
};
