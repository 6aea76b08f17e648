// Admission of every operation, over HTTP and sockets alike: limits, validation, and the login. Operations refused here reach no resolver and no
// subgraph. A known document is admitted immediately. A new one is first judged in another process.
import { hash as digest } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import {
  type DocumentNode,
  type ExecutionResult,
  Kind,
  type OperationDefinitionNode,
  OperationTypeNode,
  print,
} from 'graphql';
import { LRUCache } from 'lru-cache';
import { callerOf } from '../../platform/caller/caller.ts';
import { countsFor, type Identity } from '../../platform/caller/identity.ts';
import type { TokenBuckets } from '../../platform/edge/token-buckets.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import { clientNetwork } from '../../platform/net/address-block.ts';
import { FrequentCache } from '../../platform/values/frequent-cache.ts';
import { heldBytes } from '../../platform/values/held-bytes.ts';
import { holdsHalfCharacter, holdsInfinity, nestsDeeperThan } from '../../platform/values/json.ts';
import type { PreparedOperation } from '../supergraph/executor.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import type { Acceptance } from './acceptance.ts';
import { DocumentChecks, type OperationRequest, operationOf, parsed, standingOf } from './document-checks.ts';
import { figuresOf, type Judge, type Question } from './document-judge.ts';
import { mostNesting, tooMuch } from './document-size.ts';
import { InvalidGraphqlDocument } from './invalid-document.ts';
import { type Asker, JudgementQueue } from './judgement-queue.ts';
import type { OperationLimits } from './limits.ts';
import type { PublishedOperations } from './published-operations.ts';
import { SenderCounts } from './sender-counts.ts';

/** Limit of the cache of parsed and validated documents, which anybody may fill. */
const maxDocumentBytes = 32 * 1024 * 1024;
/** Limit of the cache of published operations, from which no other document can evict them. */
const maxPublishedBytes = 32 * 1024 * 1024;
/** Cache of the faults of refused documents. */
const maxRefusedBytes = 4 * 1024 * 1024;

/** Limit of root fields that an examination counts. */
const mostCounted = 1_000;
/** The tokens of a text of this length are counted in at most 2 ms. The judge counts those of longer texts. */
const mostCountedLength = 32 * 1024;

/** A document that is valid for the schema. */
interface ValidGraphqlDocument {
  readonly document: DocumentNode;
  /** SHA-256 of its text in hexadecimal, equal to Apollo Server's query hash. */
  readonly hash: string;
}

export interface AdmittedOperation extends ValidGraphqlDocument {
  readonly operation: OperationDefinitionNode;
  /** Identifies document and operation. */
  readonly key: string;
  readonly cost: OperationCost;
}

/** Worst-case number of resolved fields, with its limit. */
interface OperationCost {
  readonly requested: number;
  readonly limit: number;
}

/** The result with the members that each answer has besides data and errors. */
export function withCost(
  result: ExecutionResult,
  { cost }: Pick<AdmittedOperation, 'cost'>,
  requestId: string,
): ExecutionResult {
  return { ...result, extensions: { ...result.extensions, cost, requestId } };
}

/** A limit, with the operation's figure. */
interface LimitFigure {
  /** Same name as in `extensions.limit` of a refusal. */
  readonly limit: string;
  readonly requested: number;
  readonly most: number;
}

/** The result that `admit` would give for an operation. */
interface ExaminedOperation extends ValidGraphqlDocument {
  readonly operation: OperationDefinitionNode;
  readonly key: string;
  readonly isPublished: boolean;
  readonly limits: readonly LimitFigure[];
  /** Undefined if it would be admitted. */
  readonly refusal: CodedError | undefined;
}

/** Decides by a document's hash whether it is trusted. */
interface TrustedDocuments {
  readonly published: Pick<PublishedOperations, 'has'>;
  readonly acceptance: Pick<Acceptance, 'check' | 'examine'>;
}

const noTrust: TrustedDocuments = {
  published: { has: () => false },
  acceptance: { check: () => {}, examine: () => {} },
};

interface KnownDocument {
  readonly document: DocumentNode;
  readonly tokens: number;
}

/** A document in judgement, or waiting for it. */
interface Pending {
  readonly question: Question;
  readonly known: Promise<KnownDocument>;
}

/** A new document, with the senders that it is charged to. */
interface NewDocument {
  readonly question: Question;
  readonly hash: string;
  readonly asker: Asker;
  readonly isAnonymous: boolean;
  /** False if the judgement is already charged, or costs nothing. */
  readonly isCharged: boolean;
}

const publisher: Asker = { sender: 'published operations', network: undefined };

export class Operations {
  readonly #limits: OperationLimits;
  readonly #judge: Judge;
  readonly #trusted: TrustedDocuments;
  readonly #checks: DocumentChecks;
  readonly #mutations: TokenBuckets;
  readonly #refusals: TokenBuckets;
  readonly #documents = documentCache(maxDocumentBytes);
  readonly #published = documentCache(maxPublishedBytes);
  readonly #queue = new JudgementQueue();
  /** Keyed by sender and hash. */
  readonly #pending = new Map<string, Pending>();

  /** A refused document is judged once, and recognised by its hash. */
  readonly #refused = new LRUCache<string, InvalidGraphqlDocument>({
    maxSize: maxRefusedBytes,
    sizeCalculation: ({ message, faults }) => heldBytes(message) + heldBytes(faults),
  });

  /** `judge`: for the same supergraph and limits. It has one document at a time. */
  constructor(
    supergraph: Supergraph,
    limits: OperationLimits,
    judge: Judge,
    trusted = noTrust,
    { mutations, refusals } = new SenderCounts(limits),
  ) {
    this.#limits = limits;
    this.#judge = judge;
    this.#trusted = trusted;
    this.#checks = new DocumentChecks(supergraph, limits);
    this.#mutations = mutations;
    this.#refusals = refusals;
  }

  /** The document of that hash, if it is known to be valid. */
  known(hash: string): DocumentNode | undefined {
    return this.#cacheOf(hash).peek(hash)?.document;
  }

  #cacheOf(hash: string): FrequentCache<KnownDocument> {
    return this.#trusted.published.has(hash) ? this.#published : this.#documents;
  }

  /** Valid documents that are not published, by hash. Frequently used ones come first. */
  *recent(): Generator<readonly [hash: string, document: DocumentNode]> {
    for (const [hash, { document }] of this.#documents.entries()) yield [hash, document];
  }

  /** Keeps a document of an earlier graph if it is valid for this one, and returns its operations. */
  async adopt(hash: string, document: DocumentNode): Promise<readonly PreparedOperation[]> {
    const question: Question = { text: print(document), operationName: undefined, request: undefined };
    try {
      await this.#learn({ question, hash, asker: publisher, isAnonymous: false, isCharged: false });
    } catch {
      return [];
    }
    return document.definitions.flatMap((each) =>
      each.kind === Kind.OPERATION_DEFINITION && each.operation !== OperationTypeNode.SUBSCRIPTION
        ? [{ key: keyOf(hash, each), document, operationName: each.name?.value }]
        : [],
    );
  }

  /** Parses and validates a published operation before it is sent. Throws a CodedError or InvalidGraphqlDocument. */
  async prepare(hash: string, text: string): Promise<Pick<AdmittedOperation, 'document' | 'operation' | 'key'>> {
    const question: Question = { text, operationName: undefined, request: undefined };
    const document = await this.#learn({ question, hash, asker: publisher, isAnonymous: false, isCharged: false });
    const operation = operationOf(document.document, undefined);
    return { document: document.document, operation, key: keyOf(hash, operation) };
  }

  /**
   * Throws, or rejects with, a CodedError (limits, login) or InvalidGraphqlDocument. Returns a promise only for a new document. `clientAddress` is
   * charged for clients without a login.
   */
  admit(
    request: OperationRequest,
    identity: Identity | null,
    clientAddress?: string,
  ): AdmittedOperation | Promise<AdmittedOperation> {
    checkText(request.query);
    checkValues(request.variables);
    const hash = hashOf(request.query);
    this.#trusted.acceptance.check(hash, identity, request.operationName);
    const known = this.#cacheOf(hash).get(hash, callerOf(identity));
    if (known !== undefined) return this.#admit(request, identity, hash, known);
    return this.#admitNew(request, identity, hash, clientAddress);
  }

  async #admitNew(
    request: OperationRequest,
    identity: Identity | null,
    hash: string,
    clientAddress: string | undefined,
  ): Promise<AdmittedOperation> {
    const known = await this.#learn({
      question: {
        text: request.query,
        operationName: request.operationName,
        request: { standing: standingOf(identity), figures: figuresOf(request.variables) },
      },
      ...{ hash, asker: askerOf(identity, clientAddress), isAnonymous: identity === null },
      isCharged: identity === null || !this.#trusted.published.has(hash),
    });
    return this.#admit(request, identity, hash, known);
  }

  /**
   * The figures of a valid document, and whether it would be refused. Counts like a refused document, and not as a mutation. Throws like `admit` if
   * there is no result.
   */
  async examine(request: OperationRequest, identity: Identity, clientAddress?: string): Promise<ExaminedOperation> {
    checkText(request.query);
    const asker = askerOf(identity, clientAddress);
    this.#checkRefusals(asker.sender, false);
    this.#charge(asker.sender, request.query);
    const hash = hashOf(request.query);
    const question: Question = { text: request.query, operationName: request.operationName, request: undefined };
    const { document, tokens } = await this.#learn({ question, hash, asker, isAnonymous: false, isCharged: false });
    const operation = operationOf(document, request.operationName);
    const limits = this.#limits;
    const measurer = this.#checks.measurerOf(document, operation, request.variables);
    const { depth, aliases, cost } = measurer.measure();
    return {
      ...{ document, hash, operation, key: keyOf(hash, operation), isPublished: this.#trusted.published.has(hash) },
      limits: [
        { limit: 'tokens', requested: tokens, most: limits.maxTokens },
        { limit: 'root fields', requested: measurer.rootFields(mostCounted).length, most: limits.maxRootFields },
        { limit: 'depth', requested: depth, most: limits.maxDepth },
        { limit: 'aliases', requested: aliases, most: limits.maxAliases },
        { limit: 'cost', requested: cost, most: limits.maxCost },
      ],
      refusal: refusalBy(() => {
        checkValues(request.variables);
        this.#trusted.acceptance.examine(hash, identity);
        this.#checks.check(document, request, standingOf(identity));
      }),
    };
  }

  #admit(
    request: OperationRequest,
    identity: Identity | null,
    hash: string,
    { document }: KnownDocument,
  ): AdmittedOperation {
    const { operation, rootFields, cost } = this.#checks.check(document, request, standingOf(identity));
    if (operation.operation === OperationTypeNode.MUTATION) this.#countMutations(rootFields.length, identity);
    return {
      ...{ document, hash, operation, key: keyOf(hash, operation) },
      cost: { requested: cost, limit: this.#limits.maxCost },
    };
  }

  /** Judges concurrent requests with the same document and sender once. */
  async #learn(fresh: NewDocument): Promise<KnownDocument> {
    const { question, hash, asker, isAnonymous } = fresh;
    const key = `${asker.sender}/${hash}`;
    for (;;) {
      const known = this.#settled(hash, isAnonymous);
      if (known !== undefined) return known;
      const pending = this.#pending.get(key);
      if (pending !== undefined && isDeepStrictEqual(pending.question, question)) return pending.known;
      if (pending === undefined) break;
      // A request with other variables. Its verdict may apply to all of them.
      await pending.known.catch(() => undefined);
    }
    const judged = this.#judged(fresh).finally(() => this.#pending.delete(key));
    this.#pending.set(key, { question, known: judged });
    return judged;
  }

  /** Undefined if it must be judged. Throws InvalidGraphqlDocument. */
  #settled(hash: string, isAnonymous: boolean): KnownDocument | undefined {
    // Without a login, neither the schema nor the faults reported to others are revealed.
    const refused = isAnonymous ? undefined : this.#refused.get(hash);
    if (refused !== undefined) throw refused;
    return this.#cacheOf(hash).peek(hash);
  }

  async #judged({ question, hash, asker, isAnonymous, isCharged }: NewDocument): Promise<KnownDocument> {
    const { text, request } = question;
    if (isCharged) this.#checkRefusals(asker.sender, isAnonymous);
    const charge = () => {
      if (isCharged) this.#charge(asker.sender, text);
    };
    if (text.length <= mostCountedLength) {
      try {
        this.#checks.size(text, request?.standing ?? 'user');
      } catch (error) {
        charge();
        throw error;
      }
    }
    return this.#queue.run(asker, text.length, async () => {
      // Another sender's request may have settled it in the meantime.
      const settled = this.#settled(hash, isAnonymous);
      if (settled !== undefined) return settled;
      const verdict = await this.#judge.judge(question);
      // A request without a login can be charged to nobody else, even if it is accepted.
      if (isAnonymous || verdict.kind !== 'valid') charge();
      if (verdict.kind === 'refused') throw new CodedError(verdict.code, verdict.message, verdict.details);
      if (verdict.kind === 'valid') {
        const known = { document: parsed(verdict.text ?? text), tokens: verdict.tokens };
        this.#cacheOf(hash).set(hash, known);
        return known;
      }
      const invalid = new InvalidGraphqlDocument(verdict.faults);
      if (verdict.ofDocument) this.#refused.set(hash, invalid);
      throw invalid;
    });
  }

  #charge(sender: string, text: string): void {
    this.#refusals.spend(sender, 1 + Math.floor(text.length / 1024));
  }

  #checkRefusals(sender: string, isAnonymous: boolean): void {
    const retryAfterMs = this.#refusals.waitMs(sender);
    if (retryAfterMs === 0) return;
    const reason = isAnonymous
      ? 'Too many different documents without a login came from your network'
      : 'Too many documents from this user or API token were refused';
    throw new CodedError(
      'RATE_LIMITED',
      `${reason}; new ones are not read, and nothing was done. Send it again in ${retryAfterMs} ms.`,
      { limit: 'KiB of refused documents in a minute', most: this.#limits.refusedKibPerMinute, retryAfterMs },
    );
  }

  /** Runs last, so that only executed mutations count. Mutations without a login are limited by their resolvers. */
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
}

function documentCache(maxBytes: number): FrequentCache<KnownDocument> {
  return new FrequentCache({ maxBytes, bytesOf: ({ document }) => heldBytes(document) });
}

function askerOf(identity: Identity | null, clientAddress: string | undefined): Asker {
  const network = clientAddress === undefined ? undefined : clientNetwork(clientAddress);
  if (identity !== null) return { sender: countsFor(identity), network };
  return { sender: clientNetwork(clientAddress), network: undefined };
}

function hashOf(text: string): string {
  return digest('sha256', text, 'hex');
}

function keyOf(hash: string, { name }: OperationDefinitionNode): string {
  return `${hash}/${name?.value ?? ''}`;
}

/** The hash in the key of an operation. */
export function hashIn(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

/** Its hash would equal that of another text, with U+FFFD in that place. */
function checkText(query: string): void {
  if (!query.isWellFormed()) throw halfCharacter('The document');
}

function halfCharacter(what: string): CodedError {
  return new CodedError('INVALID_INPUT', `${what} has half of a UTF-16 surrogate pair: send whole characters.`);
}

/** Variables reach subgraphs, and are compared, as JSON. */
function checkValues(variables: OperationRequest['variables']): void {
  if (nestsDeeperThan(variables, mostNesting))
    throw tooMuch('nesting of the variables', `more than ${mostNesting}`, mostNesting);
  if (holdsInfinity(variables))
    throw new CodedError('INVALID_INPUT', 'A number in the variables is too large: the largest is about 1.8e308.');
  // It would be stored as another character.
  if (holdsHalfCharacter(variables)) throw halfCharacter('A text in the variables');
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
