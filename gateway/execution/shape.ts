// Shapes the merged answers of subgraphs by the client's operation: names and order, types of leaves, and nulls according to the GraphQL
// specification, section "Handling Execution Errors". Each null that it finds gets an error.
import {
  type GraphQLCompositeType,
  GraphQLError,
  type GraphQLInterfaceType,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  isAbstractType,
  isCompositeType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
} from 'graphql';
import { NullObject } from '../../platform/values/null-object.ts';
import { type Fault, type FaultTree, gatewayFault, type Path } from './fault-tree.ts';
import { type ClientField, type ClientSelections, fieldsIn } from './internal-names.ts';
import { type Data, isData, valueAt } from './merging.ts';
import type { PossibleTypes } from './possible-types.ts';

export interface Shaping {
  readonly faults: FaultTree | undefined;
  readonly errors: GraphQLError[];
  /** Path of the present value, with the client's names. */
  readonly path: (string | number)[];
  /** The reason why all of a parent is incomplete. */
  inherited: Fault | undefined;
}

/** A field of the answer. `complete`: undefined if its parent must be null. */
export interface ShapedField {
  readonly responseName: string;
  readonly internalName: string;
  complete(parent: Data, shaping: Shaping): unknown;
}

/** Null after an error was reported. */
type Complete = (value: unknown, shaping: Shaping) => unknown;

export class Shaper {
  readonly #schema: GraphQLSchema;
  readonly #types: PossibleTypes;

  constructor(schema: GraphQLSchema, types: PossibleTypes) {
    this.#schema = schema;
    this.#types = types;
  }

  /** The fields of an object, or of an interface if no field depends on the type. */
  fields(
    type: GraphQLObjectType | GraphQLInterfaceType,
    selections: readonly ClientSelections[],
  ): readonly ShapedField[] {
    const grouped = new Map<string, ClientField[]>();
    for (const each of selections) this.#collect(type, each, grouped);
    return [...grouped].map(([responseName, [first, ...others]]) =>
      this.#field(type, responseName, [first as ClientField, ...others]),
    );
  }

  #collect(
    type: GraphQLObjectType | GraphQLInterfaceType,
    { items }: ClientSelections,
    grouped: Map<string, ClientField[]>,
  ): void {
    for (const item of items) {
      if ('selections' in item) {
        const fits = isAbstractType(item.type) ? this.#schema.isSubType(item.type, type) : item.type === type;
        if (fits) this.#collect(type, item.selections, grouped);
        continue;
      }
      const same = grouped.get(item.responseName);
      if (same === undefined) grouped.set(item.responseName, [item]);
      else same.push(item);
    }
  }

  #field(
    parent: GraphQLObjectType | GraphQLInterfaceType,
    responseName: string,
    fields: readonly [ClientField, ...ClientField[]],
  ): ShapedField {
    const [{ node, internalName }] = fields;
    if (node.name.value === '__typename') return { responseName, internalName, complete: () => parent.name };
    const type = parent.getFields()[node.name.value]?.type as GraphQLOutputType;
    const below = fields.flatMap(({ below }) => below ?? []);
    const isRequired = isNonNullType(type);
    const depth = linkDepth(type);
    const nullable = isRequired ? type.ofType : type;
    const complete = this.#complete(nullable, below);
    const isFitLeaf = isLeafType(nullable) && nullable.name !== 'ID' ? fitOf(nullable) : undefined;
    return {
      responseName,
      internalName,
      complete(object, shaping) {
        const { faults, path } = shaping;
        const value = valueAt(object, internalName);
        // Without errors no path is needed.
        if (faults === undefined && value != null && isFitLeaf?.(value) === true) return value;
        path.push(responseName);
        const before = shaping.errors.length;
        const { inherited } = shaping;
        const known = faults?.at(object, internalName) ?? [];
        if (faults !== undefined) shaping.inherited = faults.absence(object, internalName) ?? inherited;
        let completed: unknown = null;
        if (value == null) {
          for (const { fault, below: rest } of known) report(shaping, fault, translated(rest, below));
          if (known.length === 0 && (value === undefined || isRequired))
            report(shaping, shaping.inherited ?? nullFault(value));
        } else {
          // Another subgraph had a value, so the fault explains the missing parts.
          shaping.inherited = known[0]?.fault ?? shaping.inherited;
          completed = complete(value, shaping);
          for (const { fault, below: rest } of known) if (!fault.told) report(shaping, fault, translated(rest, below));
        }
        if (depth !== undefined && faults !== undefined) dropUnknown(shaping, before, depth);
        shaping.inherited = inherited;
        path.pop();
        return completed === null && isRequired ? undefined : completed;
      },
    };
  }

  /** Takes the type without its non-null. */
  #complete(type: GraphQLOutputType, below: readonly ClientSelections[]): Complete {
    if (isListType(type)) return this.#list(type.ofType, below);
    if (isObjectType(type)) return this.#object(type, below);
    if (isCompositeType(type)) return this.#abstract(type, below);
    return leaf(type as GraphQLLeafType);
  }

  #list(type: GraphQLOutputType, below: readonly ClientSelections[]): Complete {
    const isRequired = isNonNullType(type);
    const complete = this.#complete(isRequired ? type.ofType : type, below);
    return (list, shaping) => {
      if (!Array.isArray(list)) return wrong(shaping, 'a list');
      const { path, faults } = shaping;
      const items: unknown[] = [];
      let isBroken = false;
      for (let index = 0; index < list.length; index += 1) {
        const value: unknown = list[index];
        path.push(index);
        let told = false;
        if (faults !== undefined)
          for (const { fault, below: rest } of faults.at(list, index)) {
            report(shaping, fault, translated(rest, below));
            told = true;
          }
        let item: unknown = null;
        if (value == null) {
          if (isRequired && !told) report(shaping, shaping.inherited ?? nullFault(null));
        } else item = complete(value, shaping);
        path.pop();
        if (item === null && isRequired) isBroken = true;
        items.push(item);
      }
      return isBroken ? null : items;
    };
  }

  #object(type: GraphQLObjectType, below: readonly ClientSelections[]): Complete {
    const fields = this.fields(type, below);
    return (value, shaping) => {
      if (!isData(value)) return wrong(shaping, 'an object');
      const typename = valueAt(value, '__typename');
      if (typename !== undefined && typename !== type.name) return wrong(shaping, `an object of type ${type.name}`);
      return shapeFields(value, fields, shaping);
    };
  }

  #abstract(type: GraphQLCompositeType, below: readonly ClientSelections[]): Complete {
    const byType = new Map<string, readonly ShapedField[]>();
    const isSame = below.every(({ items }) =>
      items.every((item) => !('selections' in item) && item.node.name.value !== '__typename'),
    );
    // Fields that do not depend on the type can be answered without it, for example for an @interfaceObject.
    const ofAny = isSame && isInterfaceType(type) ? this.fields(type, below) : undefined;
    return (value, shaping) => {
      if (!isData(value)) return wrong(shaping, 'an object');
      const typename = valueAt(value, '__typename');
      if (typename === undefined || this.#isUnresolved(typename)) {
        if (ofAny !== undefined) return shapeFields(value, ofAny, shaping);
        const why = shaping.faults?.absence(value, '__typename') ?? shaping.inherited;
        return why === undefined ? wrong(shaping, 'an object with its type') : reportNull(shaping, why);
      }
      let fields = typeof typename === 'string' ? byType.get(typename) : undefined;
      if (fields === undefined) {
        const object = typeof typename === 'string' ? this.#schema.getType(typename) : undefined;
        if (!isObjectType(object) || !isAbstractType(type) || !this.#schema.isSubType(type, object))
          return wrong(shaping, `an object of a type of ${type.name}`);
        fields = this.fields(object, below);
        byType.set(object.name, fields);
      }
      return shapeFields(value, fields, shaping);
    };
  }

  /** The name of an interface, from a subgraph that does not know the object type. */
  #isUnresolved(typename: unknown): boolean {
    return typeof typename === 'string' && this.#types.isInterfaceObject(typename);
  }
}

/** Null if a field that must not be null is. */
function shapeFields(value: Data, fields: readonly ShapedField[], shaping: Shaping): Data | null {
  const shaped = new NullObject();
  let isBroken = false;
  for (const field of fields) {
    const completed = field.complete(value, shaping);
    if (completed === undefined) isBroken = true;
    else shaped[field.responseName] = completed;
  }
  return isBroken ? null : shaped;
}

function leaf(type: GraphQLLeafType): Complete {
  const isFit = fitOf(type);
  const isId = type.name === 'ID';
  return (value, shaping) => {
    if (!isFit(value)) return wrong(shaping, `a value of type ${type.name}`);
    return isId ? String(value) : value;
  };
}

function fitOf(type: GraphQLLeafType): (value: unknown) => boolean {
  if (isEnumType(type)) {
    const names = new Set(type.getValues().map(({ name }) => name));
    return (value) => names.has(value as string);
  }
  switch (type.name) {
    case 'Int':
      return (value) => typeof value === 'number' && (value | 0) === value;
    case 'Float':
      return Number.isFinite;
    case 'String':
      return (value) => typeof value === 'string';
    case 'Boolean':
      return (value) => typeof value === 'boolean';
    case 'ID':
      return (value) => typeof value === 'string' || Number.isSafeInteger(value);
    default:
      return () => true;
  }
}

function wrong(shaping: Shaping, wanted: string): null {
  return reportNull(
    shaping,
    gatewayFault('INVALID_SUBGRAPH_ANSWER', `The subgraph's answer does not have ${wanted} here.`),
  );
}

function nullFault(value: null | undefined): Fault {
  return gatewayFault(
    'INVALID_SUBGRAPH_ANSWER',
    value === null
      ? "The subgraph's answer has null where the graph promises a value."
      : "The subgraph's answer does not have this field.",
  );
}

function reportNull(shaping: Shaping, fault: Fault): null {
  report(shaping, fault);
  return null;
}

/** Errors about objects that their subgraph does not know. */
const unknownErrors = new WeakSet<GraphQLError>();

function report({ errors, path }: Shaping, fault: Fault, below: Path = []): void {
  fault.told = true;
  const error = new GraphQLError(fault.message, { path: [...path, ...below], extensions: { ...fault.extensions } });
  if (fault.isUnknown) unknownErrors.add(error);
  errors.push(error);
}

/** A link to a missing object is null, without an error. Only its own fields count, not those of objects below. */
function dropUnknown({ errors, path }: Shaping, before: number, depth: number): void {
  const length = path.length + depth + 1;
  for (const error of errors.splice(before))
    if (!unknownErrors.has(error) || error.path?.length !== length) errors.push(error);
}

/**
 * The number of lists around a nullable link to an object of any type, for example the record of an event, which outlives its object. Undefined for
 * any other type.
 */
function linkDepth(type: GraphQLOutputType): number | undefined {
  if (isNonNullType(type)) return isListType(type.ofType) ? linkDepth(type.ofType) : undefined;
  if (!isListType(type)) return isAbstractType(type) ? 0 : undefined;
  const below = linkDepth(type.ofType);
  return below === undefined ? undefined : below + 1;
}

/** The rest of a subgraph's path with the client's names, as far as the client selected it. */
function translated(path: Path, selections: readonly ClientSelections[]): Path {
  const words: (string | number)[] = [];
  let level = selections;
  for (const key of path) {
    if (typeof key === 'number') {
      words.push(key);
      continue;
    }
    const fields = level.flatMap(fieldsIn).filter(({ internalName }) => internalName === key);
    const [first] = fields;
    if (first === undefined) break;
    words.push(first.responseName);
    level = fields.flatMap(({ below }) => below ?? []);
  }
  return words;
}
