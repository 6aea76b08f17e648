// Plans the fields of a query's selections: which fields an object of a type has at a place, and how each is resolved and completed.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNullableType,
  isAbstractType,
  isLeafType,
  isNonNullType,
  Kind,
  type ResponsePath,
  type SelectionSetNode,
} from 'graphql';
import { completionOf } from './completions.ts';
import { type FieldPlan, infoOf, type Run, type SelectedField } from './execute-fields.ts';

type WithSelections = { readonly selectionSet?: SelectionSetNode | undefined };

/** Makes plans, each once: several objects of one type, or places with the same selections, share them. */
export class SelectionPlans {
  readonly schema: GraphQLSchema;
  readonly #fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly #made = new Map<
    GraphQLObjectType,
    { parents: readonly WithSelections[]; fields: readonly SelectedField[] }[]
  >();

  constructor(schema: GraphQLSchema, fragments: Readonly<Record<string, FragmentDefinitionNode>>) {
    this.schema = schema;
    this.#fragments = fragments;
  }

  /** Of an object at a place with these selections. */
  fields(type: GraphQLObjectType, parents: readonly WithSelections[]): readonly SelectedField[] {
    const ofType = this.#made.get(type) ?? [];
    this.#made.set(type, ofType);
    const known = ofType.find(
      (each) => each.parents.length === parents.length && each.parents.every((node, index) => node === parents[index]),
    );
    if (known !== undefined) return known.fields;
    const grouped = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const { selectionSet } of parents) if (selectionSet) this.#collect(type, selectionSet, grouped, visited);
    const fields = [...grouped].flatMap(
      ([responseName, nodes]) => this.#field(type, responseName, nodes as [FieldNode, ...FieldNode[]]) ?? [],
    );
    ofType.push({ parents, fields });
    return fields;
  }

  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    grouped: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const name = selection.alias?.value ?? selection.name.value;
        const same = grouped.get(name);
        if (same === undefined) grouped.set(name, [selection]);
        else same.push(selection);
        continue;
      }
      let fragment: Pick<FragmentDefinitionNode, 'selectionSet'> & { typeCondition?: { name: { value: string } } };
      if (selection.kind === Kind.INLINE_FRAGMENT) fragment = selection;
      else {
        const name = selection.name.value;
        const named = this.#fragments[name];
        if (visited.has(name) || named === undefined) continue;
        visited.add(name);
        fragment = named;
      }
      if (this.#fits(type, fragment.typeCondition?.name.value))
        this.#collect(type, fragment.selectionSet, grouped, visited);
    }
  }

  #fits(type: GraphQLObjectType, condition: string | undefined): boolean {
    if (condition === undefined || condition === type.name) return true;
    const abstract = this.schema.getType(condition);
    return isAbstractType(abstract) && this.schema.isSubType(abstract, type);
  }

  #field(
    parentType: GraphQLObjectType,
    responseName: string,
    nodes: readonly [FieldNode, ...FieldNode[]],
  ): SelectedField | undefined {
    const [node] = nodes;
    if (node.name.value === '__typename') return { responseName, typename: parentType.name };
    const definition = parentType.getFields()[node.name.value];
    if (definition === undefined) return undefined;
    const place = {
      ...{ nodes, name: `${parentType.name}.${definition.name}` },
      info: (run: Run, path: ResponsePath) => infoOf(field, run, path),
    };
    const field: FieldPlan = {
      ...{ responseName, nodes, parentType, definition, resolve: definition.resolve },
      arguments: argumentsKind(definition, node),
      isNullable: !isNonNullType(definition.type),
      isLeaf: isLeafType(getNullableType(definition.type)),
      complete: completionOf(definition.type, place, this),
    };
    return field;
  }
}

/** Variables and simple literals have the same value for each object; a list or an object in the query is made for each. */
function argumentsKind({ args }: GraphQLField<unknown, unknown>, node: FieldNode): FieldPlan['arguments'] {
  if (args.length === 0) return 'none';
  const isSame = (node.arguments ?? []).every(({ value }) => value.kind !== Kind.LIST && value.kind !== Kind.OBJECT);
  return isSame ? 'same for all' : 'read each time';
}
