// What several readers of a supergraph's SDL need.
import { type ConstDirectiveNode, Kind, parse, type SelectionSetNode, type TypeNode } from 'graphql';

interface Join {
  /** Of `@join__field`: `field`. */
  readonly is: string;
  /** Arguments that are scalars, as texts. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** The directives that say what belongs to which subgraph. */
export function joins(directives: readonly ConstDirectiveNode[] = []): readonly Join[] {
  return directives
    .filter(({ name }) => name.value.startsWith('join__'))
    .map(({ name, arguments: given = [] }) => ({
      is: name.value.slice('join__'.length),
      values: Object.fromEntries(
        given.map(({ name: argument, value }) => [argument.value, 'value' in value ? String(value.value) : '']),
      ),
    }));
}

/** Of a field set, such as that of a key. */
export function selectionsOf(fields: string): SelectionSetNode {
  const [definition] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`no selection: ${fields}`);
  return definition.selectionSet;
}

export function nameIn(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameIn(type.type);
}
