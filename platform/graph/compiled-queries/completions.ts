// How values of each type are completed, by the GraphQL specification, section "Value Completion".
import {
  type FieldNode,
  type GraphQLAbstractType,
  GraphQLBoolean,
  GraphQLError,
  GraphQLFloat,
  GraphQLID,
  GraphQLInt,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  GraphQLString,
  isAbstractType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  type ResponsePath,
} from 'graphql';
import {
  type Complete,
  completedLater,
  executeFields,
  failed,
  isPromise,
  orFailed,
  type Run,
  type SelectedField,
} from './execute-fields.ts';

/** A field of the query. */
interface Place {
  readonly nodes: readonly FieldNode[];
  /** `Type.field`, for errors. */
  readonly name: string;
  readonly info: (run: Run, path: ResponsePath) => GraphQLResolveInfo;
}

interface Selections {
  readonly schema: GraphQLSchema;
  fields(type: GraphQLObjectType, parents: readonly FieldNode[]): readonly SelectedField[];
}

export function completionOf(type: GraphQLOutputType, place: Place, selections: Selections): Complete {
  if (isNonNullType(type)) return nonNull(completionOf(type.ofType, place, selections), place);
  if (isListType(type)) return listOf(type.ofType, completionOf(type.ofType, place, selections), place);
  if (isLeafType(type)) return leafOf(type);
  if (isAbstractType(type)) return abstractOf(type, place, selections);
  const fields = selections.fields(type, place.nodes);
  return (value, run, path) => (isAbsent(value) ? null : executeFields(fields, value, run, path));
}

/** Throws what a resolver returned instead of throwing it. */
function isAbsent(value: unknown): value is null | undefined {
  if (value instanceof Error) throw value;
  return value == null;
}

function nonNull(complete: Complete, { name }: Place): Complete {
  return (value, run, path, fieldPath) => {
    const completed = complete(value, run, path, fieldPath);
    if (completed === null) throw new Error(`Cannot return null for non-nullable field ${name}.`);
    return completed;
  };
}

function listOf(itemType: GraphQLOutputType, complete: Complete, { nodes, name }: Place): Complete {
  const isNullable = !isNonNullType(itemType);
  return (list, run, path, fieldPath) => {
    if (isAbsent(list)) return null;
    if (typeof list !== 'object' || !(Symbol.iterator in list))
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${name}".`);
    const items: unknown[] = [];
    let pending = false;
    for (const value of list as Iterable<unknown>) {
      const at: ResponsePath = { prev: path, key: items.length, typename: undefined };
      let item: unknown;
      try {
        item = isPromise(value)
          ? completedLater(value, complete, run, at, fieldPath)
          : complete(value, run, at, fieldPath);
        if (isPromise(item)) {
          pending = true;
          item = orFailed(item, nodes, at, isNullable, run);
        }
        items.push(item);
      } catch (error) {
        // Nobody waits for the others any more if this throws.
        if (pending && !isNullable)
          for (const other of items) if (isPromise(other)) other.then(undefined, () => undefined);
        items.push(failed(error, nodes, at, isNullable, run));
      }
    }
    return pending ? Promise.all(items) : items;
  };
}

/** Values that the type's `serialize` would return unchanged. */
const unchanged = new Map<GraphQLLeafType, (value: unknown) => boolean>([
  [GraphQLString, (value) => typeof value === 'string'],
  [GraphQLID, (value) => typeof value === 'string'],
  [GraphQLBoolean, (value) => typeof value === 'boolean'],
  [GraphQLInt, (value) => typeof value === 'number' && (value | 0) === value],
  [GraphQLFloat, Number.isFinite],
]);

function leafOf(type: GraphQLLeafType): Complete {
  const isUnchanged = unchanged.get(type) ?? (() => false);
  return (value) => {
    if (isUnchanged(value)) return value;
    if (isAbsent(value)) return null;
    const serialized: unknown = type.serialize(value);
    if (serialized == null) throw new Error(`A value of type ${type.name} was serialized as ${serialized}.`);
    return serialized;
  };
}

function abstractOf(type: GraphQLAbstractType, place: Place, selections: Selections): Complete {
  const byType = new Map<string, readonly SelectedField[]>();
  const fieldsOf = (typename: unknown): readonly SelectedField[] => {
    const known = typeof typename === 'string' ? byType.get(typename) : undefined;
    if (known !== undefined) return known;
    const object = runtimeType(typename, type, place, selections.schema);
    const fields = selections.fields(object, place.nodes);
    byType.set(object.name, fields);
    return fields;
  };
  const { resolveType } = type;
  return (value, run, path, fieldPath) => {
    if (isAbsent(value)) return null;
    // A field of objects always has its path.
    const typename: unknown =
      resolveType == null
        ? (value as { readonly __typename?: unknown }).__typename
        : resolveType(value, run.context, place.info(run, fieldPath as ResponsePath), type);
    if (isPromise(typename)) return executedLater(typename, fieldsOf, value, run, path);
    return executeFields(fieldsOf(typename), value, run, path);
  };
}

function executedLater(
  typename: Promise<unknown>,
  fieldsOf: (typename: unknown) => readonly SelectedField[],
  value: unknown,
  run: Run,
  path: ResponsePath | undefined,
): Promise<unknown> {
  return typename.then((name) => executeFields(fieldsOf(name), value, run, path));
}

/** Throws if the resolver's object has no type that may be here. */
function runtimeType(
  typename: unknown,
  type: GraphQLAbstractType,
  { nodes, name }: Place,
  schema: GraphQLSchema,
): GraphQLObjectType {
  const object = typeof typename === 'string' ? schema.getType(typename) : undefined;
  if (isObjectType(object) && schema.isSubType(type, object)) return object;
  const given = typeof typename === 'string' ? `"${typename}"` : 'nothing that names a type';
  throw new GraphQLError(`The object of ${name} must have a type of "${type.name}", but has ${given}.`, { nodes });
}
