// Admission of every operation, over HTTP and sockets alike: parsing, limits, validation, and the login. Operations refused here
// reach no resolver and no subgraph.

import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  type ExecutionResult,
  type FieldNode,
  GraphQLError,
  type GraphQLFormattedError,
  getIntrospectionQuery,
  getOperationAST,
  Kind,
  Lexer,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  Source,
  specifiedRules,
  TokenKind,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { CodedError } from '../../platform/edge/errors.ts';
import { countsFor, type Identity } from '../../platform/edge/identity.ts';
import type { TokenBuckets } from '../../platform/edge/token-buckets.ts';
import { clientNetwork } from '../../platform/net/address-block.ts';
import { heldBytes } from '../../platform/values/held-bytes.ts';
import { nestsDeeperThan } from '../../platform/values/json.ts';
import type { PreparedOperation } from '../supergraph/executor.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import type { Acceptance } from './acceptance.ts';
import { IntrospectionSize } from './introspection-size.ts';
import type { OperationLimits } from './limits.ts';
import { OperationMeasurer, type RootField } from './operation-measure.ts';
import type { PublishedOperations } from './published-operations.ts';
import { reservedNameRule } from './reserved-name.ts';
import { SenderCounts } from './sender-counts.ts';
import { withoutValues } from './without-values.ts';

/** Cache of parsed and validated documents: anyone may send them. */
const maxDocumentBytes = 32 * 1024 * 1024;
/** The same of published operations, which nobody else's can evict. */
const maxPublishedBytes = 32 * 1024 * 1024;
/** Cache of the faults of refused documents. */
const maxRefusedBytes = 4 * 1024 * 1024;
const rulesOfAll = [...specifiedRules, reservedNameRule];
/** Validation stops at this number of faults: it is the most expensive step for a refused document. */
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

/** Root fields that an examination counts. */
const mostCounted = 1_000;

/** Brackets in a document, and lists and objects in variables: far more than any input of a graph needs. */
const mostNesting = 64;
const opening: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L]);
const closing: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R]);

/** A document that is valid for the schema. */
interface ValidGraphqlDocument {
  readonly document: DocumentNode;
  /** SHA-256 of its text, hexadecimal: Apollo Server's query hash. */
  readonly hash: string;
}

export interface AdmittedOperation extends ValidGraphqlDocument {
  readonly operation: OperationDefinitionNode;
  /** Identifies document and operation. */
  readonly key: string;
  readonly cost: OperationCost;
}

/** Worst-case number of resolved fields, beside the limit. */
interface OperationCost {
  readonly requested: number;
  readonly limit: number;
}

/** The result with what each answer has beside data and errors. */
export function withCost(
  result: ExecutionResult,
  { cost }: Pick<AdmittedOperation, 'cost'>,
  requestId: string,
): ExecutionResult {
  return { ...result, extensions: { ...result.extensions, cost, requestId } };
}

/** A limit beside what the operation has of it. */
interface LimitFigure {
  /** As in `extensions.limit` of a refusal. */
  readonly limit: string;
  readonly requested: number;
  readonly most: number;
}

/** What `admit` would say of an operation. */
interface ExaminedOperation extends ValidGraphqlDocument {
  readonly operation: OperationDefinitionNode;
  readonly key: string;
  readonly isPublished: boolean;
  readonly limits: readonly LimitFigure[];
  /** Undefined if it would be admitted. */
  readonly refusal: CodedError | undefined;
}

interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** The faults of a document for the answer: without its nodes, which would hold the whole document in memory. */
type GraphqlDocumentFault = Pick<GraphQLFormattedError, 'message' | 'locations'> & {
  readonly extensions: { readonly code: string };
};

/** A document that does not parse or is not valid for the schema, or variables that do not match the document. */
export class InvalidGraphqlDocument extends Error {
  readonly faults: readonly GraphqlDocumentFault[];

  constructor(errors: readonly GraphQLError[], code = 'GRAPHQL_VALIDATION_FAILED') {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'InvalidGraphqlDocument';
    this.faults = errors.map(({ message, locations }) => ({
      message: shortened(withoutValues(message)),
      ...(locations === undefined ? {} : { locations }),
      extensions: { code },
    }));
  }
}

/** Messages quote names of the document, which may be as long as the document. */
const mostMessage = 500;

/** Suggestions reveal names of the schema. */
function withoutSuggestion({ message, source, positions }: GraphQLError): GraphQLError {
  const shown = message.replace(/ Did you mean [\s\S]*$/, '');
  return new GraphQLError(shown, { source: source ?? null, positions: positions ?? null });
}

function shortened(message: string): string {
  return message.length <= mostMessage ? message : `${message.slice(0, mostMessage)} …`;
}

/** Decides over documents by their hashes. */
interface TrustedDocuments {
  readonly published: Pick<PublishedOperations, 'has'>;
  readonly acceptance: Pick<Acceptance, 'check' | 'examine'>;
}

const noTrust: TrustedDocuments = {
  published: { has: () => false },
  acceptance: { check: () => {}, examine: () => {} },
};

export class Operations {
  readonly #supergraph: Supergraph;
  readonly #limits: OperationLimits;
  readonly #trusted: TrustedDocuments;
  readonly #size: IntrospectionSize;
  readonly #maxIntrospection: number;
  readonly #maxAnonymousTokens: number;
  readonly #mutations: TokenBuckets;
  readonly #refusals: TokenBuckets;
  readonly #documents = documentCache(maxDocumentBytes);
  readonly #published = documentCache(maxPublishedBytes);

  /** Validated once: a refused document that is sent again is recognised by its hash. */
  readonly #refused = new LRUCache<string, InvalidGraphqlDocument>({
    maxSize: maxRefusedBytes,
    sizeCalculation: ({ message, faults }) => heldBytes(message) + heldBytes(faults),
  });

  constructor(
    supergraph: Supergraph,
    limits: OperationLimits,
    trusted = noTrust,
    { mutations, refusals } = new SenderCounts(limits),
  ) {
    this.#supergraph = supergraph;
    this.#limits = limits;
    this.#trusted = trusted;
    this.#mutations = mutations;
    this.#refusals = refusals;
    this.#size = new IntrospectionSize(supergraph.schema);
    this.#maxAnonymousTokens = Math.min(
      limits.maxTokens,
      Math.max(limits.maxAnonymousTokens, limits.anonymousIntrospection ? [...tokenKinds(wholeSchemaQuery)].length : 0),
    );
    this.#maxIntrospection = wholeSchemas * this.#measurerOf(parse(wholeSchemaQuery)).measure().introspection;
  }

  /** The document of that hash, if it is known to be valid. */
  known(hash: string): DocumentNode | undefined {
    return this.#cacheOf(hash).get(hash);
  }

  #cacheOf(hash: string): LRUCache<string, DocumentNode> {
    return this.#trusted.published.has(hash) ? this.#published : this.#documents;
  }

  /** Valid documents that are not published, by hash, the last used one first. */
  recent(): Iterable<readonly [hash: string, document: DocumentNode]> {
    return this.#documents.entries();
  }

  /** Takes over a document that was valid for an earlier graph, if it is for this one, and returns its operations. */
  adopt(hash: string, document: DocumentNode): readonly PreparedOperation[] {
    if (validate(this.#supergraph.schema, document, this.#rules(), { maxErrors: 1 }).length > 0) return [];
    this.#documents.set(hash, document);
    return document.definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION && each.operation !== OperationTypeNode.SUBSCRIPTION
        ? [{ key: keyOf(hash, each), document, operationName: each.name?.value }]
        : [],
    );
  }

  /** Parses and validates a published operation before it is sent. Throws a CodedError or InvalidGraphqlDocument. */
  prepare(hash: string, text: string): Pick<AdmittedOperation, 'document' | 'operation' | 'key'> {
    const document = this.#parse(text, this.#limits.maxTokens);
    const operation = operationOf(document, undefined);
    this.#validate(text, hash);
    this.#cacheOf(hash).set(hash, document);
    return { document, operation, key: keyOf(hash, operation) };
  }

  /** Throws a CodedError (limits, login) or InvalidGraphqlDocument. `clientAddress` is charged for clients without a login. */
  admit(request: OperationRequest, identity: Identity | null, clientAddress?: string): AdmittedOperation {
    checkNesting(request.variables);
    const hash = createHash('sha256').update(request.query).digest('hex');
    this.#trusted.acceptance.check(hash, identity, request.operationName);
    const known = this.known(hash);
    if (known !== undefined) return this.#admit(request, identity, hash, known);
    // Without a login the schema is not revealed, nor are the faults reported to others.
    const refused = identity === null ? undefined : this.#refused.get(hash);
    if (refused !== undefined) throw refused;
    if (identity !== null && this.#trusted.published.has(hash)) return this.#admit(request, identity, hash, undefined);
    const sender = identity === null ? clientNetwork(clientAddress) : countsFor(identity);
    this.#checkRefusals(sender, identity);
    try {
      return this.#admit(request, identity, hash, undefined);
    } finally {
      // A request without a login can be charged to nobody else, even if it is accepted.
      if (identity === null || !this.#documents.has(hash))
        this.#refusals.spend(sender, 1 + Math.floor(request.query.length / 1024));
    }
  }

  /**
   * The figures of a valid document, and whether it would be refused. Counts as a document that is refused, and as no mutation. Throws as
   * `admit` does where nothing can be said.
   */
  examine(request: OperationRequest, identity: Identity): ExaminedOperation {
    const sender = countsFor(identity);
    this.#checkRefusals(sender, identity);
    this.#refusals.spend(sender, 1 + Math.floor(request.query.length / 1024));
    const hash = createHash('sha256').update(request.query).digest('hex');
    const document = this.#parse(request.query, this.#limits.maxTokens);
    const operation = operationOf(document, request.operationName);
    this.#validate(request.query, hash);
    const limits = this.#limits;
    const measurer = this.#measurerOf(document, operation, request.variables);
    const { depth, aliases, cost } = measurer.measure();
    return {
      ...{ document, hash, operation, key: keyOf(hash, operation), isPublished: this.#trusted.published.has(hash) },
      limits: [
        { limit: 'tokens', requested: [...tokenKinds(request.query)].length, most: limits.maxTokens },
        { limit: 'root fields', requested: measurer.rootFields(mostCounted).length, most: limits.maxRootFields },
        { limit: 'depth', requested: depth, most: limits.maxDepth },
        { limit: 'aliases', requested: aliases, most: limits.maxAliases },
        { limit: 'cost', requested: cost, most: limits.maxCost },
      ],
      refusal: refusalBy(() => {
        checkNesting(request.variables);
        this.#trusted.acceptance.examine(hash, identity);
        const rootFields = measurer.rootFields(limits.maxRootFields);
        this.#checkLogin(operation, rootFields, identity);
        this.#checkLimits(operation, rootFields, measurer);
      }),
    };
  }

  #checkRefusals(sender: string, identity: Identity | null): void {
    const retryAfterMs = this.#refusals.waitMs(sender);
    if (retryAfterMs === 0) return;
    const reason =
      identity === null
        ? 'Too many different documents without a login came from your network'
        : 'Too many documents from this user or API token were refused';
    throw new CodedError(
      'RATE_LIMITED',
      `${reason}; new ones are not read, and nothing was done. Send it again in ${retryAfterMs} ms.`,
      { limit: 'KiB of refused documents in a minute', most: this.#limits.refusedKibPerMinute, retryAfterMs },
    );
  }

  #admit(
    request: OperationRequest,
    identity: Identity | null,
    hash: string,
    known: DocumentNode | undefined,
  ): AdmittedOperation {
    const isAnonymous = identity === null;
    const maxTokens = isAnonymous ? this.#maxAnonymousTokens : this.#limits.maxTokens;
    const document = known ?? this.#parse(request.query, maxTokens, isAnonymous);
    const operation = operationOf(document, request.operationName);
    const measurer = this.#measurerOf(document, operation, request.variables);
    const rootFields = measurer.rootFields(this.#limits.maxRootFields);
    this.#checkLogin(operation, rootFields, identity);
    const cost = { requested: this.#checkLimits(operation, rootFields, measurer), limit: this.#limits.maxCost };
    if (known === undefined) {
      this.#validate(request.query, hash);
      this.#cacheOf(hash).set(hash, document);
    }
    if (operation.operation === OperationTypeNode.MUTATION) this.#countMutations(rootFields.length, identity);
    return { document, hash, operation, key: keyOf(hash, operation), cost };
  }

  #parse(text: string, maxTokens: number, isAnonymous = false): DocumentNode {
    refuseLarge(text, maxTokens, isAnonymous);
    try {
      return parse(text, { maxTokens, noLocation: true });
    } catch (error) {
      throw new InvalidGraphqlDocument(
        [error instanceof GraphQLError ? error : new GraphQLError(String(error))],
        'GRAPHQL_PARSE_FAILED',
      );
    }
  }

  #measurerOf(
    document: DocumentNode,
    operation = getOperationAST(document) as OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>> = {},
  ): OperationMeasurer {
    return new OperationMeasurer({ schema: this.#supergraph.schema, size: this.#size, document, operation, variables });
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

  /** Last, so that only mutations that will be executed count. Mutations without a login are limited where they are served. */
  #countMutations(count: number, identity: Identity | null): void {
    if (identity === null || this.#mutations.take(countsFor(identity), count) !== undefined) return;
    const most = this.#limits.mutationsPerMinute;
    const retryAfterMs = this.#mutations.waitMs(countsFor(identity), count);
    throw new CodedError(
      'RATE_LIMITED',
      `More than ${most} mutations in a minute came from this user or API token; nothing was done. Send it again in ${retryAfterMs} ms.`,
      { limit: 'mutations in a minute', most, retryAfterMs },
    );
  }

  #checkLogin(
    { operation }: OperationDefinitionNode,
    rootFields: readonly RootField[],
    identity: Identity | null,
  ): void {
    if (identity !== null && identity.kind !== 'machine') return;
    const type = this.#supergraph.rootType(operation)?.name ?? '';
    const { publicFields, machineFields, anonymousIntrospection } = this.#limits;
    const isPublic = ({ name, node }: RootField) =>
      name.startsWith('__')
        ? anonymousIntrospection || name === '__typename' || (name === '__type' && selectsNameAlone(node))
        : publicFields.includes(`${type}.${name}`) || (identity !== null && machineFields.includes(`${type}.${name}`));
    const secret = rootFields.find((field) => !isPublic(field));
    if (secret !== undefined && identity !== null)
      throw new CodedError('FORBIDDEN', `A machine may not use ${secret.name}.`);
    if (secret !== undefined)
      throw new CodedError(
        'UNAUTHENTICATED',
        `${secret.name} requires a login: send the header "Authorization: Bearer …" with a token from the mutation login.`,
      );
  }

  #rules() {
    return this.#limits.introspection ? rulesOfAll : [...rulesOfAll, NoSchemaIntrospectionCustomRule];
  }

  #validate(text: string, hash: string): void {
    const refused = this.#refused.get(hash);
    if (refused !== undefined) throw refused;
    // Parsed again, with the positions in the text. They are not cached: they take four times the memory of the document.
    const errors = validate(this.#supergraph.schema, parse(text), this.#rules(), { maxErrors: mostErrors });
    if (errors.length === 0) return;
    const invalid = new InvalidGraphqlDocument(this.#limits.introspection ? errors : errors.map(withoutSuggestion));
    this.#refused.set(hash, invalid);
    throw invalid;
  }
}

function documentCache(maxSize: number): LRUCache<string, DocumentNode> {
  return new LRUCache({ maxSize, sizeCalculation: (document) => heldBytes(document) });
}

function keyOf(hash: string, { name }: OperationDefinitionNode): string {
  return `${hash}/${name?.value ?? ''}`;
}

/** The hash in the key of an operation. */
export function hashIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** Throws InvalidGraphqlDocument. */
function operationOf(document: DocumentNode, operationName: string | undefined): OperationDefinitionNode {
  const operation = getOperationAST(document, operationName);
  if (operation != null) return operation;
  const message =
    operationName === undefined
      ? 'The document must have exactly one operation, or operationName must select one.'
      : `The document has no operation named ${JSON.stringify(operationName)}.`;
  throw new InvalidGraphqlDocument([new GraphQLError(message)], 'OPERATION_RESOLUTION_FAILURE');
}

function checkNesting(variables: OperationRequest['variables']): void {
  if (nestsDeeperThan(variables, mostNesting))
    throw tooMuch('nesting of the variables', `more than ${mostNesting}`, mostNesting);
}

function refusalBy(check: () => void): CodedError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}

/** It tells whether a type exists whose name the caller already knows, and nothing else of the schema. */
function selectsNameAlone({ selectionSet }: FieldNode): boolean {
  return (selectionSet?.selections ?? []).every(
    (each) => each.kind === Kind.FIELD && (each.name.value === 'name' || each.name.value === '__typename'),
  );
}

/** Runs before parsing: recursive functions, here and in the libraries, process the document later. */
function refuseLarge(text: string, maxTokens: number, isAnonymous: boolean): void {
  let [depth, tokens] = [0, 0];
  try {
    for (const kind of tokenKinds(text)) {
      tokens += 1;
      if (opening.has(kind)) depth += 1;
      else if (closing.has(kind)) depth -= 1;
      if (depth > mostNesting || tokens > maxTokens) break;
    }
  } catch {
    // Not GraphQL: the parser reports the position.
  }
  if (depth > mostNesting) throw tooMuch('nesting of brackets', `more than ${mostNesting}`, mostNesting);
  if (tokens <= maxTokens) return;
  if (!isAnonymous) throw tooMuch('tokens', `more than ${maxTokens}`, maxTokens);
  throw new CodedError(
    'LIMIT_EXCEEDED',
    `Without a login, a document may have at most ${maxTokens} tokens. Log in first, or send a smaller document.`,
    { limit: 'tokens without a login', most: maxTokens },
  );
}

function* tokenKinds(text: string): Generator<TokenKind> {
  const lexer = new Lexer(new Source(text));
  for (let token = lexer.advance(); token.kind !== TokenKind.EOF; token = lexer.advance()) yield token.kind;
}

function tooMuch(limit: string, asked: number | string, most: number): CodedError {
  return new CodedError(
    'LIMIT_EXCEEDED',
    `The operation has ${limit} ${asked}; at most ${most} is allowed. Split it.`,
    { limit, most, ...(typeof asked === 'number' ? { requested: asked } : {}) },
  );
}
