// The resolver of `_entities`, in place of that of @apollo/subgraph: the same, but an entity that is there at once is no promise. A promise for
// each of many entities costs as much as their fields.
import { type GraphQLFieldResolver, type GraphQLObjectType, type GraphQLSchema, isObjectType } from 'graphql';

type ResolveReference = (...given: readonly [representation: object, context: unknown, info: unknown]) => unknown;

interface Representation {
  readonly __typename?: unknown;
}

/** For a schema that @apollo/subgraph built. Entities of interfaces are still resolved by that. */
export function resolveEntitiesAtOnce(schema: GraphQLSchema): void {
  const field = schema.getQueryType()?.getFields()._entities;
  const resolveOthers = field?.resolve;
  if (field === undefined || resolveOthers === undefined) return;
  const resolve: GraphQLFieldResolver<unknown, unknown, { readonly representations: readonly Representation[] }> = (
    source,
    args,
    context,
    info,
  ) => {
    const { representations } = args;
    const types = representations.map(({ __typename }) => schema.getType(String(__typename)));
    if (!types.every(isObjectType)) return resolveOthers(source, args, context, info);
    return representations.map((representation, index) => {
      const type = types[index] as GraphQLObjectType;
      const resolveReference = referenceResolverOf(type);
      const found = resolveReference === undefined ? representation : resolveReference(representation, context, info);
      return isAtOnce(found) ? withTypename(found, type.name) : withTypenameLater(found, type.name);
    });
  };
  field.resolve = resolve;
}

function referenceResolverOf({ extensions }: GraphQLObjectType): ResolveReference | undefined {
  const { subgraph } = (extensions.apollo ?? {}) as {
    readonly subgraph?: { readonly resolveReference?: ResolveReference };
  };
  return subgraph?.resolveReference;
}

/** No promise, and its type can be noted without a failure. */
function isAtOnce(found: unknown): boolean {
  if (typeof found !== 'object' || found === null) return true;
  return typeof (found as { readonly then?: unknown }).then !== 'function' && Object.isExtensible(found);
}

async function withTypenameLater(found: unknown, typename: string): Promise<unknown> {
  return withTypename(await found, typename);
}

/** Not enumerable, so that a copy of a row does not have it. The object of an interface is of the type that was asked for. */
function withTypename(found: unknown, typename: string): unknown {
  if (typeof found !== 'object' || found === null) return found;
  if (!('__typename' in found)) return Object.defineProperty(found, '__typename', { value: typename });
  return found.__typename === typename ? found : { ...found, __typename: typename };
}
