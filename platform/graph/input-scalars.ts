// The resolvers of the shared scalars. Mutations check the addresses and ports of their inputs, not the parser, so that an
// invalid one is a coded entry of `userErrors` that names its field, like every other fault.
import { GraphQLScalarType, Kind } from 'graphql';
import { addressBlockScalar, asNumberScalar, dateTimeScalar, jsonScalar, portScalar } from './scalars.ts';

function asGiven(value: unknown): unknown {
  return value;
}

function laxNumber(scalar: GraphQLScalarType<number, number>): GraphQLScalarType<unknown, unknown> {
  return new GraphQLScalarType<unknown, unknown>({
    name: scalar.name,
    serialize: (value) => scalar.serialize(value),
    parseValue: asGiven,
    parseLiteral: (node) => (node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : Number.NaN),
  });
}

const laxAddressBlock = new GraphQLScalarType<unknown, unknown>({
  name: 'AddressBlock',
  serialize: (value) => addressBlockScalar.serialize(value),
  parseValue: (value) => (typeof value === 'string' ? value : String(value)),
  parseLiteral: (node) => ('value' in node ? String(node.value) : ''),
});

export const inputScalars = {
  DateTime: dateTimeScalar,
  JSON: jsonScalar,
  Port: laxNumber(portScalar),
  AsNumber: laxNumber(asNumberScalar),
  AddressBlock: laxAddressBlock,
};
