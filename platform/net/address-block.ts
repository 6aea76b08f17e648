// Reads addresses, blocks and ranges, with ipaddr.js. That accepts `127.1`, `0x7f.1` and `010.0.0.1` as addresses, like
// inet_aton, so net.isIP checks first. Canonical text is Node's (IPv6 as in RFC 5952).
import { isIP, SocketAddress } from 'node:net';
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** Undefined if the text is not an address. One with a zone (`fe80::1%eth0`) is not accepted. */
function parseAddress(text: string): Address | undefined {
  return isIP(text) === 0 || text.includes('%') ? undefined : ipaddr.parse(text);
}

interface Block {
  readonly address: Address;
  readonly prefix: number;
}

const blockPattern = /^([0-9a-f.:]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/i;

/** An address is a block of one address. Undefined if the text is not a block, or its host bits are not zero. */
function parseBlock(text: string): Block | undefined {
  const [, host = '', length] = blockPattern.exec(text) ?? [];
  const address = parseAddress(host);
  if (address === undefined) return undefined;
  const width = widthOf(address);
  const prefix = length === undefined ? width : Number(length);
  return prefix <= width && isZeroFrom(address, prefix) ? { address, prefix } : undefined;
}

function widthOf(address: Address): number {
  return address.kind() === 'ipv4' ? 32 : 128;
}

function isZeroFrom(address: Address, prefix: number): boolean {
  return address.toByteArray().every((byte, index) => {
    const kept = Math.min(Math.max(prefix - index * 8, 0), 8);
    return (byte & (0xff >> kept)) === 0;
  });
}

/**
 * The canonical text of an address or CIDR block (a block of one address becomes that address); undefined when it is neither, or
 * when its host bits are not zero.
 */
export function canonicalAddressBlock(text: string): string | undefined {
  const block = parseBlock(text);
  if (block === undefined) return undefined;
  const [host = ''] = text.split('/');
  const { address } = new SocketAddress({ address: host, family: block.address.kind(), port: 1 });
  return block.prefix === widthOf(block.address) ? address : `${address}/${block.prefix}`;
}

/** The canonical text of a CIDR block, always with its prefix length. Undefined if it is none, or its host bits are not zero. */
export function canonicalCidrBlock(text: string): string | undefined {
  const canonical = text.includes('/') ? canonicalAddressBlock(text) : undefined;
  return canonical === undefined || canonical.includes('/')
    ? canonical
    : `${canonical}/${isIP(canonical) === 4 ? 32 : 128}`;
}

/** The canonical text of an address, without a prefix length. Undefined if it is none. */
export function canonicalAddress(text: string): string | undefined {
  return text.includes('/') ? undefined : canonicalAddressBlock(text);
}

/** Returns the canonical text of an address or block. Other text is returned as it is. */
export function canonicalText(text: string): string {
  return canonicalAddressBlock(text) ?? text;
}

/** An address's bytes: 4 or 16. Undefined if the text is not an address. An address with a zone does not count as one. */
export function addressBytes(text: string): readonly number[] | undefined {
  return parseAddress(text)?.toByteArray();
}

/** A block's first address and its prefix length. Undefined like for `canonicalAddressBlock`. */
export function blockBytes(text: string): { readonly bytes: readonly number[]; readonly prefix: number } | undefined {
  const block = parseBlock(text);
  return block && { bytes: block.address.toByteArray(), prefix: block.prefix };
}

/** Whether an address is in a block (or equals that address). False when either is invalid. */
export function isInBlock(address: string, block: string): boolean {
  const [inner, outer] = [parseAddress(address), parseBlock(block)];
  if (inner === undefined || outer === undefined || inner.kind() !== outer.address.kind()) return false;
  return inner.match(outer.address as never, outer.prefix);
}

/** The addresses that two blocks have in common, which is the smaller block. Undefined if there are none, or if either is not a block. */
export function commonBlock(one: string, other: string): string | undefined {
  const [small, large] = [one, other].sort((a, b) => (blockBytes(b)?.prefix ?? 0) - (blockBytes(a)?.prefix ?? 0));
  const [first = ''] = small?.split('/') ?? [];
  return isInBlock(first, large ?? '') ? small : undefined;
}

/** Whether an address is in a range, both ends included. False if any argument is invalid. */
export function isInRange(address: string, first: string, last: string): boolean {
  return isUpTo(first, address) && isUpTo(address, last);
}

/** Whether the one address is not above the other, both of one version. */
function isUpTo(one: string, other: string): boolean {
  const [low, high] = [parseAddress(one), parseAddress(other)];
  if (low === undefined || high === undefined || low.kind() !== high.kind()) return false;
  return Buffer.compare(Buffer.from(low.toByteArray()), Buffer.from(high.toByteArray())) <= 0;
}

/** Whether the one address is below the other, both of one version. */
export function isBelow(one: string, other: string): boolean {
  return isUpTo(one, other) && !isUpTo(other, one);
}

/** `24` to `255.255.255.0`. */
export function maskOf(prefix: number): string {
  return ipaddr.IPv4.subnetMaskFromPrefixLength(prefix).toString();
}

/** Converts `255.255.255.0` to `24`. Undefined if the text is not a mask. */
export function prefixOf(mask: string): number | undefined {
  const address = parseAddress(mask);
  return address?.kind() === 'ipv4' ? (address.prefixLengthFromSubnetMask() ?? undefined) : undefined;
}

/**
 * The unit by which attempts from an address are counted: one IPv4 address, or an IPv6 /64, of which one customer may use any
 * address.
 */
export function clientNetwork(text: string | undefined): string {
  const address = parseAddress(text?.split('%')[0] ?? '');
  if (address === undefined) return text ?? 'unknown';
  if (address instanceof ipaddr.IPv4) return address.toString();
  if (address.isIPv4MappedAddress()) return address.toIPv4Address().toString();
  return `${address.parts
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** Whether a host (a name or an address) is the local machine, which other machines can't reach under it. */
export function isLoopback(host: string): boolean {
  const address = parseAddress(host);
  return address === undefined ? host === 'localhost' : unmapped(address).range() === 'loopback';
}

/** The plain address: an IPv4 address mapped into IPv6 (`::ffff:192.0.2.1`) becomes IPv4. */
export function withoutMapping(text: string): string {
  const address = parseAddress(text);
  return address === undefined ? text : unmapped(address).toString();
}

/** `::ffff:127.0.0.1` is 127.0.0.1 (RFC 4291, section 2.5.5.2). */
function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

/**
 * A block's second address, which `hostsIn` leaves out because it is the gateway's. Undefined if the text is not a block or the
 * block has only one address.
 */
export function gatewayIn(block: string): string | undefined {
  const parsed = parseBlock(block);
  if (parsed === undefined || parsed.prefix === widthOf(parsed.address)) return undefined;
  const bytes = parsed.address.toByteArray();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + 1;
  const { address } = new SocketAddress({
    address: ipaddr.fromByteArray(bytes).toString(),
    family: bytes.length === 4 ? 'ipv4' : 'ipv6',
  });
  return address;
}

const mostHosts = 65_536;

/**
 * The addresses of a block that a host may have, in order and at most `most`: without the block's first two, and without the last,
 * which is the broadcast address (IPv4).
 */
export function* hostsIn(block: string, most = mostHosts): Generator<string> {
  const parsed = parseBlock(block);
  if (parsed === undefined) return;
  const { address, prefix } = parsed;
  const bytes = address.toByteArray();
  const last = 2 + countOf(widthOf(address) - prefix, most);
  for (let at = 2; at < last; at += 1) {
    const host = [...bytes];
    let carry = at;
    for (let index = host.length - 1; index >= 0 && carry > 0; index -= 1) {
      const sum = (host[index] ?? 0) + (carry & 0xff);
      host[index] = sum & 0xff;
      carry = (carry >> 8) + (sum >> 8);
    }
    const text = ipaddr.fromByteArray(host).toString();
    yield new SocketAddress({ address: text, family: host.length === 4 ? 'ipv4' : 'ipv6' }).address;
  }
}

/** How many addresses `hostsIn` gives. */
export function hostCountIn(block: string, most = mostHosts): number {
  const parsed = parseBlock(block);
  return parsed === undefined ? 0 : countOf(widthOf(parsed.address) - parsed.prefix, most);
}

function countOf(bits: number, most: number): number {
  return bits > 16 ? most : Math.max(0, Math.min(2 ** bits - 3, most));
}
