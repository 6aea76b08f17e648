// What a release changes in the graph for its clients, as lines of the changelog.
import {
  buildSchema,
  type GraphQLNamedType,
  type GraphQLSchema,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
} from 'graphql';
import { clientChanges } from '../client-changes.ts';

/** `before` and `after`: SDL as clients see it. Breaking changes first, then other ones that a client may notice, then additions. */
export function graphChanges(before: string, after: string): readonly string[] {
  const [old, now] = [buildSchema(before), buildSchema(after)];
  const { breaking, defaults } = clientChanges(old, now);
  return [...breaking.map((description) => `**Breaking:** ${description}`), ...defaults, ...additions(old, now)];
}

/** A new type is one line: its parts come with it. */
function additions(old: GraphQLSchema, now: GraphQLSchema): string[] {
  return Object.values(now.getTypeMap())
    .filter((type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type))
    .flatMap((type) => {
      const known = old.getType(type.name);
      if (known === undefined) return [`${type.name} is new.`];
      const parts = new Set(partsOf(known));
      const added = partsOf(type).filter((part) => !parts.has(part));
      return added.length === 0 ? [] : [`${type.name} has ${added.join(', ')}.`];
    });
}

/** Fields, those arguments that a known field got, and values. */
function partsOf(type: GraphQLNamedType): string[] {
  if (isEnumType(type)) return type.getValues().map(({ name }) => name);
  if (isInputObjectType(type)) return Object.keys(type.getFields());
  if (!isObjectType(type) && !isInterfaceType(type)) return [];
  return Object.values(type.getFields()).flatMap(({ name, args }) => [
    name,
    ...args.map((argument) => `${name}(${argument.name}:)`),
  ]);
}
