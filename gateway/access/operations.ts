// The way in for every operation, HTTP and socket alike: parse, limits, validation, and whether one without login may be
// asked. What is refused here has reached no resolver and no subgraph.

import { createHash } from 'node:crypto';
import {
  type DocumentNode,
  GraphQLError,
  getIntrospectionQuery,
  getOperationAST,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  OperationTypeNode,
  parse,
  specifiedRules,
  validate,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { CodedError } from '../../platform/errors.ts';
import { heldBytes } from '../../platform/held-bytes.ts';
import type { Identity } from '../../platform/identity.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { IntrospectionSize } from './introspection-size.ts';
import type { OperationLimits } from './limits.ts';
import { OperationMeasurer, type RootField } from './operation-measure.ts';

/** Of documents kept parsed and validated: anyone may send them. */
const maxDocumentBytes = 32 * 1024 * 1024;

/** What tools ask to know the whole schema, with everything that they may ask; an operation may ask for so many of it. */
const wholeSchemaQuery = getIntrospectionQuery({
  descriptions: true,
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});
const wholeSchemas = 2;

/** A document that fits the schema. */
interface ValidDocument {
  readonly document: DocumentNode;
  /** SHA-256 of its text, hexadecimal: also what Apollo Server calls its query hash. */
  readonly hash: string;
}

export interface AdmittedOperation extends ValidDocument {
  readonly operation: OperationDefinitionNode;
  /** Names document and operation. */
  readonly key: string;
}

export interface OperationRequest {
  readonly query: string;
  readonly operationName?: string | undefined;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

/** A document that does not parse or does not fit the schema. */
export class InvalidDocument extends Error {
  readonly errors: readonly GraphQLError[];

  constructor(errors: readonly GraphQLError[]) {
    super(errors.map((error) => error.message).join('; '));
    this.name = 'InvalidDocument';
    this.errors = errors;
  }
}

export class Operations {
  readonly #supergraph: Supergraph;
  readonly #limits: OperationLimits;
  readonly #size: IntrospectionSize;
  readonly #maxIntrospection: number;
  readonly #documents = new LRUCache<string, DocumentNode>({
    maxSize: maxDocumentBytes,
    sizeCalculation: (document) => heldBytes(document),
  });

  constructor(supergraph: Supergraph, limits: OperationLimits) {
    this.#supergraph = supergraph;
    this.#limits = limits;
    this.#size = new IntrospectionSize(supergraph.schema);
    this.#maxIntrospection = wholeSchemas * this.#measurerOf(parse(wholeSchemaQuery)).measure().introspection;
  }

  /** The document of that hash, when it is known to be valid. */
  known(hash: string): DocumentNode | undefined {
    return this.#documents.get(hash);
  }

  /** Throws a CodedError (limits, login) or InvalidDocument. */
  admit(request: OperationRequest, identity: Identity | null): AdmittedOperation {
    const hash = createHash('sha256').update(request.query).digest('hex');
    const known = this.#documents.get(hash);
    const document = known ?? this.#parse(request.query);
    const operation = getOperationAST(document, request.operationName);
    if (operation == null)
      throw new InvalidDocument([
        new GraphQLError(
          request.operationName === undefined
            ? 'The document must have one operation, or operationName must choose one.'
            : `The document has no operation named ${JSON.stringify(request.operationName)}.`,
        ),
      ]);
    const measurer = this.#measurerOf(document, operation, request.variables);
    const rootFields = measurer.rootFields(this.#limits.maxRootFields);
    this.#checkLogin(operation, rootFields, identity);
    this.#checkLimits(operation, rootFields, measurer);
    if (known === undefined) {
      this.#validate(document, request.query);
      this.#documents.set(hash, document);
    }
    return { document, hash, operation, key: `${hash}/${operation.name?.value ?? ''}` };
  }

  #parse(text: string): DocumentNode {
    try {
      return parse(text, { maxTokens: this.#limits.maxTokens, noLocation: true });
    } catch (error) {
      if (error instanceof GraphQLError && /contains more that \d+ tokens/.test(error.message))
        throw tooMuch('tokens', `more than ${this.#limits.maxTokens}`, this.#limits.maxTokens);
      throw new InvalidDocument([error instanceof GraphQLError ? error : new GraphQLError(String(error))]);
    }
  }

  #measurerOf(
    document: DocumentNode,
    operation = getOperationAST(document) as OperationDefinitionNode,
    variables: Readonly<Record<string, unknown>> = {},
  ): OperationMeasurer {
    return new OperationMeasurer({ schema: this.#supergraph.schema, size: this.#size, document, operation, variables });
  }

  #checkLimits(
    operation: OperationDefinitionNode,
    rootFields: readonly RootField[],
    measurer: OperationMeasurer,
  ): void {
    const limits = this.#limits;
    if (rootFields.length > limits.maxRootFields)
      throw tooMuch('root fields', `more than ${limits.maxRootFields}`, limits.maxRootFields);
    const { depth, aliases, cost, introspection } = measurer.measure();
    if (depth > limits.maxDepth) throw tooMuch('depth', depth, limits.maxDepth);
    if (aliases > limits.maxAliases) throw tooMuch('aliases', aliases, limits.maxAliases);
    if (cost > limits.maxCost) throw tooMuch('cost', cost, limits.maxCost);
    if (introspection > this.#maxIntrospection)
      throw tooMuch('introspection cost', Math.ceil(introspection), Math.floor(this.#maxIntrospection));
    if (operation.operation !== OperationTypeNode.MUTATION) return;
    for (const subgraph of limits.oneMutationSubgraphs) {
      const writes = rootFields.filter(({ name }) => this.#supergraph.ownerOf(`Mutation.${name}`) === subgraph);
      if (writes.length > 1) throw tooMuch(`mutations of ${subgraph} in one document`, writes.length, 1);
    }
  }

  #checkLogin(
    { operation }: OperationDefinitionNode,
    rootFields: readonly RootField[],
    identity: Identity | null,
  ): void {
    if (identity !== null) return;
    const type = this.#supergraph.rootType(operation)?.name ?? '';
    const { publicFields, anonymousIntrospection } = this.#limits;
    const isPublic = ({ name }: RootField) =>
      name.startsWith('__')
        ? anonymousIntrospection || name === '__typename'
        : publicFields.includes(`${type}.${name}`);
    const secret = rootFields.find((field) => !isPublic(field));
    if (secret !== undefined)
      throw new CodedError(
        'UNAUTHENTICATED',
        `${secret.name} needs a login: send "Authorization: Bearer …" with a token that the mutation login gives.`,
      );
  }

  #validate(document: DocumentNode, text: string): void {
    const rules = this.#limits.introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule];
    const { schema } = this.#supergraph;
    if (validate(schema, document, rules).length === 0) return;
    // Once more with the places in the text, which are not kept: they are four times the document.
    throw new InvalidDocument(validate(schema, parse(text), rules));
  }
}

function tooMuch(limit: string, asked: number | string, most: number): CodedError {
  return new CodedError(
    'LIMIT_EXCEEDED',
    `The operation has ${limit} ${asked}; at most ${most} is allowed. Split it.`,
    {
      limit,
      most,
    },
  );
}
