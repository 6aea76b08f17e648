// `totalCount` of every connection of a subgraph: counted only when it is asked for. If nothing else is, no rows are read.
import {
  defaultFieldResolver,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getNamedType,
  isObjectType,
  Kind,
} from 'graphql';
import { type Counted, onlyCounted } from './connection.ts';

/** Changes the schema: each connection, and its `totalCount`. */
export function countPages(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!getNamedType(field.type).name.endsWith('Connection')) continue;
      const { resolve = defaultFieldResolver } = field;
      field.resolve = (source, args: object, context, info) =>
        resolve(source, isOnlyCounted(info) ? { ...args, [onlyCounted]: true } : args, context, info);
    }
    const count = type.name.endsWith('Connection') ? type.getFields().totalCount : undefined;
    if (count !== undefined) count.resolve = (page: Counted<unknown>) => page.count();
  }
}

/** A fragment may ask for more. */
function isOnlyCounted({ fieldNodes }: GraphQLResolveInfo): boolean {
  return fieldNodes.every(({ selectionSet }) =>
    selectionSet?.selections.every(
      (each) => each.kind === Kind.FIELD && (each.name.value === 'totalCount' || each.name.value === '__typename'),
    ),
  );
}
