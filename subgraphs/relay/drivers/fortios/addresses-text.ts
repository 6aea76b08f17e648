// IPv4 addresses, blocks and ranges between the words of arguments and those of FortiOS.

import { isIPv4 } from 'node:net';
import { canonicalAddressBlock } from '../../../../platform/graph/scalars.ts';
import type { ArgumentFault, JsonObject } from '../driver.ts';

/** `10.0.0.0/8` to `10.0.0.0 255.0.0.0`; the schema and `ipv4Faults` have let nothing else in. */
export function toSubnet(block: string): string {
  const [address = '', length = '32'] = block.split('/');
  const bits = 2 ** 32 - 2 ** (32 - Number(length));
  const mask = [24, 16, 8, 0].map((shift) => Math.floor(bits / 2 ** shift) % 256);
  return `${address} ${mask.join('.')}`;
}

/** Undefined when it is no block. */
export function fromSubnet(subnet: unknown): string | undefined {
  const [address = '', mask = ''] = typeof subnet === 'string' ? subnet.split(' ') : [];
  if (!isIPv4(address) || !isIPv4(mask)) return undefined;
  const bits = mask.split('.').map((part) => Number(part).toString(2).padStart(8, '0'));
  const length = bits.join('').indexOf('0');
  if (length >= 0 && bits.join('').includes('1', length)) return undefined;
  return canonicalAddressBlock(`${address}/${length < 0 ? 32 : length}`);
}

/** One text for one block. */
export function canonicalBlock(text: string): string {
  return canonicalAddressBlock(text) ?? text;
}

/** IPv6 has tables of its own on a FortiGate (address6, policy6), which are not offered. */
export function ipv4Faults(args: JsonObject, ...names: readonly string[]): ArgumentFault[] {
  return names
    .filter((name) => args[name] !== undefined && !isIPv4(String(args[name]).split('/')[0] ?? ''))
    .map((name) => ({ path: [name], message: 'must be IPv4' }));
}

export function isBefore(first: string, last: string): boolean {
  const number = (address: string) => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return number(first) < number(last);
}
