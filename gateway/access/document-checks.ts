// The checks of a document and an operation that need only the schema and the limits. They run on the event loop for documents that are known to be
// valid, and in the judge's process for new ones.
import {
  type DocumentNode,
  type FieldNode,
  GraphQLError,
  type GraphQLSchema,
  getIntrospectionQuery,
  getOperationAST,
  Kind,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError, quoted } from '../../platform/errors/errors.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { checkSize, tokenKinds, tooMuch } from './document-size.ts';
import { IntrospectionSize } from './introspection-size.ts';
import { InvalidGraphqlDocument } from './invalid-document.ts';
import type { OperationLimits } from './limits.ts';
import { OperationMeasurer, type RootField } from './operation-measure.ts';
import { reservedNameRule } from './reserved-name.ts';
import { withEnumValues } from './schema-advice.ts';

/** Permissions of a caller. */
export type Standing = 'anonymous' | 'machine' | 'user';

export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** An operation within its limits. */
interface CheckedOperation {
  readonly operation: OperationDefinitionNode;
  readonly rootFields: readonly RootField[];
  /** Worst-case number of resolved fields. */
  readonly cost: number;
}

const rulesOfAll = [...specifiedRules, reservedNameRule];
/** Validation stops at this number of faults, because it is the most expensive step for a refused document. */
const mostErrors = 20;

/** The query with which tools read the whole schema. An operation may contain as many introspection fields as this. */
const wholeSchemaQuery = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const wholeSchemas = 2;

export class DocumentChecks {
  readonly #supergraph: Pick<Supergraph, 'ownerOf'>;
  readonly #schema: GraphQLSchema;
  readonly #limits: OperationLimits;
  readonly #size: IntrospectionSize;
  readonly #maxIntrospection: number;
  readonly #maxAnonymousTokens: number;

  constructor(supergraph: Pick<Supergraph, 'schema' | 'ownerOf'>, limits: OperationLimits) {
    this.#supergraph = supergraph;
    this.#schema = supergraph.schema;
    this.#limits = limits;
    this.#size = new IntrospectionSize(supergraph.schema);
    this.#maxAnonymousTokens = Math.min(
      limits.maxTokens,
      Math.max(limits.maxAnonymousTokens, limits.anonymousIntrospection ? [...tokenKinds(wholeSchemaQuery)].length : 0),
    );
    const whole = parse(wholeSchemaQuery);
    const operation = getOperationAST(whole) as OperationDefinitionNode;
    this.#maxIntrospection = wholeSchemas * this.measurerOf(whole, operation, {}).measure().introspection;
  }

  /** Returns the number of tokens. Throws LIMIT_EXCEEDED. */
  size(text: string, standing: Standing): number {
    const isAnonymous = standing === 'anonymous';
    return checkSize(text, isAnonymous ? this.#maxAnonymousTokens : this.#limits.maxTokens, isAnonymous);
  }

  measurerOf(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>> = {},
  ): OperationMeasurer {
    return new OperationMeasurer({ schema: this.#schema, size: this.#size, document, operation, variables });
  }

  /** Throws a CodedError (limits, login), or InvalidGraphqlDocument if the operation is not in the document. */
  check(document: DocumentNode, request: Omit<OperationRequest, 'query'>, standing: Standing): CheckedOperation {
    const operation = operationOf(document, request.operationName);
    const measurer = this.measurerOf(document, operation, request.variables);
    const rootFields = measurer.rootFields(this.#limits.maxRootFields);
    this.#checkLogin(operation, rootFields, standing);
    return { operation, rootFields, cost: this.#checkLimits(operation, rootFields, measurer) };
  }

  /** Throws InvalidGraphqlDocument. */
  validate(text: string): void {
    const rules = this.#limits.introspection ? rulesOfAll : [...rulesOfAll, NoSchemaIntrospectionCustomRule];
    // Parsed again with positions in the text.
    const errors = validate(this.#schema, parse(text), rules, { maxErrors: mostErrors });
    if (errors.length === 0) return;
    const shown = this.#limits.introspection
      ? (error: GraphQLError) => advised(this.#schema, error)
      : withoutSuggestion;
    throw InvalidGraphqlDocument.of(errors.map(shown));
  }

  #checkLogin({ operation }: OperationDefinitionNode, rootFields: readonly RootField[], standing: Standing): void {
    if (standing === 'user') return;
    const isMachine = standing === 'machine';
    const type = this.#schema.getRootType(operation)?.name ?? '';
    const { publicFields, machineFields, anonymousIntrospection } = this.#limits;
    const isPublic = ({ name, node }: RootField) =>
      name.startsWith('__')
        ? anonymousIntrospection || name === '__typename' || (name === '__type' && selectsNameAlone(node))
        : publicFields.includes(`${type}.${name}`) || (isMachine && machineFields.includes(`${type}.${name}`));
    const secret = rootFields.find((field) => !isPublic(field));
    if (secret !== undefined && isMachine) throw new CodedError('FORBIDDEN', `A machine may not use ${secret.name}.`);
    if (secret !== undefined)
      throw new CodedError(
        'UNAUTHENTICATED',
        `${secret.name} requires a login: send the header "Authorization: Bearer …" with a token from the mutation login.`,
      );
  }

  /** Returns the cost. */
  #checkLimits(
    operation: OperationDefinitionNode,
    rootFields: readonly RootField[],
    measurer: OperationMeasurer,
  ): number {
    const limits = this.#limits;
    if (rootFields.length > limits.maxRootFields)
      throw tooMuch('root fields', `more than ${limits.maxRootFields}`, limits.maxRootFields);
    const { depth, aliases, cost, introspection } = measurer.measure();
    if (depth > limits.maxDepth) throw tooMuch('depth', depth, limits.maxDepth);
    if (aliases > limits.maxAliases) throw tooMuch('aliases', aliases, limits.maxAliases);
    if (cost > limits.maxCost) throw tooMuch('cost', cost, limits.maxCost);
    if (introspection > this.#maxIntrospection)
      throw tooMuch('introspection cost', Math.ceil(introspection), Math.floor(this.#maxIntrospection));
    if (operation.operation !== OperationTypeNode.MUTATION) return cost;
    const owners = new Set(rootFields.flatMap(({ name }) => this.#supergraph.ownerOf(`Mutation.${name}`) ?? []));
    if (owners.size > 1)
      throw new CodedError(
        'LIMIT_EXCEEDED',
        `The operation has ${owners.size} subgraphs of the mutations in one document (${[...owners].join(', ')}); at most 1 is allowed: the loss of one could hide the results of another. Send them in separate documents.`,
        { limit: 'subgraphs of the mutations in one document', most: 1 },
      );
    for (const subgraph of limits.oneMutationSubgraphs) {
      const writes = rootFields.filter(({ name }) => this.#supergraph.ownerOf(`Mutation.${name}`) === subgraph);
      if (writes.length > 1) throw tooMuch(`mutations of ${subgraph} in one document`, writes.length, 1);
    }
    return cost;
  }
}

export function standingOf(identity: Identity | null): Standing {
  if (identity === null) return 'anonymous';
  return identity.kind === 'machine' ? 'machine' : 'user';
}

/** Without positions. Throws InvalidGraphqlDocument. */
export function parsed(text: string): DocumentNode {
  try {
    return parse(text, { noLocation: true });
  } catch (error) {
    throw InvalidGraphqlDocument.of(
      [error instanceof GraphQLError ? error : new GraphQLError(String(error))],
      'GRAPHQL_PARSE_FAILED',
    );
  }
}

/** Throws InvalidGraphqlDocument. */
export function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (operation != null) return operation;
  throw InvalidGraphqlDocument.of(
    [new GraphQLError(unresolved(document, operationName))],
    'OPERATION_RESOLUTION_FAILURE',
  );
}

const mostNames = 10;

function unresolved({ definitions }: DocumentNode, operationName: string | undefined): string {
  const operations = definitions.flatMap((each) => (each.kind === Kind.OPERATION_DEFINITION ? [each] : []));
  if (operations.length === 0)
    return 'The document has no operation, only fragments: add the query or mutation to execute.';
  const names = operations.flatMap(({ name }) => name?.value.slice(0, 60) ?? []);
  const listed = `${names.slice(0, mostNames).join(', ')}${names.length > mostNames ? ', …' : ''}`;
  if (operationName === undefined)
    return names.length < operations.length
      ? 'The document has several operations: give each a name, and send the name of one as operationName.'
      : `The document has ${operations.length} operations (${listed}): send the name of one as operationName.`;
  const none = `The document has no operation named ${quoted(operationName)}`;
  return names.length === 0
    ? `${none}, and its own has no name: leave operationName out.`
    : `${none}; it has ${listed}.`;
}

/** It only shows whether a type exists whose name the caller already knows. */
function selectsNameAlone({ selectionSet }: FieldNode): boolean {
  return (selectionSet?.selections ?? []).every(
    (each) => each.kind === Kind.FIELD && (each.name.value === 'name' || each.name.value === '__typename'),
  );
}

function advised(schema: GraphQLSchema, { message, source, positions }: GraphQLError): GraphQLError {
  return new GraphQLError(withEnumValues(schema, message), { source: source ?? null, positions: positions ?? null });
}

/** Suggestions reveal names of the schema. */
function withoutSuggestion({ message, source, positions }: GraphQLError): GraphQLError {
  const shown = message.replace(/ Did you mean [\s\S]*$/, '');
  return new GraphQLError(shown, { source: source ?? null, positions: positions ?? null });
}
