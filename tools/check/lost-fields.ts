// The rule of the graph that keeps a failure small: when a subgraph is lost, its own fields are null, with an error each, and all
// other fields of the answer are there. A non-null field would take its parent along.
import {
  type FieldDefinitionNode,
  Kind,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  type TypeNode,
} from 'graphql';
import type { SubgraphSdl } from '../../platform/graph/sdl.ts';

type ObjectNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

const roots = new Set(['Query', 'Mutation']);

/** Faults in the own SDL of each subgraph (without stubs of the others' entities). */
export function lintLostFields(own: SubgraphSdl): string[] {
  const objects = [...own].flatMap(([subgraph, sdl]) =>
    parse(sdl)
      .definitions.filter(
        (each): each is ObjectNode =>
          each.kind === Kind.OBJECT_TYPE_DEFINITION || each.kind === Kind.OBJECT_TYPE_EXTENSION,
      )
      .map((type) => ({ subgraph, type })),
  );
  const owners = new Map(
    objects.filter(({ type }) => isEntity(type)).map(({ subgraph, type }) => [type.name.value, subgraph]),
  );
  return objects.flatMap(({ subgraph, type }) =>
    (type.fields ?? []).flatMap((field) => {
      const fault = faultOf(field, type.name.value, subgraph, owners);
      return fault === undefined ? [] : [`${subgraph}.graphql: ${type.name.value}.${field.name.value} ${fault}`];
    }),
  );
}

function faultOf(
  field: FieldDefinitionNode,
  parent: string,
  subgraph: string,
  owners: ReadonlyMap<string, string>,
): string | undefined {
  const isMarked = field.directives?.some(({ name }) => name.value === 'semanticNonNull');
  if (hasNullableItems(field.type)) return 'must not have null in its list';
  if (parent === 'Mutation' && !isMarked) return 'needs @semanticNonNull: a payload is null only with an error';
  if (field.type.kind !== Kind.NON_NULL_TYPE) return undefined;
  const remedy = 'write @semanticNonNull if it is null only with an error';
  if (roots.has(parent))
    return `must be nullable, or losing ${subgraph} would lose the fields of all other subgraphs: ${remedy}`;
  const contributesTo = owners.get(parent);
  if (contributesTo !== undefined && contributesTo !== subgraph)
    return `must be nullable, or losing ${subgraph} would lose the ${parent} of ${contributesTo}: ${remedy}`;
  const linksTo = owners.get(namedType(field.type));
  if (linksTo !== undefined && linksTo !== subgraph)
    return `must be nullable, or losing ${linksTo} would lose the ${parent} of ${subgraph}: ${remedy}`;
  return undefined;
}

/** Whether the type has a key, in the subgraph that defines it. */
function isEntity({ kind, directives }: ObjectNode): boolean {
  return kind === Kind.OBJECT_TYPE_DEFINITION && (directives ?? []).some(({ name }) => name.value === 'key');
}

function hasNullableItems(type: TypeNode): boolean {
  if (type.kind === Kind.NON_NULL_TYPE) return hasNullableItems(type.type);
  if (type.kind !== Kind.LIST_TYPE) return false;
  return type.type.kind !== Kind.NON_NULL_TYPE || hasNullableItems(type.type);
}

function namedType(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : namedType(type.type);
}
