// The resolvers of the shared scalars. Mutations check the addresses and ports of their inputs, not the parser, so that an
// invalid one is a coded entry of `userErrors` that names its field, like every other fault.
import { GraphQLScalarType, Kind } from 'graphql';
import { addressBlockScalar, dateTimeScalar, jsonScalar, portScalar } from './scalars.ts';

function asGiven(value: unknown): unknown {
  return value;
}

const laxPort = new GraphQLScalarType<unknown, unknown>({
  name: 'Port',
  serialize: (value) => portScalar.serialize(value),
  parseValue: asGiven,
  parseLiteral: (node) => (node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : Number.NaN),
});

const laxAddressBlock = new GraphQLScalarType<unknown, unknown>({
  name: 'AddressBlock',
  serialize: (value) => addressBlockScalar.serialize(value),
  parseValue: (value) => (typeof value === 'string' ? value : String(value)),
  parseLiteral: (node) => ('value' in node ? String(node.value) : ''),
});

export const inputScalars = {
  DateTime: dateTimeScalar,
  JSON: jsonScalar,
  Port: laxPort,
  AddressBlock: laxAddressBlock,
};
