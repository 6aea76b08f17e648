// Seals the cursors of all connections of a subgraph, at its edge: resolvers use the key of the last row, which for some is a
// number that counts the rows of all projects.
import { defaultFieldResolver, type GraphQLSchema, getNamedType, isObjectType } from 'graphql';
import { CodedError } from '../errors/errors.ts';
import type { CursorSealer } from '../secrets/cursor-sealer.ts';

/** Changes the schema: `after` of each field that returns a connection, and `PageInfo.endCursor`. */
export function sealPages(schema: GraphQLSchema, sealer: CursorSealer): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const { name: connection } = getNamedType(field.type);
      const { resolve = defaultFieldResolver } = field;
      if (connection.endsWith('Connection') && field.args.some(({ name }) => name === 'after'))
        field.resolve = (source, args: Record<string, unknown>, context, info) => {
          if (typeof args.after !== 'string') return resolve(source, args, context, info);
          const after = sealer.open(connection, args.after);
          if (after === undefined)
            throw new CodedError(
              'INVALID_INPUT',
              'after: this is not an endCursor of this connection; omit it for the first page.',
            );
          return resolve(source, { ...args, after }, context, info);
        };
    }
    const endCursor = type.name === 'PageInfo' ? type.getFields().endCursor : undefined;
    if (endCursor === undefined) continue;
    const { resolve = defaultFieldResolver } = endCursor;
    endCursor.resolve = async (source, args, context, info) => {
      const key: unknown = await resolve(source, args, context, info);
      // The field pageInfo, and so the connection, is one step up.
      return typeof key === 'string' ? sealer.seal(info.path.prev?.typename ?? '', key) : null;
    };
  }
}
