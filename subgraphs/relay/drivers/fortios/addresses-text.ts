// IPv4 addresses, blocks and ranges, between the arguments' form and FortiOS's.

import { isIPv4 } from 'node:net';
import { canonicalAddressBlock, maskOf, prefixOf } from '../../../../platform/net/address-block.ts';
import type { ArgumentFault, JsonObject } from '../driver.ts';

/** `10.0.0.0/8` to `10.0.0.0 255.0.0.0`; the schema and `ipv4Faults` have validated it. */
export function toSubnet(block: string): string {
  const [address = '', length = '32'] = block.split('/');
  return `${address} ${maskOf(Number(length))}`;
}

/** Undefined when it is not a block. */
export function fromSubnet(subnet: unknown): string | undefined {
  const [address = '', mask = ''] = typeof subnet === 'string' ? subnet.split(' ') : [];
  const prefix = prefixOf(mask);
  return prefix === undefined || !isIPv4(address) ? undefined : canonicalAddressBlock(`${address}/${prefix}`);
}

/** On a FortiGate IPv6 has separate tables (address6, policy6), which are not supported. */
export function ipv4Faults(args: JsonObject, ...names: readonly string[]): ArgumentFault[] {
  return names
    .filter((name) => args[name] !== undefined && !isIPv4(String(args[name]).split('/')[0] ?? ''))
    .map((name) => ({ path: [name], message: 'must be an IPv4 address' }));
}
