// `totalCount` of every connection of a subgraph: counted only when it is asked for.
import { type GraphQLSchema, isObjectType } from 'graphql';
import type { Counted } from './connection.ts';

/** Changes the schema: `totalCount` of each connection. */
export function countPages(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    const field = isObjectType(type) && type.name.endsWith('Connection') ? type.getFields().totalCount : undefined;
    if (field !== undefined) field.resolve = ({ count }: Counted<unknown>) => count();
  }
}
