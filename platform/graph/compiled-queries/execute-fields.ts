// Executes planned fields by the GraphQL specification, section "Executing Selection Sets". Promises are awaited where graphql-js awaits
// them, so that loaders see the same batches.
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLFieldResolver,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  locatedError,
  type OperationDefinitionNode,
  type ResponsePath,
} from 'graphql';
import { NullObject } from '../../values/null-object.ts';
import type { CollectedErrors } from './collected-errors.ts';

type Data = Record<string, unknown>;

/** One execution. */
export interface Run {
  readonly schema: GraphQLSchema;
  readonly fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly operation: OperationDefinitionNode;
  readonly variableValues: Data;
  readonly context: unknown;
  readonly errors: CollectedErrors;
  /** Of fields that are resolved several times. */
  readonly args: Map<FieldPlan, Data>;
}

/**
 * The value of a field for the answer; throws where there is none. A leaf needs neither path. `fieldPath` is the path of the whole field:
 * the value may be an item of its list.
 */
export type Complete = (
  value: unknown,
  run: Run,
  path: ResponsePath | undefined,
  fieldPath: ResponsePath | undefined,
) => unknown;

export interface FieldPlan {
  readonly responseName: string;
  readonly nodes: readonly [FieldNode, ...FieldNode[]];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  /** Undefined: the property of the same name. */
  readonly resolve: GraphQLFieldResolver<unknown, unknown> | undefined;
  readonly arguments: 'none' | 'same for all' | 'read each time';
  readonly isNullable: boolean;
  /** No list, no object: its completion needs no path. */
  readonly isLeaf: boolean;
  readonly complete: Complete;
}

/** The value of a field that needs no definition. */
interface TypenamePlan {
  readonly responseName: string;
  readonly typename: string;
}

export type SelectedField = FieldPlan | TypenamePlan;

export function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function';
}

export function executeFields(
  fields: readonly SelectedField[],
  source: unknown,
  run: Run,
  path: ResponsePath | undefined,
): Data | Promise<Data> {
  const results = new NullObject();
  let pending = false;
  try {
    for (const field of fields) {
      const value = 'typename' in field ? field.typename : executeField(field, source, run, path);
      results[field.responseName] = value;
      if (isPromise(value)) pending = true;
    }
  } catch (error) {
    if (!pending) throw error;
    return failedAfter(results, error);
  }
  return pending ? settled(results) : results;
}

/** The others may fail, too. */
function failedAfter(results: Data, error: unknown): Promise<never> {
  return settled(results).finally(() => {
    throw error;
  }) as Promise<never>;
}

async function settled(results: Data): Promise<Data> {
  const values = await Promise.all(Object.values(results));
  for (const [index, name] of Object.keys(results).entries()) results[name] = values[index];
  return results;
}

function executeField(field: FieldPlan, source: unknown, run: Run, parent: ResponsePath | undefined): unknown {
  const { resolve, responseName } = field;
  const typename = field.parentType.name;
  let path: ResponsePath | undefined;
  try {
    let value: unknown;
    if (resolve === undefined) {
      value = isLookedInto(source) ? source[field.definition.name] : undefined;
      if (typeof value === 'function') {
        path = { prev: parent, key: responseName, typename };
        const method = source as Record<string, GraphQLMethod>;
        value = method[field.definition.name]?.(argumentsOf(field, run), run.context, infoOf(field, run, path));
      }
    } else {
      path = { prev: parent, key: responseName, typename };
      value = resolve(source, argumentsOf(field, run), run.context, infoOf(field, run, path));
    }
    if (field.isLeaf && !isPromise(value)) return field.complete(value, run, undefined, undefined);
    path ??= { prev: parent, key: responseName, typename };
    const completed = isPromise(value)
      ? completedLater(value, field.complete, run, path, path)
      : field.complete(value, run, path, path);
    return isPromise(completed) ? orFailed(completed, field.nodes, path, field.isNullable, run) : completed;
  } catch (error) {
    path ??= { prev: parent, key: responseName, typename };
    return failed(error, field.nodes, path, field.isNullable, run);
  }
}

// Functions of their own: a closure would cost every field some memory, and few are promises.

export function completedLater(
  value: Promise<unknown>,
  complete: Complete,
  run: Run,
  path: ResponsePath,
  fieldPath: ResponsePath | undefined,
): Promise<unknown> {
  return value.then((each) => complete(each, run, path, fieldPath));
}

/** A failure becomes null if the value may be null. */
export function orFailed(
  completed: Promise<unknown>,
  nodes: readonly FieldNode[],
  path: ResponsePath,
  isNullable: boolean,
  run: Run,
): Promise<unknown> {
  return completed.then(undefined, (error: unknown) => failed(error, nodes, path, isNullable, run));
}

type GraphQLMethod = (args: Data, context: unknown, info: GraphQLResolveInfo) => unknown;

function isLookedInto(source: unknown): source is Data {
  return (typeof source === 'object' && source !== null) || typeof source === 'function';
}

/** Null, or throws where null is not allowed. */
export function failed(
  error: unknown,
  nodes: readonly FieldNode[],
  path: ResponsePath,
  isNullable: boolean,
  { errors }: Run,
): null {
  const located = locatedError(error, nodes, keysOf(path));
  if (!isNullable) throw located;
  errors.add(located, path);
  return null;
}

function keysOf(path: ResponsePath): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at: ResponsePath | undefined = path; at !== undefined; at = at.prev) keys.push(at.key);
  return keys.reverse();
}

/** A resolver may change its arguments: each gets an object of its own. */
function argumentsOf(field: FieldPlan, run: Run): Data {
  if (field.arguments === 'none') return {};
  if (field.arguments === 'read each time') return readArguments(field, run);
  let args = run.args.get(field);
  if (args === undefined) {
    args = readArguments(field, run);
    run.args.set(field, args);
  }
  return { ...args };
}

function readArguments({ definition, nodes }: FieldPlan, { variableValues }: Run): Data {
  return getArgumentValues(definition, nodes[0], variableValues);
}

export function infoOf(field: FieldPlan, run: Run, path: ResponsePath): GraphQLResolveInfo {
  return {
    fieldName: field.definition.name,
    fieldNodes: field.nodes,
    returnType: field.definition.type,
    parentType: field.parentType,
    path,
    schema: run.schema,
    fragments: run.fragments,
    rootValue: undefined,
    operation: run.operation,
    variableValues: run.variableValues,
  };
}
