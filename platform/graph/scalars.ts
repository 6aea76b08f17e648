// Scalars of the graph, the same in every subgraph: input is checked and made canonical before a resolver sees it.

import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { canonicalAddress, canonicalAddressBlock, canonicalCidrBlock } from '../net/address-block.ts';
import { readTime } from '../values/calendar-time.ts';

function bad(message: string): never {
  throw new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } });
}

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' ? readTime(value) : undefined;
  if (date === undefined)
    bad(`DateTime: ${JSON.stringify(value)} is not an RFC 3339 time; write it like 2026-01-31T12:00:00.000Z.`);
  return date;
}

/** Resolvers return and receive a `Date`. */
export const dateTimeScalar = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  serialize(value) {
    if (value instanceof Date) return value.toISOString();
    return parseDateTime(value).toISOString();
  },
  parseValue: parseDateTime,
  parseLiteral: (node) => parseDateTime(node.kind === Kind.STRING ? node.value : undefined),
});

/** Any JSON value, passed on unchanged. */
export const jsonScalar = new GraphQLScalarType<unknown, unknown>({
  name: 'JSON',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node: ValueNode, variables) => valueFromASTUntyped(node, variables),
});

/** Only in answers. */
export const jsonSchemaScalar = new GraphQLScalarType<never, object>({
  name: 'JsonSchema',
  serialize(value) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) bad('JsonSchema: it is not an object.');
    return value;
  },
  parseValue: () => bad('JsonSchema: it is no input.'),
});

function parsePort(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 65535)
    bad(`Port: ${JSON.stringify(value)} is not a port; give a whole number from 1 to 65535.`);
  return value;
}

/** A TCP or UDP port. */
export const portScalar = new GraphQLScalarType<number, number>({
  name: 'Port',
  serialize: parsePort,
  parseValue: parsePort,
  parseLiteral: (node) => parsePort(node.kind === Kind.INT ? Number(node.value) : undefined),
});

function parseAsNumber(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > 4_294_967_295)
    bad(`AsNumber: ${JSON.stringify(value)} is not an AS number; give a whole number from 1 to 4294967295.`);
  return value;
}

/** An autonomous system number: `Int` has 31 bits for it, and 32 are needed. */
export const asNumberScalar = new GraphQLScalarType<number, number>({
  name: 'AsNumber',
  serialize: parseAsNumber,
  parseValue: parseAsNumber,
  parseLiteral: (node) => parseAsNumber(node.kind === Kind.INT ? Number(node.value) : undefined),
});

function addressScalar(name: string, canonicalOf: (text: string) => string | undefined, wants: string) {
  const parse = (value: unknown): string => {
    const canonical = typeof value === 'string' ? canonicalOf(value) : undefined;
    if (canonical === undefined) bad(`${name}: ${JSON.stringify(value)} is not ${wants}.`);
    return canonical;
  };
  return new GraphQLScalarType<string, string>({
    name,
    serialize: (value) => String(value),
    parseValue: parse,
    parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
  });
}

/** Resolvers receive canonical text. */
export const ipAddressScalar = addressScalar(
  'IpAddress',
  canonicalAddress,
  'an IPv4 or IPv6 address; write it without a prefix length, for example 203.0.113.7',
);

/** Resolvers receive canonical text with a prefix length. */
export const cidrBlockScalar = addressScalar(
  'CidrBlock',
  canonicalCidrBlock,
  "a CIDR block; write it with a prefix length, and a block's host bits must be zero, for example 203.0.113.0/24",
);

/** Resolvers receive canonical text; a block of one address becomes that address. */
export const ipOrCidrScalar = addressScalar(
  'IpOrCidr',
  canonicalAddressBlock,
  "an IPv4 or IPv6 address or block; a block's host bits must be zero, for example 203.0.113.0/24",
);

const [leastBigInt, mostBigInt] = [-(2n ** 63n), 2n ** 63n - 1n];

function parseBigInt(value: unknown): bigint {
  const isWhole =
    typeof value === 'bigint' ||
    (typeof value === 'number' && Number.isSafeInteger(value)) ||
    (typeof value === 'string' && /^-?\d{1,19}$/.test(value));
  const whole = isWhole ? BigInt(value) : undefined;
  if (whole === undefined || whole < leastBigInt || whole > mostBigInt)
    bad(
      `BigInt: ${typeof value === 'bigint' ? value : JSON.stringify(value)} is not a whole number of 64 bits; write it like "12345".`,
    );
  return whole;
}

/** Resolvers return a whole `number`, its digits or a `bigint`, and receive a `bigint`. Clients get digits, so that none is lost. */
export const bigIntScalar = new GraphQLScalarType<bigint, string>({
  name: 'BigInt',
  serialize: (value) => String(parseBigInt(value)),
  parseValue: parseBigInt,
  parseLiteral: (node) => parseBigInt(node.kind === Kind.STRING || node.kind === Kind.INT ? node.value : undefined),
});
