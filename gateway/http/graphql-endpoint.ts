// GraphQL over HTTP: `Operations` admits the operation, `Executor` executes it, Apollo Server handles the protocol (media types, status codes). The
// answer to a POST without errors has only one form, so it bypasses Apollo Server, whose pipeline costs more than the execution of a small operation.
// A test compares both ways.
import { ApolloServer, type BaseContext, HeaderMap } from '@apollo/server';
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginInlineTraceDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginSchemaReportingDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled';
import { type ExecutionResult, type FormattedExecutionResult, GraphQLError, OperationTypeNode } from 'graphql';
import type { Logger } from 'pino';
import { dryRunHeader, mannerIn, sourceHeader } from '../../platform/caller/manner.ts';
import { CodedError } from '../../platform/errors/errors.ts';
import type { Audience } from '../../platform/graph/client-sdl.ts';
import { jsonIn } from '../../platform/values/json.ts';
import { tooLongAnswer } from '../access/answer-length.ts';
import { authorizationFault, bearerOf } from '../access/bearer.ts';
import type { CredentialCache } from '../access/credential-cache.ts';
import { InvalidGraphqlDocument } from '../access/invalid-document.ts';
import type { OperationLimits } from '../access/limits.ts';
import { namedText } from '../access/named-document.ts';
import { type AdmittedOperation, type Operations, withCost } from '../access/operations.ts';
import type { PublishedOperations } from '../access/published-operations.ts';
import { withAdvice } from '../access/schema-advice.ts';
import { formatError } from '../access/without-values.ts';
import type { Executor } from '../supergraph/executor.ts';
import type { GatewayContext } from '../supergraph/subgraph-link.ts';
import type { Supergraph } from '../supergraph/supergraph.ts';
import { traceContextOf } from '../supergraph/trace-context.ts';
import { answerHeaders } from './answer-headers.ts';
import { AnswerParts, Outcome } from './answer-parts.ts';
import { callerIdentity, invalidCredential } from './caller-identity.ts';
import type { Admission, AdmittedSubscription, EndpointRequest, EndpointResponse } from './endpoint-request.ts';
import { httpStatus, refusal, withStatus } from './refusal.ts';
import { type RequestFault, requestFault } from './request-fault.ts';
import { SharedExecutions } from './shared-executions.ts';

interface SchemaRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

interface EndpointDependencies {
  readonly supergraph: Supergraph;
  readonly executor: Executor;
  readonly operations: Operations;
  readonly published: PublishedOperations;
  readonly credentials: CredentialCache;
  readonly limits: OperationLimits;
  readonly log: Logger;
}

/** State that Apollo Server passes from admission to execution. */
interface ApolloContext extends BaseContext, Admission {
  readonly subscription?: AdmittedSubscription;
  /** It was already executed. */
  readonly result?: ExecutionResult;
}

const notAsJson = new GraphQLError(
  'A subscription is not answered with JSON: send it over graphql-ws on the same path, or with Accept: text/event-stream.',
  { extensions: { code: 'BAD_REQUEST', http: { status: 400 } } },
);

function bounded(text: string, result: Pick<ExecutionResult, 'extensions'>, most: number): string {
  return text.length <= most ? text : tooLong(text.length, result, most);
}

function tooLong(length: number, result: Pick<ExecutionResult, 'extensions'>, most: number): string {
  return JSON.stringify(tooLongAnswer(length, result.extensions, most));
}

export class GraphqlEndpoint {
  readonly #dependencies: EndpointDependencies;
  readonly #apollo: ApolloServer<ApolloContext>;
  readonly #queries: SharedExecutions;
  #draining = false;
  #isStarted = false;

  constructor(dependencies: EndpointDependencies) {
    const { supergraph, operations, limits, log } = dependencies;
    this.#dependencies = dependencies;
    this.#queries = new SharedExecutions(dependencies.executor);
    this.#apollo = new ApolloServer<ApolloContext>({
      gateway: {
        onSchemaLoadOrUpdate(callback) {
          callback({ apiSchema: supergraph.schema, coreSupergraphSdl: supergraph.sdl });
          return () => {};
        },
        load: async () => ({
          executor: async ({ context, request }) =>
            (await this.#executeForApollo(context as ApolloContext, request)) as { data?: Record<string, unknown> },
        }),
        stop: async () => {},
      },
      // Apollo calls this before it parses. It parses documents that were not admitted itself, to report their faults.
      documentStore: {
        get: async (key) => operations.known(key.slice(key.lastIndexOf(':') + 1)),
        set: async () => {},
        delete: async () => false,
      },
      introspection: limits.introspection,
      hideSchemaDetailsFromClientErrors: !limits.introspection,
      parseOptions: { maxTokens: limits.maxTokens },
      // Browsers send no credential on their own, so a GET from another site's page is anonymous, and executes only queries. A POST is JSON, which
      // needs a preflight.
      csrfPrevention: false,
      allowBatchedHttpRequests: false,
      persistedQueries: false,
      // Apollo's own version indents, which costs time here and bytes on the wire.
      stringifyResult: (value) => bounded(JSON.stringify(value), value, limits.maxAnswerLength),
      includeStacktraceInErrorResponses: false,
      formatError: (shown) =>
        limits.introspection ? withAdvice(supergraph.schema, formatError(shown)) : formatError(shown),
      stopOnTerminationSignals: false,
      // Explicit, so that the environment (for example APOLLO_KEY) can't enable reports.
      apollo: {},
      plugins: [
        ApolloServerPluginUsageReportingDisabled(),
        ApolloServerPluginSchemaReportingDisabled(),
        ApolloServerPluginInlineTraceDisabled(),
        ApolloServerPluginCacheControlDisabled(),
        ApolloServerPluginLandingPageDisabled(),
      ],
      logger: {
        debug: (message) => log.debug(message),
        info: (message) => log.debug(message),
        warn: (message) => log.warn(message),
        error: (message) => log.error(message),
      },
    });
  }

  async start(): Promise<void> {
    await this.#apollo.start();
    this.#isStarted = true;
  }

  /** Refuses mutations from now on. */
  drain(): void {
    this.#draining = true;
  }

  /** Apollo Server would throw for a stop without a start, which would hide the reason for the failed start. */
  async stop(): Promise<void> {
    if (this.#isStarted) await this.#apollo.stop();
  }

  async handle(sent: EndpointRequest): Promise<EndpointResponse> {
    const fault = requestFault(sent);
    if (fault !== undefined) return malformed(fault, sent.requestId);
    const named = this.#named(sent);
    if (named instanceof CodedError) return this.#throughApollo(sent, { refused: refusal(named) }, named);
    let context: ApolloContext;
    try {
      context = await this.#admit(named);
    } catch (refused) {
      return this.#throughApollo(named, { refused });
    }
    const { admitted, subscription } = context;
    const kind = (admitted ?? subscription?.admitted)?.operation.operation;
    if (subscription !== undefined) {
      const admission = { request: context.request, admitted: subscription.admitted };
      return { status: 200, headers: new Map(), text: '', kind, subscription, admission };
    }
    if (admitted === undefined || named.method !== 'POST') return this.#throughApollo(named, { context });
    const outcome = await this.#execute(admitted, context.request, named.body as SentOperation);
    const result = withCost(outcome.result, admitted, named.requestId);
    const headers = result.errors === undefined ? answerHeaders(named.headers.get('accept')) : undefined;
    if (headers === undefined) return this.#throughApollo(named, { context: { ...context, result } });
    const parts = new AnswerParts(outcome, result.extensions);
    const { text } = parts;
    const most = this.#dependencies.limits.maxAnswerLength;
    if (text.length > most)
      return { status: 200, headers, text: tooLong(text.length, result, most), kind, admission: context };
    return { status: 200, headers, text, parts, kind, admission: context };
  }

  async #throughApollo(
    request: EndpointRequest,
    { context, refused }: { readonly context?: ApolloContext; readonly refused?: unknown },
    named?: CodedError,
  ): Promise<EndpointResponse> {
    const kind = context?.admitted?.operation.operation;
    const invalid = refused instanceof InvalidGraphqlDocument ? refused : undefined;
    const response = await this.#apollo.executeHTTPGraphQLRequest({
      httpGraphQLRequest: {
        method: request.method,
        headers: new HeaderMap(request.headers),
        search: withoutNulls(request.search),
        body: request.body,
      },
      context: async () => {
        if (context !== undefined) return context;
        // Apollo Server would parse and validate it again.
        if (invalid !== undefined)
          throw new GraphQLError('The document is not valid.', { extensions: { http: { status: 400 } } });
        throw refused;
      },
    });
    if (response.body.kind !== 'complete') throw new Error('incremental delivery was not requested');
    const isExecuted = kind !== undefined;
    const text = isExecuted
      ? response.body.string
      : JSON.stringify({
          ...(invalid === undefined ? (JSON.parse(response.body.string) as object) : { errors: invalid.faults }),
          extensions: { requestId: request.requestId },
        });
    // application/json is not specific to GraphQL, so its status has only HTTP's meaning (GraphQL over HTTP, section 6.4.1).
    const isPlainJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    const isUnknown = named?.code === 'PERSISTED_QUERY_NOT_FOUND';
    const isFaulty =
      isUnknown || invalid !== undefined || (isExecuted && response.status === 400 && isOfDocument(text));
    const status = isFaulty && isPlainJson ? 200 : (response.status ?? 200);
    return { status, headers: response.headers, text, kind, admission: context };
  }

  /** Undefined if the caller may read the schema, like by introspection. Otherwise the refusal. */
  async schemaRefusal(
    request: Pick<EndpointRequest, 'headers' | 'requestId' | 'onIdentified'>,
    audience: Audience,
  ): Promise<SchemaRefusal | undefined> {
    const { limits, credentials, log } = this.#dependencies;
    if (limits.publicSchema && audience === 'public') return undefined;
    if (!limits.introspection)
      return { status: 403, code: 'FORBIDDEN', message: 'The schema is not shown here: graphql.introspection is off.' };
    if (!request.headers.has('authorization') && limits.anonymousIntrospection) return undefined;
    try {
      await callerIdentity(credentials, request, 'The schema is shown to those who are logged in');
      return undefined;
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      const { code, message, cause } = error;
      if (cause !== undefined)
        log.warn({ requestId: request.requestId, reason: String(cause) }, 'a credential could not be checked');
      return { status: httpStatus[code] ?? 500, code, message };
    }
  }

  /** The request with the text of the named operation, or the refusal. */
  #named(request: EndpointRequest): EndpointRequest | CodedError {
    try {
      return withNamedText(request, this.#dependencies.published);
    } catch (error) {
      if (error instanceof CodedError) return error;
      throw error;
    }
  }

  async #admit(request: EndpointRequest): Promise<ApolloContext> {
    const { credentials, operations, supergraph } = this.#dependencies;
    const { requestId, callerRequestId, clientAddress, signal, times } = request;
    const loaders = new Map<symbol, unknown>();
    try {
      const authorization = request.headers.get('authorization');
      const fault = authorizationFault(authorization);
      if (fault !== undefined) throw new CodedError('UNAUTHENTICATED', fault);
      const bearer = bearerOf(authorization);
      const identity = bearer === undefined ? undefined : await credentials.identify(bearer);
      if (bearer !== undefined && identity === undefined) throw new CodedError('UNAUTHENTICATED', invalidCredential);
      if (identity !== undefined) request.onIdentified?.();
      const trace = traceContextOf(request.headers);
      const manner = mannerIn(request.headers);
      const context: GatewayContext = {
        identity: identity ?? null,
        requestId,
        loaders,
        ...(callerRequestId === undefined ? {} : { callerRequestId }),
        ...(clientAddress === undefined ? {} : { clientAddress }),
        ...(trace === undefined ? {} : { trace }),
        ...(manner === undefined ? {} : { manner }),
        ...(times === undefined ? {} : { times }),
      };
      const operation = operationIn(request);
      if (operation === undefined) return { request: context };
      const admission = operations.admit(operation, context.identity, clientAddress);
      const admitted = admission instanceof Promise ? await admission : admission;
      times?.done('parse');
      const isSubscription = admitted.operation.operation === OperationTypeNode.SUBSCRIPTION;
      if (manner !== undefined && admitted.operation.operation !== OperationTypeNode.MUTATION)
        throw new CodedError(
          'INVALID_INPUT',
          `The headers ${dryRunHeader} and ${sourceHeader} are for mutations only.`,
        );
      if (isSubscription && request.takesStream !== true) throw notAsJson;
      if (isSubscription || admitted.operation.operation === OperationTypeNode.MUTATION) {
        if (this.#draining)
          throw new CodedError('UNAVAILABLE', 'This gateway is shutting down: send the request again.', {
            retryAfterMs: 500,
          });
        if (!isSubscription) return { request: context, admitted };
        return {
          request: context,
          subscription: { supergraph, admitted, variables: operation.variables ?? {}, context },
        };
      }
      return { request: { ...context, signal }, admitted };
    } catch (error) {
      if (error instanceof CodedError) throw refusal(error);
      if (error instanceof InvalidGraphqlDocument || error === notAsJson) throw error;
      this.#dependencies.log.warn({ requestId, reason: String(error) }, 'a credential could not be checked');
      throw refusal(new CodedError('UNAVAILABLE', "The credential can't be checked at the moment; try again."));
    }
  }

  async #execute(
    { key, document, operation }: AdmittedOperation,
    context: GatewayContext,
    { operationName, variables }: SentOperation,
  ): Promise<Outcome> {
    const sent = {
      ...{ key, document, context },
      operationName: operationName ?? undefined,
      variables: { ...variables },
    };
    const outcome =
      operation.operation === OperationTypeNode.QUERY
        ? await this.#queries.execute(sent)
        : new Outcome(await this.#dependencies.executor.execute(sent));
    context.times?.done('fetch');
    return outcome;
  }

  async #executeForApollo({ admitted, request, result }: ApolloContext, sent: SentOperation): Promise<ExecutionResult> {
    if (result !== undefined) return withStatus(result);
    if (admitted === undefined) return { errors: [new GraphQLError('The operation was refused.')] };
    const outcome = await this.#execute(admitted, request, sent);
    return withStatus(withCost(outcome.result, admitted, request.requestId));
  }
}

/** Part of an admitted operation. */
interface SentOperation {
  readonly operationName?: string | null;
  readonly variables?: object | null;
}

function malformed({ status, message, headers }: RequestFault, requestId: string): EndpointResponse {
  return {
    status,
    headers: new Map(Object.entries({ 'content-type': 'application/json; charset=utf-8', ...headers })),
    text: JSON.stringify({ errors: [{ message, extensions: { code: 'BAD_REQUEST' } }], extensions: { requestId } }),
    kind: undefined,
  };
}

/** False if the request itself was malformed. */
function isOfDocument(text: string): boolean {
  const { errors } = JSON.parse(text) as FormattedExecutionResult;
  return errors?.some(({ extensions }) => extensions?.code === 'BAD_REQUEST') === false;
}

/** Gives Apollo Server the text in place of the name. Throws a CodedError. */
function withNamedText(request: EndpointRequest, published: PublishedOperations): EndpointRequest {
  if (request.method !== 'GET') {
    if (typeof request.body !== 'object' || request.body === null || Array.isArray(request.body)) return request;
    if (!('documentId' in request.body) && !('extensions' in request.body)) return request;
    const { documentId, extensions, ...rest } = request.body as Record<string, unknown>;
    const query = namedText({ ...rest, documentId, extensions }, published);
    return query === undefined ? request : { ...request, body: { ...rest, query } };
  }
  const search = new URLSearchParams(request.search);
  const extensions = jsonIn(search.get('extensions') ?? 'null');
  const documentId = search.get('documentId') ?? search.get('id');
  const query = namedText({ query: search.get('query'), documentId, extensions }, published);
  if (query === undefined) return request;
  for (const name of ['documentId', 'id', 'extensions']) search.delete(name);
  search.set('query', query);
  return { ...request, search: `?${search}` };
}

/** Null equals an absent value (GraphQL over HTTP, section 5.1), but Apollo Server refuses it in a query string. */
function withoutNulls(search: string): string {
  if (!search.includes('null')) return search;
  const given = new URLSearchParams(search);
  for (const name of ['variables', 'extensions']) if (jsonIn(given.get(name) ?? '{}') === null) given.delete(name);
  return `?${given}`;
}

/** The operation in a request. Undefined when Apollo Server reports the fault. */
function operationIn(request: EndpointRequest) {
  let query: unknown;
  let operationName: unknown;
  let variables: unknown;
  if (request.method === 'GET') {
    const search = new URLSearchParams(request.search);
    query = search.get('query');
    operationName = search.get('operationName');
    try {
      variables = JSON.parse(search.get('variables') ?? 'null');
    } catch {
      return undefined;
    }
  } else if (typeof request.body === 'object' && request.body !== null) {
    ({ query, operationName, variables } = request.body as Record<string, unknown>);
    if (operationName != null && typeof operationName !== 'string') return undefined;
  }
  if (typeof query !== 'string' || query === '') return undefined;
  if (variables != null && (typeof variables !== 'object' || Array.isArray(variables))) return undefined;
  return {
    query,
    ...(typeof operationName === 'string' ? { operationName } : {}),
    ...(variables == null ? {} : { variables: variables as Record<string, unknown> }),
  };
}
