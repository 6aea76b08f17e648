// A release's changes of the graph for clients, as lines of the changelog.
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
import { clientChanges, elementsOf } from '../client-changes.ts';
import { deprecationOf, earliestRemoval } from '../deprecation.ts';

/** `before` and `after`: SDL as clients see it. Breaking changes first, then other ones that a client may notice, then additions. */
export function graphChanges(before: string, after: string): readonly string[] {
  const [old, now] = [buildSchema(before), buildSchema(after)];
  const { breaking, others } = clientChanges(old, now);
  return [...breaking.map((description) => `**Breaking:** ${description}`), ...others, ...additions(old, now)];
}

/** Deprecations whose removal would come too soon after a release on `date`. A deprecation that `before` has keeps its date. */
export function shortDeprecations(before: string, after: string, date: string): string[] {
  const known = elementsOf(buildSchema(before, { assumeValidSDL: true }));
  const earliest = earliestRemoval(date);
  return [...elementsOf(buildSchema(after)).values()].flatMap(({ path, directives }) => {
    const until = deprecationOf(directives)?.until;
    if (until === undefined || until >= earliest || deprecationOf(known.get(path)?.directives) !== undefined) return [];
    return [`${path} is deprecated until ${until}; this release may promise no day before ${earliest}.`];
  });
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
