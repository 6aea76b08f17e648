// The graph for clients that throw on errors: a field with @semanticNonNull is non-null, because it is null only with an error. The command line and
// the dashboard throw the errors of an answer, and a resolver that can't return a value throws one itself.
import { Kind, parse, print, visit } from 'graphql';

/** SDL without null where null means an error. Only level 0 is used in the graph: list items are non-null as they are. */
export function forThrowingClients(sdl: string): string {
  const strict = visit(parse(sdl), {
    FieldDefinition(field) {
      const marked = field.directives?.some(({ name }) => name.value === 'semanticNonNull');
      if (!marked || field.type.kind === Kind.NON_NULL_TYPE) return undefined;
      return { ...field, type: { kind: Kind.NON_NULL_TYPE, type: field.type } };
    },
  });
  return print(strict);
}
