// Root fields that find one object by its id: null means that there is none, or none that the caller may see. The id of an object of
// another type is a mistake of the caller, and is refused. A text that is no id at all finds nothing: the command line asks for what
// may be a name or an id by both.
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql';
import { CodedError, unknownId } from '../errors/errors.ts';
import { decodeId, decodeUuid } from '../values/ids.ts';

/** Changes the schema: each field of Query with an argument `id` whose type has an `id` throws INVALID_INPUT where it would return null. */
export function refuseOtherIds(schema: GraphQLSchema): void {
  for (const field of Object.values(schema.getQueryType()?.getFields() ?? {})) {
    const type = typeFound(field);
    if (type === undefined) continue;
    const { resolve = defaultFieldResolver } = field;
    // After the resolver, which checks first what the caller may do.
    field.resolve = (source, args: { readonly id?: unknown }, context, info) => {
      const found: unknown = resolve(source, args, context, info);
      return found instanceof Promise
        ? found.then((each) => checked(each, type, args.id))
        : checked(found, type, args.id);
    };
  }
}

/** Undefined for a field that does not find one object by its id. */
function typeFound({ args, type }: GraphQLField<unknown, unknown>): string | undefined {
  const isFinder = isObjectType(type) && args.some(({ name }) => name === 'id') && type.getFields().id !== undefined;
  return isFinder ? type.name : undefined;
}

function checked(found: unknown, type: string, id: unknown): unknown {
  if (found != null || typeof id !== 'string') return found;
  const actual = decodeId(id)?.type;
  if (actual === undefined || actual === type || decodeUuid(actual, id) === undefined) return found;
  throw new CodedError('INVALID_INPUT', `id: ${unknownId(type, id)}.`, { field: ['id'] });
}
