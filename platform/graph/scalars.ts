// Scalars of the graph, the same in every subgraph: input is checked and made canonical before a resolver sees it.

import { GraphQLError, GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { canonicalAddressBlock } from '../net/address-block.ts';

function bad(message: string): never {
  throw new GraphQLError(message, { extensions: { code: 'INVALID_INPUT' } });
}

const dateTimePattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/i;

function parseDateTime(value: unknown): Date {
  const date = typeof value === 'string' && dateTimePattern.test(value) ? new Date(value) : undefined;
  if (date === undefined || Number.isNaN(date.getTime()))
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

function parseAddressBlock(value: unknown): string {
  const canonical = typeof value === 'string' ? canonicalAddressBlock(value) : undefined;
  if (canonical === undefined)
    bad(
      `AddressBlock: ${JSON.stringify(value)} is not an IPv4 or IPv6 address or block; a block's host bits must be zero, for example 203.0.113.0/24.`,
    );
  return canonical;
}

/** An address or CIDR block; resolvers receive canonical text. */
export const addressBlockScalar = new GraphQLScalarType<string, string>({
  name: 'AddressBlock',
  serialize: (value) => String(value),
  parseValue: parseAddressBlock,
  parseLiteral: (node) => parseAddressBlock(node.kind === Kind.STRING ? node.value : undefined),
});
