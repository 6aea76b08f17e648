// The resolvers of the shared scalars. Mutations, not the parser, check the addresses and ports of their inputs. So an invalid one
// becomes a coded entry of `userErrors` that names its field, like every other fault.
import { GraphQLScalarType, Kind } from 'graphql';
import {
  asNumberScalar,
  bigIntScalar,
  cidrBlockScalar,
  dateTimeScalar,
  ipAddressScalar,
  ipOrCidrScalar,
  jsonScalar,
  jsonSchemaScalar,
  portScalar,
} from './scalars.ts';

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

function laxText(scalar: GraphQLScalarType<string, string>): GraphQLScalarType<unknown, unknown> {
  return new GraphQLScalarType<unknown, unknown>({
    name: scalar.name,
    serialize: (value) => scalar.serialize(value),
    parseValue: (value) => (typeof value === 'string' ? value : String(value)),
    parseLiteral: (node) => ('value' in node ? String(node.value) : ''),
  });
}

export const inputScalars = {
  DateTime: dateTimeScalar,
  JSON: jsonScalar,
  JsonSchema: jsonSchemaScalar,
  Port: laxNumber(portScalar),
  AsNumber: laxNumber(asNumberScalar),
  BigInt: bigIntScalar,
  IpAddress: laxText(ipAddressScalar),
  CidrBlock: laxText(cidrBlockScalar),
  IpOrCidr: laxText(ipOrCidrScalar),
};
