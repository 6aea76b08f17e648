// Restores the check of a non-null type for fields that are nullable only because a subgraph may be lost. Null without an error is
// a bug in such a field, for example in a mutation that wrote and then returned nothing.
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, isObjectType } from 'graphql';

/** Changes the schema: each field with @semanticNonNull throws where its resolver returns null. */
export function refuseNullWithoutError(schema: GraphQLSchema): void {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      if (!isSemanticNonNull(field)) continue;
      const { resolve = defaultFieldResolver } = field;
      const place = `${type.name}.${field.name}`;
      field.resolve = (source, args, context, info) => {
        const value: unknown = resolve(source, args, context, info);
        return value instanceof Promise ? value.then((each) => present(each, place)) : present(value, place);
      };
    }
  }
}

function isSemanticNonNull({ astNode }: GraphQLField<unknown, unknown>): boolean {
  return astNode?.directives?.some(({ name }) => name.value === 'semanticNonNull') ?? false;
}

function present(value: unknown, place: string): unknown {
  if (value == null) throw new Error(`${place} returned null without an error`);
  return value;
}
