// Shared code for readers of a supergraph's SDL.
import {
  type ConstDirectiveNode,
  type DocumentNode,
  type FieldDefinitionNode,
  Kind,
  parse,
  type SelectionSetNode,
  type TypeNode,
} from 'graphql';

/** By type and field: the type of the field. */
export type FieldTypes = ReadonlyMap<string, ReadonlyMap<string, string>>;

interface Join {
  /** The argument `field` of `@join__field`. */
  readonly is: string;
  /** Arguments that are scalars, as texts. */
  readonly values: Readonly<Record<string, string | undefined>>;
}

/** The directives that assign elements to subgraphs. */
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

/** Parses a field set, such as a key's. */
export function selectionsOf(fields: string): SelectionSetNode {
  const [definition] = parse(`{ ${fields} }`, { noLocation: true }).definitions;
  if (definition?.kind !== Kind.OPERATION_DEFINITION) throw new Error(`no selection: ${fields}`);
  return definition.selectionSet;
}

export function nameIn(type: TypeNode): string {
  return type.kind === Kind.NAMED_TYPE ? type.name.value : nameIn(type.type);
}

/** Names of the subgraphs, by their values in the enum join__Graph. */
export function graphNames({ definitions }: DocumentNode): ReadonlyMap<string, string> {
  return new Map(
    definitions.flatMap((definition) =>
      definition.kind === Kind.ENUM_TYPE_DEFINITION && definition.name.value === 'join__Graph'
        ? (definition.values ?? []).flatMap(({ name, directives }) =>
            joins(directives).map(({ values }) => [name.value, values.name ?? ''] as const),
          )
        : [],
    ),
  );
}

export function fieldTypesOf({ definitions }: DocumentNode): FieldTypes {
  return new Map(
    definitions.flatMap((definition) =>
      'fields' in definition && definition.kind !== Kind.INPUT_OBJECT_TYPE_DEFINITION && 'name' in definition
        ? [[definition.name.value, new Map(fieldsIn(definition).map((each) => [each.name.value, nameIn(each.type)]))]]
        : [],
    ),
  );
}

function fieldsIn(definition: { readonly fields?: readonly unknown[] | undefined }): readonly FieldDefinitionNode[] {
  return (definition.fields ?? []) as readonly FieldDefinitionNode[];
}
