// Whom an address stands for when attempts are counted: one IPv4 address, or an IPv6 /64, which is what one customer gets
// and may take any address of.
import { isIPv6 } from 'node:net';

/** The key to count a client's attempts by. */
export function clientNetwork(address: string | undefined): string {
  if (address === undefined) return 'unknown';
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const plain = address.split('%')[0] ?? '';
  return isIPv6(plain) ? `${firstGroups(plain).join(':')}::/64` : address;
}

/** The first four of an address's eight groups, without leading zeros. */
function firstGroups(address: string): readonly string[] {
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return [...front, ...zeros, ...back].slice(0, 4).map((group) => Number.parseInt(group, 16).toString(16));
}
