// A client's operation in two forms: for the planner, with internal names, and for shaping the answer, with the client's. An internal name belongs to a field with its arguments: the field's own name if it has no arguments, else `_1`, `_2` …. So an alias never has the name of
// another field that the planner adds, such as a key, and operations that differ in aliases and names of variables share a plan. @skip and
// @include are decided here: the planner does not see them.
import {
  type DirectiveNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLCompositeType,
  type GraphQLField,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  isAbstractType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  print,
  type SelectionSetNode,
  type ValueNode,
} from 'graphql';
import { cursorAlias } from '../../platform/events/cursor.ts';
import { emptySelections, type PlannedSelections, printField } from './planned-selections.ts';
import type { PossibleTypes } from './possible-types.ts';

/** A client's field. */
export interface ClientField {
  readonly node: FieldNode;
  readonly responseName: string;
  readonly internalName: string;
  readonly below: ClientSelections | undefined;
}

/** In the client's order. */
export interface ClientSelections {
  readonly items: (ClientField | ClientCondition)[];
}

interface ClientCondition {
  readonly type: GraphQLCompositeType;
  readonly selections: ClientSelections;
}

export interface NamedOperation {
  /** Without the fields of introspection. */
  readonly root: ClientSelections;
  readonly introspection: readonly FieldNode[];
  /** The client's response names of the root fields, including introspection, in order. */
  readonly order: readonly string[];
  /** Client's names of variables by internal ones. */
  readonly variables: ReadonlyMap<string, string>;
  /** Internal names of the root fields that subgraphs answer, in order. */
  readonly rootNames: readonly string[];
  /** The operation for the planner with these root fields only. */
  text(rootNames: readonly string[]): string;
}

/** One position of the answer: the types of the names there. */
interface Level {
  readonly types: Map<string, string>;
  readonly below: Map<string, Level>;
}

interface Position {
  readonly type: GraphQLCompositeType;
  readonly client: ClientSelections;
  readonly planned: PlannedSelections;
  readonly level: Level;
  readonly isRoot: boolean;
  /** Fragments that are already included here. */
  readonly spread: Set<string>;
}

interface OperationSource {
  readonly schema: GraphQLSchema;
  readonly types: PossibleTypes;
  readonly operation: OperationDefinitionNode;
  readonly fragments: ReadonlyMap<string, FragmentDefinitionNode>;
  /** The value of a variable in @skip and @include. */
  readonly condition: (variable: string) => boolean;
}

/** All fields, regardless of their conditions. */
export function fieldsIn({ items }: ClientSelections): readonly ClientField[] {
  return items.flatMap((item) => ('selections' in item ? fieldsIn(item.selections) : [item]));
}

export function nameOperation(source: OperationSource): NamedOperation {
  return new Naming(source).whole();
}

/**
 * Client's names of the variables in
 * @skip and
 * @include.
 */
export function conditionVariables(
  operation: OperationDefinitionNode,
  fragments: ReadonlyMap<string, FragmentDefinitionNode>,
): readonly string[] {
  const names = new Set<string>();
  const look = ({ selections }: SelectionSetNode): void => {
    for (const selection of selections) {
      for (const { arguments: given = [] } of selection.directives ?? [])
        for (const { value } of given) if (value.kind === Kind.VARIABLE) names.add(value.name.value);
      if (selection.kind !== Kind.FRAGMENT_SPREAD && selection.selectionSet !== undefined) look(selection.selectionSet);
    }
  };
  for (const { selectionSet } of [operation, ...fragments.values()]) look(selectionSet);
  const defined = new Set(operation.variableDefinitions?.map(({ variable }) => variable.name.value));
  return [...names].filter((name) => defined.has(name));
}

class Naming {
  readonly #source: OperationSource;
  readonly #variables = new Map<string, string>();
  readonly #numbers = new Map<string, string>();
  readonly #typeTexts = new Map<GraphQLField<unknown, unknown>, string>();
  readonly #introspection: FieldNode[] = [];
  readonly #order = new Set<string>();
  readonly #planned: PlannedSelections = emptySelections();

  constructor(source: OperationSource) {
    this.#source = source;
  }

  whole(): NamedOperation {
    const { schema, operation } = this.#source;
    const type = schema.getRootType(operation.operation);
    if (type == null) throw new Error(`the schema has no ${operation.operation}`);
    const root: ClientSelections = { items: [] };
    this.#walk(operation.selectionSet, {
      ...{ type, client: root, planned: this.#planned, level: emptyLevel() },
      ...{ isRoot: true, spread: new Set<string>() },
    });
    return {
      root,
      introspection: this.#introspection,
      order: [...this.#order],
      variables: new Map([...this.#variables].map(([client, internal]) => [internal, client])),
      rootNames: [...this.#planned.fields.keys()],
      text: (rootNames) => this.#text(this.#planned, rootNames),
    };
  }

  #walk({ selections }: SelectionSetNode, at: Position): void {
    for (const selection of selections) {
      if (!this.#isIncluded(selection.directives)) continue;
      if (selection.kind === Kind.FIELD) {
        this.#field(selection, at);
        continue;
      }
      if (selection.kind === Kind.FRAGMENT_SPREAD) {
        if (at.spread.has(selection.name.value)) continue;
        at.spread.add(selection.name.value);
      }
      const fragment =
        selection.kind === Kind.INLINE_FRAGMENT ? selection : this.#source.fragments.get(selection.name.value);
      if (fragment !== undefined) this.#fragment(fragment.selectionSet, fragment.typeCondition?.name.value, at);
    }
  }

  #fragment(set: SelectionSetNode, condition: string | undefined, at: Position): void {
    const type = condition === undefined ? at.type : this.#source.schema.getType(condition);
    if (!isCompositeType(type)) return;
    if (this.#isAlways(type, at.type)) {
      this.#walk(set, at);
      return;
    }
    const selections: ClientSelections = { items: [] };
    at.client.items.push({ type, selections });
    const planned = at.planned.conditions.get(type.name) ?? emptySelections();
    at.planned.conditions.set(type.name, planned);
    this.#walk(set, { ...at, type, client: selections, planned, spread: new Set() });
  }

  #isAlways(condition: GraphQLCompositeType, type: GraphQLCompositeType): boolean {
    if (condition === type) return true;
    if (!isAbstractType(condition)) return false;
    const { schema } = this.#source;
    if (isObjectType(type)) return schema.isSubType(condition, type);
    return isInterfaceType(type) && schema.isSubType(condition, type);
  }

  #field(node: FieldNode, at: Position): void {
    const name = node.name.value;
    const responseName = node.alias?.value ?? name;
    if (at.isRoot) this.#order.add(responseName);
    if (name === '__typename') {
      at.client.items.push({ node, responseName, internalName: name, below: undefined });
      if (!at.isRoot) at.planned.fields.set(name, { name, head: name, below: undefined });
      return;
    }
    if (at.isRoot && (name === '__schema' || name === '__type')) {
      this.#introspection.push(node);
      return;
    }
    const field = 'getFields' in at.type ? at.type.getFields()[name] : undefined;
    if (field === undefined) throw new Error(`${at.type.name} has no field ${name}`);
    const given = this.#arguments(node);
    const internalName = this.#nameOf(node, field, given, at);
    const type = getNamedType(field.type);
    let planned = at.planned.fields.get(internalName);
    if (planned === undefined) {
      const alias = internalName === name ? '' : `${internalName}:`;
      planned = { name, head: `${alias}${name}${given}`, below: isCompositeType(type) ? emptySelections() : undefined };
      at.planned.fields.set(internalName, planned);
    }
    const below: ClientSelections | undefined = isCompositeType(type) ? { items: [] } : undefined;
    at.client.items.push({ node, responseName, internalName, below });
    if (below === undefined || planned.below === undefined || !isCompositeType(type) || node.selectionSet === undefined)
      return;
    const level = at.level.below.get(internalName) ?? emptyLevel();
    at.level.below.set(internalName, level);
    this.#walk(node.selectionSet, {
      ...{ type, client: below, planned: planned.below, level, isRoot: false, spread: new Set<string>() },
    });
  }

  #nameOf(node: FieldNode, field: GraphQLField<unknown, unknown>, given: string, at: Position): string {
    if (node.alias?.value === cursorAlias) return cursorAlias;
    const { operation } = this.#source;
    const { value: name } = node.name;
    const type = this.#typeOf(field, at.type);
    // Each field of a mutation is executed, even two equal ones.
    const once = at.isRoot && operation.operation === 'mutation' ? (node.alias?.value ?? name) : '';
    const isPlain = given === '' && (once === '' || once === name) && !this.#source.types.isRequiredWithArguments(name);
    // The common case for repeated fields of a document.
    if (isPlain && at.level.types.get(name) === type) return name;
    for (const internal of isPlain ? [name, this.#number(`${name} ${type}`)] : []) {
      const known = at.level.types.get(internal);
      if (known !== undefined && known !== type) continue;
      at.level.types.set(internal, type);
      return internal;
    }
    return this.#number(`${name}${given} ${type} ${once}`);
  }

  /** The same text for fields that can share an internal name. */
  #typeOf(field: GraphQLField<unknown, unknown>, parent: GraphQLCompositeType): string {
    const known = this.#typeTexts.get(field);
    if (known !== undefined) return known;
    const text = `${shapeOf(field.type)} ${this.#source.types.variantsOf(`${parent.name}.${field.name}`)}`;
    this.#typeTexts.set(field, text);
    return text;
  }

  #number(key: string): string {
    const number = this.#numbers.get(key) ?? `_${this.#numbers.size + 1}`;
    this.#numbers.set(key, number);
    return number;
  }

  /** In brackets, sorted. Empty without arguments. */
  #arguments({ arguments: given = [] }: FieldNode): string {
    if (given.length === 0) return '';
    const each = given.map(({ name, value }) => `${name.value}:${this.#valueText(value)}`);
    return `(${each.sort().join(',')})`;
  }

  /** Uses internal names of variables. Avoids graphql-js, which takes ten times as long, because a value may fill a whole document. */
  #valueText(value: ValueNode): string {
    switch (value.kind) {
      case Kind.VARIABLE:
        return `$${this.#variable(value.name.value)}`;
      case Kind.LIST:
        return `[${value.values.map((each) => this.#valueText(each)).join(', ')}]`;
      case Kind.OBJECT:
        return `{${value.fields.map((field) => `${field.name.value}: ${this.#valueText(field.value)}`).join(', ')}}`;
      case Kind.NULL:
        return 'null';
      // JSON and GraphQL have the same escapes.
      case Kind.STRING:
        return JSON.stringify(value.value);
      default:
        return String(value.value);
    }
  }

  #variable(client: string): string {
    const internal = this.#variables.get(client) ?? `v${this.#variables.size + 1}`;
    this.#variables.set(client, internal);
    return internal;
  }

  #isIncluded(directives: readonly DirectiveNode[] = []): boolean {
    return directives.every(({ name, arguments: given }) => {
      const wanted = name.value === 'include' ? true : name.value === 'skip' ? false : undefined;
      const value = given?.find((argument) => argument.name.value === 'if')?.value;
      if (wanted === undefined || value === undefined) return true;
      if (value.kind === Kind.VARIABLE) return this.#source.condition(value.name.value) === wanted;
      return value.kind === Kind.BOOLEAN && value.value === wanted;
    });
  }

  #text({ fields }: PlannedSelections, rootNames: readonly string[]): string {
    const { operation } = this.#source;
    const body = rootNames
      .flatMap((name) => {
        const field = fields.get(name);
        return field === undefined ? [] : [printField(field)];
      })
      .join(' ');
    const used = new Set([...body.matchAll(/\$(v\d+)\b/g)].map(([, name]) => name));
    const { variableDefinitions = [] } = operation;
    const defined = new Map(variableDefinitions.map((each) => [each.variable.name.value, each] as const));
    const definitions = [...this.#variables].flatMap(([client, internal]) => {
      const definition = defined.get(client);
      if (definition === undefined || !used.has(internal)) return [];
      const { type, defaultValue } = definition;
      return [`$${internal}:${print(type)}${defaultValue === undefined ? '' : `=${this.#valueText(defaultValue)}`}`];
    });
    return `${operation.operation}${definitions.length === 0 ? '' : `(${definitions.join(',')})`}{${body}}`;
  }
}

/** Composite types are merged, so they need not be equal. */
function shapeOf(type: GraphQLOutputType): string {
  if (isNonNullType(type)) return `${shapeOf(type.ofType)}!`;
  if (isListType(type)) return `[${shapeOf(type.ofType)}]`;
  return isCompositeType(type) ? '{}' : type.name;
}

function emptyLevel(): Level {
  return { types: new Map(), below: new Map() };
}
