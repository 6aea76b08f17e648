// The graph that the check plays: documents are validated against the real graph, and answers are executed in it. Fields that the check does not test
// have made-up values.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  buildSchema,
  type DocumentNode,
  type ExecutionResult,
  execute,
  extendSchema,
  type FragmentDefinitionNode,
  GraphQLError,
  type GraphQLOutputType,
  type GraphQLSchema,
  getArgumentValues,
  getNullableType,
  getOperationAST,
  getVariableValues,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  type SelectionNode,
  validate,
} from 'graphql';

const apiPath = join(import.meta.dirname, '../../schema/api.graphql');
/** Additions of a later release, which clients must tolerate. */
const later = 'extend enum UserErrorCode { LUNAR_ECLIPSE } extend enum LongRunningState { HIBERNATING }';

export interface Sent {
  readonly query?: unknown;
  readonly variables?: unknown;
  readonly operationName?: unknown;
}

/** A valid operation of a client. */
export interface Asked {
  readonly document: DocumentNode;
  readonly kind: OperationTypeNode;
  /** Root fields with their arguments. */
  readonly fields: readonly { readonly name: string; readonly args: Readonly<Record<string, unknown>> }[];
  readonly operationName: string | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

export class PlayedGraph {
  readonly schema: GraphQLSchema;

  private constructor(schema: GraphQLSchema) {
    this.schema = schema;
  }

  static async read(): Promise<PlayedGraph> {
    // The gateway defines the directives that it uses.
    const schema = buildSchema(await readFile(apiPath, 'utf8'), { assumeValidSDL: true });
    return new PlayedGraph(extendSchema(schema, parse(later)));
  }

  /** Throws a GraphQLError for anything that the product would refuse. */
  asked(sent: Sent): Asked {
    if (sent.query === undefined) throw new GraphQLError('The body has no "query".');
    if (typeof sent.query !== 'string') throw new GraphQLError(`\`query\` is ${kindOf(sent.query)}; it must be text`);
    const document = parse(sent.query, { maxTokens: 10_000 });
    const [fault] = validate(this.schema, document);
    if (fault !== undefined) throw fault;
    const operationName = typeof sent.operationName === 'string' ? sent.operationName : undefined;
    const operation = getOperationAST(document, operationName);
    if (operation == null) throw new GraphQLError('Name one of the operations with "operationName".');
    const given = (sent.variables ?? {}) as Readonly<Record<string, unknown>>;
    const { errors, coerced } = getVariableValues(this.schema, operation.variableDefinitions ?? [], given);
    if (errors?.[0] !== undefined) throw errors[0];
    const fields = this.#rootFields(document, operation, coerced ?? {});
    return { document, kind: operation.operation, fields, operationName, variables: given };
  }

  /** `values`: of the root fields, by name. */
  async answer({ document, operationName, variables }: Asked, values: object): Promise<ExecutionResult> {
    return await execute({
      schema: this.schema,
      document,
      operationName: operationName ?? null,
      variableValues: variables,
      rootValue: values,
      fieldResolver: (source: Readonly<Record<string, unknown>>, _args, _context, { fieldName, returnType }) =>
        source[fieldName] ?? this.#madeUp(returnType),
    });
  }

  #rootFields(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>>,
  ) {
    const type = this.schema.getRootType(operation.operation);
    const fragments = new Map<string, FragmentDefinitionNode>();
    for (const each of document.definitions)
      if (each.kind === Kind.FRAGMENT_DEFINITION) fragments.set(each.name.value, each);
    const flat = (selections: readonly SelectionNode[]): Asked['fields'] =>
      selections.flatMap((each) => {
        if (each.kind === Kind.FRAGMENT_SPREAD)
          return flat(fragments.get(each.name.value)?.selectionSet.selections ?? []);
        if (each.kind === Kind.INLINE_FRAGMENT) return flat(each.selectionSet.selections);
        const field = type?.getFields()[each.name.value];
        return field === undefined ? [] : [{ name: field.name, args: getArgumentValues(field, each, variables) }];
      });
    return flat(operation.selectionSet.selections);
  }

  /** Null where the graph allows it. */
  #madeUp(type: GraphQLOutputType): unknown {
    if (!isNonNullType(type)) return null;
    const inner = getNullableType(type);
    if (isListType(inner)) return [];
    if (isEnumType(inner)) return inner.getValues()[0]?.value;
    if (isObjectType(inner)) return {};
    if (isAbstractType(inner)) return { __typename: this.schema.getPossibleTypes(inner)[0]?.name };
    const samples: Readonly<Record<string, unknown>> = { Int: 0, Float: 0, Boolean: false };
    return samples[inner.name] ?? '';
  }
}

export { OperationTypeNode };

/** Kind of a JSON value, with its article. */
function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
