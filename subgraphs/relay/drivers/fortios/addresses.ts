// Named addresses: a block, a range, a host name, or a pattern of either. FortiOS CLI reference, firewall address.

import { isIPv4 } from 'node:net';
import { canonicalText, isBelow } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject, RenderContext } from '../driver.ts';
import { given } from '../json.ts';
import { fromSubnet, ipv4Faults, toSubnet } from './addresses-text.ts';
import type { Kind } from './kind.ts';
import { nameOf } from './schema.ts';
import { isAtLeast } from './version.ts';

const contents = ['address', 'fqdn', 'firstAddress', 'wildcard', 'wildcardFqdn'] as const;
const ownWords = [...contents, 'lastAddress'] as const;

function faults(args: JsonObject, isCreate: boolean): readonly ArgumentFault[] {
  const found = ipv4Faults(args, 'address', 'firstAddress', 'lastAddress');
  const chosen = contents.filter((name) => args[name] !== undefined);
  if (chosen.length > 1 || (chosen.length === 0 && isCreate)) {
    found.push({ path: [chosen[1] ?? 'address'], message: `give exactly one of ${contents.join(', ')}` });
  }
  if ((args.firstAddress === undefined) !== (args.lastAddress === undefined)) {
    found.push({ path: ['lastAddress'], message: 'a range requires both firstAddress and lastAddress' });
  } else if (args.firstAddress !== undefined && found.length === 0) {
    const [first, last] = [String(args.firstAddress), String(args.lastAddress)];
    if (!isBelow(first, last)) found.push({ path: ['lastAddress'], message: 'must be above firstAddress' });
  }
  if (
    args.wildcard !== undefined &&
    !String(args.wildcard)
      .split(' ')
      .every((part) => isIPv4(part))
  ) {
    found.push({ path: ['wildcard'], message: 'must be an IPv4 address and a mask, for example 10.0.0.1 255.0.0.255' });
  }
  return found;
}

/** New content replaces the previous one: its arguments are null then. */
function settle(args: JsonObject): JsonObject {
  const { interface: onInterface } = args;
  if (contents.every((name) => args[name] === undefined)) return given({ interface: onInterface });
  const words = ownWords.map((name) => {
    const value = args[name];
    return [name, name === 'address' && value !== undefined ? canonicalText(String(value)) : (value ?? null)] as const;
  });
  return { ...Object.fromEntries(words), ...given({ interface: onInterface }) };
}

function toDevice(args: JsonObject, { backend }: RenderContext): JsonObject {
  const { address, fqdn, firstAddress, lastAddress, wildcard, wildcardFqdn } = args;
  const others = given({ 'associated-interface': args.interface });
  const is = (value: unknown) => value !== undefined && value !== null;
  if (is(address)) return { type: 'ipmask', subnet: toSubnet(String(address)), ...others };
  if (is(firstAddress)) return given({ type: 'iprange', 'start-ip': firstAddress, 'end-ip': lastAddress, ...others });
  if (is(wildcard)) return given({ type: 'wildcard', wildcard, ...others });
  if (is(fqdn)) return given({ type: 'fqdn', fqdn, ...others });
  if (!is(wildcardFqdn)) return others;
  // From 6.2 on a wildcard is a name like any other.
  if (isAtLeast(backend.softwareVersion, 6, 2, 0) === false) {
    return given({ type: 'wildcard-fqdn', 'wildcard-fqdn': wildcardFqdn, ...others });
  }
  return given({ type: 'fqdn', fqdn: wildcardFqdn, ...others });
}

/** Attributes of other types are left out: FortiOS shows meaningless values there. */
function values(entry: JsonObject): JsonObject {
  const onInterface = { interface: entry['associated-interface'] ?? '' };
  switch (entry.type) {
    case 'ipmask':
      return { address: fromSubnet(entry.subnet) ?? entry.subnet, ...onInterface };
    case 'iprange':
      return { firstAddress: entry['start-ip'], lastAddress: entry['end-ip'], ...onInterface };
    case 'wildcard':
      return { wildcard: entry.wildcard, ...onInterface };
    case 'wildcard-fqdn':
      return { wildcardFqdn: entry['wildcard-fqdn'], ...onInterface };
    case 'fqdn':
      return String(entry.fqdn).startsWith('*')
        ? { wildcardFqdn: entry.fqdn, ...onInterface }
        : { fqdn: entry.fqdn, ...onInterface };
    default:
      return { type: entry.type, ...onInterface };
  }
}

const hostName = '(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\\.)*[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\\.?';

export const address: Kind = {
  resource: 'address',
  prefix: 'address',
  one: 'a named address',
  many: 'named addresses',
  listKey: 'addresses',
  table: 'firewall/address',
  nameMax: 79,
  comment: 'comment',
  properties: {
    address: { type: 'string', format: 'address-block', maxLength: 49, description: 'An IPv4 address or block.' },
    fqdn: {
      type: 'string',
      maxLength: 253,
      pattern: `^${hostName}$`,
      description: 'A host name, which the device resolves.',
    },
    firstAddress: { type: 'string', format: 'address', maxLength: 45, description: 'The first address of a range.' },
    lastAddress: { type: 'string', format: 'address', maxLength: 45, description: 'The last address of a range.' },
    wildcard: {
      type: 'string',
      maxLength: 31,
      pattern: '^[0-9.]+ [0-9.]+$',
      description: 'An address and a mask of the bits to compare, for example 10.0.0.1 255.0.0.255.',
    },
    wildcardFqdn: {
      type: 'string',
      maxLength: 253,
      pattern: `^\\*\\.${hostName}$`,
      description: 'All names below a domain, for example *.example.com.',
    },
    interface: { ...nameOf(35, 'The interface or zone to which it belongs.') },
  },
  lists: {},
  own: ['interface'],
  required: [],
  example: { name: 'web', address: '192.0.2.80' },
  reads: ['uuid', 'type', 'subnet', 'start-ip', 'end-ip', 'fqdn', 'wildcard', 'wildcard-fqdn', 'associated-interface'],
  refine: faults,
  settle,
  toDevice,
  values,
};
