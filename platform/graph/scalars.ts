// Scalars of the graph, the same in every subgraph: what comes in is checked and made canonical before a resolver sees it.
import { isIPv4, isIPv6, SocketAddress } from 'node:net';
import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';

function bad(message: string): never {
  throw new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } });
}

const dateTimePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && dateTimePattern.test(value) ? new Date(value) : undefined;
  if (date === undefined || Number.isNaN(date.getTime()))
    bad(`DateTime: ${JSON.stringify(value)} is no RFC 3339 time; write it like 2026-01-31T12:00:00.000Z.`);
  return date;
}

/** Resolvers give and take a `Date`. */
export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    return parseDateTime(value).toISOString();
  },
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

/** Any JSON value, passed on as it is. */
export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node: ValueNode, variables) => valueFromASTUntyped(node, variables),
});

function parsePort(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65535)
    bad(`Port: ${JSON.stringify(value)} is no port; give a whole number from 1 to 65535.`);
  return value;
}

/** A TCP or UDP port. */
export const portScalar = new GraphQLScalarType<number, number>({
  name: 'Port',
  serialize: parsePort,
  parseValue: parsePort,
  parseLiteral: (node) => parsePort(node.kind === Kind.INT ? Number(node.value) : undefined),
});

function addressBits(address: string, version: 4 | 6): bigint {
  if (version === 4) return address.split('.').reduce((bits, part) => (bits << 8n) | BigInt(part), 0n);
  // inet_ntop may end an address in dotted quad (::ffff:192.0.2.1).
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address);
  const hex = (high: string | undefined, low: string | undefined) => ((Number(high) << 8) | Number(low)).toString(16);
  const plain = dotted === null ? address : `${dotted[1]}${hex(dotted[2], dotted[3])}:${hex(dotted[4], dotted[5])}`;
  const [head = '', tail] = plain.split('::');
  const groups = (text: string) => (text === '' ? [] : text.split(':'));
  const front = groups(head);
  const back = tail === undefined ? [] : groups(tail);
  const zeros = new Array<string>(8 - front.length - back.length).fill('0');
  return [...front, ...zeros, ...back].reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n);
}

/**
 * The canonical text of an address or CIDR block (IPv6 as in RFC 5952; a block of one address is that address); undefined
 * when it is none. A block whose host bits are not zero is none.
 */
export function canonicalAddressBlock(text: string): string | undefined {
  const match = /^([0-9a-f.:]{2,45})(?:\/(0|[1-9]\d{0,2}))?$/i.exec(text);
  const address = match?.[1];
  if (address === undefined) return undefined;
  const version = isIPv4(address) ? 4 : isIPv6(address) ? 6 : undefined;
  if (version === undefined) return undefined;
  const width = version === 4 ? 32 : 128;
  const prefix = match?.[2] === undefined ? width : Number(match[2]);
  if (prefix > width) return undefined;
  const canonical = new SocketAddress({ address, family: version === 4 ? 'ipv4' : 'ipv6', port: 1 }).address;
  if (prefix === width) return canonical;
  const hostBits = addressBits(canonical, version) & ((1n << BigInt(width - prefix)) - 1n);
  return hostBits === 0n ? `${canonical}/${prefix}` : undefined;
}

function parseAddressBlock(value: unknown): string {
  const canonical = typeof value === 'string' ? canonicalAddressBlock(value) : undefined;
  if (canonical === undefined)
    bad(
      `AddressBlock: ${JSON.stringify(value)} is no IPv4 or IPv6 address or block; a block's host bits must be zero, for example 203.0.113.0/24.`,
    );
  return canonical;
}

/** An address or CIDR block; resolvers get canonical text. */
export const addressBlockScalar = new GraphQLScalarType<string, string>({
  name: 'AddressBlock',
  serialize: (value) => String(value),
  parseValue: parseAddressBlock,
  parseLiteral: (node) => parseAddressBlock(node.kind === Kind.STRING ? node.value : undefined),
});
