// Measures an operation before it is executed: depth, aliases and cost. One walk measures each fragment once, so that nested fragments can't make the
// measuring itself expensive. A field costs 1 or the weight of its `@cost`. A list multiplies the cost below it by the number of requested items, or
// by the size that its `@listSize` assumes (IBM's cost directives, in Federation since 2.9).
import {
  DirectiveLocation,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLArgument,
  GraphQLDirective,
  type GraphQLField,
  GraphQLInt,
  GraphQLList,
  type GraphQLNamedType,
  type GraphQLOutputType,
  type GraphQLSchema,
  GraphQLString,
  getArgumentValues,
  getNamedType,
  getNullableType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import type { IntrospectionSize } from './introspection-size.ts';

interface Measure {
  readonly depth: number;
  readonly aliases: number;
  readonly cost: number;
  /** Cost of introspection alone: the schema's own lists with their real lengths. */
  readonly introspection: number;
}

/** A root field with its arguments. */
export interface RootField {
  readonly name: string;
  readonly node: FieldNode;
}

const nothing: Measure = { depth: 0, aliases: 0, cost: 0, introspection: 0 };

/** Larger values are all treated as too much. Keeps products finite. */
const ceiling = 1e12;

interface MeasuredOperation {
  readonly schema: GraphQLSchema;
  readonly size: IntrospectionSize;
  readonly document: DocumentNode;
  readonly operation: OperationDefinitionNode;
  readonly variables: Readonly<Record<string, unknown>>;
}

export class OperationMeasurer {
  readonly #schema: GraphQLSchema;
  readonly #fragments = new Map<string, FragmentDefinitionNode>();
  readonly #variables: Readonly<Record<string, unknown>>;
  readonly #operation: OperationDefinitionNode;
  readonly #size: IntrospectionSize;
  readonly #known = new Map<string, Measure>();
  readonly #open = new Set<string>();

  constructor({ schema, document, operation, variables, size }: MeasuredOperation) {
    this.#schema = schema;
    this.#size = size;
    this.#operation = operation;
    this.#variables = variables;
    for (const definition of document.definitions)
      if (definition.kind === Kind.FRAGMENT_DEFINITION) this.#fragments.set(definition.name.value, definition);
  }

  measure(): Measure {
    return this.#selections(
      this.#operation.selectionSet,
      this.#schema.getRootType(this.#operation.operation) ?? undefined,
    );
  }

  /** The root fields, including those in fragments. Stops after more than `max`. */
  rootFields(max: number): readonly RootField[] {
    const found: RootField[] = [];
    const visited = new Set<string>();
    const walk = (set: SelectionSetNode): void => {
      for (const selection of set.selections) {
        if (found.length > max) return;
        if (selection.kind === Kind.FIELD) found.push({ name: selection.name.value, node: selection });
        else if (selection.kind === Kind.INLINE_FRAGMENT) walk(selection.selectionSet);
        else {
          const fragment = this.#fragments.get(selection.name.value);
          if (fragment === undefined || visited.has(fragment.name.value)) continue;
          visited.add(fragment.name.value);
          walk(fragment.selectionSet);
        }
      }
    };
    walk(this.#operation.selectionSet);
    return found;
  }

  /** `ofAll`: whether this is within an introspection of all types, or of all their fields. */
  #selections(set: SelectionSetNode, type: GraphQLNamedType | undefined, ofAll = false): Measure {
    let depth = 0;
    let aliases = 0;
    let cost = 0;
    let introspection = 0;
    for (const selection of set.selections) {
      const part =
        selection.kind === Kind.FIELD
          ? this.#field(selection, type, ofAll)
          : selection.kind === Kind.INLINE_FRAGMENT
            ? this.#selections(
                selection.selectionSet,
                this.#typeNamed(selection.typeCondition?.name.value) ?? type,
                ofAll,
              )
            : this.#fragment(selection.name.value, ofAll);
      depth = Math.max(depth, part.depth);
      aliases = Math.min(ceiling, aliases + part.aliases);
      cost = Math.min(ceiling, cost + part.cost);
      introspection = Math.min(ceiling, introspection + part.introspection);
    }
    return { depth, aliases, cost, introspection };
  }

  #field(node: FieldNode, type: GraphQLNamedType | undefined, ofAll: boolean): Measure {
    const name = node.name.value;
    const aliased = node.alias === undefined ? 0 : 1;
    const meta = this.#metaField(node, type, ofAll);
    if (meta !== undefined) return { depth: 1, aliases: aliased + meta.aliases, cost: 1, introspection: meta.cost };
    const field = isObjectType(type) || isInterfaceType(type) ? type.getFields()[name] : undefined;
    const below =
      node.selectionSet === undefined
        ? nothing
        : this.#selections(node.selectionSet, field === undefined ? undefined : getNamedType(field.type));
    return {
      depth: 1 + below.depth,
      aliases: aliased + below.aliases,
      cost: Math.min(
        ceiling,
        (field === undefined ? 1 : chargeOf(field).weight) + below.cost * this.#itemsOf(node, field),
      ),
      introspection: below.introspection,
    };
  }

  /** A field of introspection with its selections. Undefined for any other. */
  #metaField(node: FieldNode, type: GraphQLNamedType | undefined, ofAll: boolean): Measure | undefined {
    const name = node.name.value;
    if (name === '__typename') return nothing;
    const parent = type?.name ?? '';
    const meta = name === '__schema' ? '__Schema' : name === '__type' ? '__Type' : undefined;
    const field = parent.startsWith('__') && isObjectType(type) ? type.getFields()[name] : undefined;
    if (meta === undefined && !parent.startsWith('__')) return undefined;
    const below = meta === undefined ? field && getNamedType(field.type) : this.#typeNamed(meta);
    const items = meta === undefined ? this.#size.items(parent, name, ofAll) : 1;
    const all = parent === '__Schema' ? name === 'types' : ofAll && (name === 'fields' || name === 'args');
    const { aliases, introspection } =
      node.selectionSet === undefined ? nothing : this.#selections(node.selectionSet, below, all);
    return { ...nothing, aliases, cost: Math.min(ceiling, 1 + introspection * items) };
  }

  #fragment(name: string, ofAll: boolean): Measure {
    const key = `${name}/${ofAll}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const fragment = this.#fragments.get(name);
    // Validation refuses a cycle or an unknown fragment.
    if (fragment === undefined || this.#open.has(name)) return nothing;
    this.#open.add(name);
    const measure = this.#selections(fragment.selectionSet, this.#typeNamed(fragment.typeCondition.name.value), ofAll);
    this.#open.delete(name);
    this.#known.set(key, measure);
    return measure;
  }

  /**
   * The number of requested items: `first` of a connection, `limit` of any other field with a list below it, or the argument that `@listSize` names.
   * Without such an argument, the size that `@listSize` assumes, or 1. A `limit` on work that returns one figure (how many entries to check)
   * multiplies nothing.
   */
  #itemsOf(node: FieldNode, field: GraphQLField<unknown, unknown> | undefined): number {
    if (field === undefined) return 1;
    const { slicing, assumed } = chargeOf(field);
    const definition = field.args.find(
      ({ name }) => slicing.has(name) || name === 'first' || (name === 'limit' && holdsList(field.type)),
    );
    const items = definition === undefined ? assumed : (this.#argumentOf(node, definition) ?? assumed);
    return items > 1 ? items : 1;
  }

  #argumentOf(node: FieldNode, { name, defaultValue }: GraphQLArgument): number | undefined {
    const value = node.arguments?.find((argument) => argument.name.value === name)?.value;
    const asked =
      value?.kind === Kind.INT
        ? Number(value.value)
        : value?.kind === Kind.VARIABLE
          ? this.#variableValue(value.name.value)
          : undefined;
    const items = asked ?? defaultValue;
    return typeof items === 'number' ? items : undefined;
  }

  #variableValue(name: string): unknown {
    const given = this.#variables[name];
    if (given !== undefined) return given;
    const definition = this.#operation.variableDefinitions?.find((candidate) => candidate.variable.name.value === name);
    return definition?.defaultValue?.kind === Kind.INT ? Number(definition.defaultValue.value) : undefined;
  }

  #typeNamed(name: string | undefined): GraphQLNamedType | undefined {
    return name === undefined ? undefined : this.#schema.getType(name);
  }
}

/** Charges from a field's directives. */
interface Charge {
  readonly weight: number;
  /** Arguments that give a number of items. */
  readonly slicing: ReadonlySet<string>;
  readonly assumed: number;
}

const charges = new WeakMap<GraphQLField<unknown, unknown>, Charge>();

function chargeOf(field: GraphQLField<unknown, unknown>): Charge {
  let charge = charges.get(field);
  if (charge === undefined) {
    const listSize = valuesOf(listSizeDirective, field);
    charge = {
      weight: Number(valuesOf(costDirective, field)?.weight ?? 1),
      slicing: new Set(listSize?.slicingArguments as string[] | undefined),
      assumed: Number(listSize?.assumedSize ?? 1),
    };
    charges.set(field, charge);
  }
  return charge;
}

/** Undefined if the field does not have the directive. */
function valuesOf(directive: GraphQLDirective, { astNode }: GraphQLField<unknown, unknown>) {
  const node = astNode?.directives?.find(({ name }) => name.value === directive.name);
  return node && getArgumentValues(directive, node);
}

/** The parts that are used here: https://ibm.github.io/graphql-specs/cost-spec.html. */
const listSizeDirective = new GraphQLDirective({
  name: 'listSize',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: {
    assumedSize: { type: GraphQLInt, defaultValue: 1 },
    slicingArguments: { type: new GraphQLList(GraphQLString), defaultValue: [] },
  },
});
const costDirective = new GraphQLDirective({
  name: 'cost',
  locations: [DirectiveLocation.FIELD_DEFINITION],
  args: { weight: { type: GraphQLInt } },
});

function isPageSize({ name }: { readonly name: string }): boolean {
  return name === 'first' || name === 'limit';
}

function holdsList(type: GraphQLOutputType): boolean {
  if (isListType(getNullableType(type))) return true;
  const named = getNamedType(type);
  const fields = isObjectType(named) || isInterfaceType(named) ? Object.values(named.getFields()) : [];
  // A list with a length of its own is measured where it is requested.
  return fields.some((field) => isListType(getNullableType(field.type)) && !field.args.some(isPageSize));
}
