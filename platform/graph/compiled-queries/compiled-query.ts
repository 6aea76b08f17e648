// Executes queries of a subgraph from a plan that is made once per document: fields are collected, types are told apart and arguments are
// read once, and values that are there already need no promise. The result, the errors and the order of the resolvers' calls are those
// of graphql-js, which executes everything else (docs/decisions/0285).
import {
  assertValidSchema,
  BREAK,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  execute,
  type FragmentDefinitionNode,
  type GraphQLSchema,
  getOperationAST,
  getVariableValues,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  visit,
} from 'graphql';
import { CollectedErrors } from './collected-errors.ts';
import { executeFields, isPromise, type Run, type SelectedField } from './execute-fields.ts';
import { SelectionPlans } from './selection-plans.ts';

type QueryArgs = Pick<ExecutionArgs, 'schema' | 'document' | 'variableValues' | 'operationName' | 'contextValue'>;

/** As graphql-js. */
const maxVariableErrors = 50;

/** Like `execute` of graphql-js. The plan lives as long as the document. */
export function executeQuery(args: QueryArgs): ExecutionResult | Promise<ExecutionResult> {
  const query = compiledQuery(args.schema, args.document, args.operationName);
  return query === undefined ? execute(args) : query.execute(args);
}

type Compiled = CompiledQuery | undefined;

/** By operation, undefined for one that graphql-js executes. */
const plans = new WeakMap<GraphQLSchema, WeakMap<DocumentNode, Map<OperationDefinitionNode, Compiled>>>();

function compiledQuery(schema: GraphQLSchema, document: DocumentNode, operationName?: string | null): Compiled {
  const operation = getOperationAST(document, operationName);
  // graphql-js says what is wrong.
  if (operation == null) return undefined;
  const ofSchema = plans.get(schema) ?? new WeakMap<DocumentNode, Map<OperationDefinitionNode, Compiled>>();
  plans.set(schema, ofSchema);
  const ofDocument = ofSchema.get(document) ?? new Map<OperationDefinitionNode, Compiled>();
  ofSchema.set(document, ofDocument);
  if (!ofDocument.has(operation))
    ofDocument.set(
      operation,
      isCovered(schema, document, operation) ? new CompiledQuery(schema, document, operation) : undefined,
    );
  return ofDocument.get(operation);
}

class CompiledQuery {
  readonly #schema: GraphQLSchema;
  readonly #operation: OperationDefinitionNode;
  readonly #fragments: Readonly<Record<string, FragmentDefinitionNode>>;
  readonly #fields: readonly SelectedField[];

  constructor(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) {
    this.#schema = schema;
    this.#operation = operation;
    this.#fragments = Object.fromEntries(
      document.definitions.flatMap((each) =>
        each.kind === Kind.FRAGMENT_DEFINITION ? [[each.name.value, each] as const] : [],
      ),
    );
    const type = schema.getQueryType();
    this.#fields = type ? new SelectionPlans(schema, this.#fragments).fields(type, [operation]) : [];
  }

  execute({ variableValues, contextValue }: QueryArgs): ExecutionResult | Promise<ExecutionResult> {
    const definitions = this.#operation.variableDefinitions ?? [];
    const options = { maxErrors: maxVariableErrors };
    const { coerced, errors } = getVariableValues(this.#schema, definitions, variableValues ?? {}, options);
    if (coerced === undefined) return { errors };
    const run: Run = {
      schema: this.#schema,
      fragments: this.#fragments,
      operation: this.#operation,
      variableValues: coerced,
      context: contextValue,
      errors: new CollectedErrors(),
      args: new Map(),
    };
    const failed = (error: unknown): ExecutionResult => {
      run.errors.add(error, undefined);
      return resultOf(null, run);
    };
    try {
      const data = executeFields(this.#fields, undefined, run, undefined);
      return isPromise(data) ? data.then((each) => resultOf(each, run), failed) : resultOf(data, run);
    } catch (error) {
      return failed(error);
    }
  }
}

function resultOf(data: Record<string, unknown> | null, { errors: { all } }: Run): ExecutionResult {
  return all.length === 0 ? { data } : { errors: all, data };
}

/** No mutation or subscription, no directive, no introspection, no type that recognises its own objects. */
function isCovered(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode): boolean {
  assertValidSchema(schema);
  if (operation.operation !== OperationTypeNode.QUERY || recognises(schema)) return false;
  let covered = true;
  const leave = () => {
    covered = false;
    return BREAK;
  };
  visit(document, {
    Directive: leave,
    Field: ({ name }) => (name.value.startsWith('__') && name.value !== '__typename' ? leave() : undefined),
  });
  return covered;
}

const recognising = new WeakMap<GraphQLSchema, boolean>();

function recognises(schema: GraphQLSchema): boolean {
  const known = recognising.get(schema);
  if (known !== undefined) return known;
  const found = Object.values(schema.getTypeMap()).some((type) => isObjectType(type) && type.isTypeOf != null);
  recognising.set(schema, found);
  return found;
}
