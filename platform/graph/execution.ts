// Executes a subgraph's schema, in-process or served: unexpected errors are logged and masked, and the events of a subscription are
// completed several at a time, so that their reads are made together.

import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  type FormattedExecutionResult,
  GraphQLError,
  type GraphQLFormattedError,
  type GraphQLSchema,
} from 'graphql';
import type { Logger } from 'pino';
import { forIdentity, inLane } from '../caller/caller.ts';
import type { RequestContext } from '../caller/identity.ts';
import {
  CommitUncertainError,
  isBusy,
  isDiskFull,
  isUnavailable,
  NoPrimaryError,
  ReadTooSlowError,
} from '../errors/database-errors.ts';
import { CodedError, Refusal, sameKeyTells } from '../errors/errors.ts';
import { type CursorPosition, cursorAlias } from '../events/cursor.ts';
import { facetsOf } from '../events/facets.ts';
import { CountedLine, reasonOf } from '../log/counted-line.ts';
import { pullStream } from '../work/pull-stream.ts';
import { WorkAhead } from '../work/work-ahead.ts';
import { executeQuery } from './compiled-queries/compiled-query.ts';

/** One operation on one schema. */
interface SchemaRequest {
  readonly document: DocumentNode;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly operationName?: string | undefined;
  readonly context: RequestContext;
}

/** graphql-js's messages about values of the wrong type: the caller's fault, not a bug. */
const badValue = /invalid value|of required type|must not be null/;

/**
 * An error that may be shown: coded errors and refused values unchanged, a lost database as UNAVAILABLE, anything else as
 * INTERNAL; the latter two are logged.
 */
export function presentError(error: unknown, requestId: string, log: Logger): GraphQLFormattedError {
  const graphqlError = error instanceof GraphQLError ? error : undefined;
  const original = graphqlError === undefined ? error : graphqlError.originalError;
  const path = graphqlError?.path === undefined ? {} : { path: graphqlError.path };
  if (original instanceof CodedError)
    return { message: original.message, ...path, extensions: { ...original.extensions } };
  if (original instanceof Refusal) return { ...refused(original), ...path };
  // Without an original error, or with another GraphQLError as one (a scalar's refusal), graphql-js or a scalar made it.
  if (graphqlError !== undefined && (original == null || original instanceof GraphQLError)) {
    const { code } = graphqlError.extensions;
    if (typeof code === 'string') return graphqlError.toJSON();
    if (badValue.test(graphqlError.message))
      return { ...graphqlError.toJSON(), extensions: { ...graphqlError.extensions, code: 'INVALID_INPUT' } };
  }
  // Logged once, by the guard of the database.
  if (isDiskFull(original))
    return {
      message: "The database's disk is full: free space, then try again.",
      ...path,
      extensions: { code: 'DISK_FULL' },
    };
  if (isBusy(original)) {
    // The others are counted and logged by the database itself.
    if (original instanceof NoPrimaryError)
      countLost(log, { requestId, reason: original.message, path: graphqlError?.path });
    const message =
      original instanceof ReadTooSlowError
        ? 'This read took too long in the database and was ended; ask for less, or try again.'
        : 'The database is changing its primary, or has too much to do; try again.';
    return { message, ...path, extensions: { code: 'BUSY', retryAfterMs: 1_000 } };
  }
  if (original instanceof CommitUncertainError) {
    countLost(log, { requestId, reason: reasonOf(original), path: graphqlError?.path });
    const message = `The connection to the database was lost during the commit. ${sameKeyTells}`;
    return { message, ...path, extensions: { code: 'OUTCOME_UNCERTAIN' } };
  }
  if (isUnavailable(original)) {
    countLost(log, { requestId, reason: reasonOf(original), path: graphqlError?.path });
    return {
      message: 'The database is not available at the moment; try again.',
      ...path,
      extensions: { code: 'UNAVAILABLE' },
    };
  }
  log.error({ requestId, err: original ?? error, path: graphqlError?.path }, 'unexpected error in the graph');
  return {
    message: `Internal error. The log has the details under request ${requestId}.`,
    ...path,
    extensions: { code: 'INTERNAL', requestId },
  };
}

/** A query refuses by the same rules as mutations, which have such errors in their payload. */
function refused({ errors }: Refusal): GraphQLFormattedError {
  const { code = 'INVALID_INPUT', field: place = [], retryAfterMs } = errors[0] ?? {};
  const message = errors.map((each) => each.message).join('; ');
  // A query has arguments, and no input.
  const field = place[0] === 'input' ? place.slice(1) : place;
  return { message, extensions: { code, field, ...(retryAfterMs == null ? {} : { retryAfterMs }) } };
}

/** Kept per log, because thousands of requests may arrive without a database. */
const lost = new WeakMap<Logger, CountedLine>();

function countLost(log: Logger, fields: object): void {
  const line = lost.get(log) ?? new CountedLine(log, 'requests to the graph lost the database');
  lost.set(log, line);
  line.add(fields);
}

function present(result: ExecutionResult, requestId: string, log: Logger): FormattedExecutionResult {
  if (result.errors === undefined) return result as FormattedExecutionResult;
  return { ...result, errors: result.errors.map((error) => presentError(error, requestId, log)) };
}

/** Executes a query or mutation. Never throws: failures are in `errors`. */
export async function executeOnSchema(
  schema: GraphQLSchema,
  request: SchemaRequest,
  log: Logger,
): Promise<FormattedExecutionResult> {
  const { requestId } = request.context;
  try {
    const run = () =>
      executeQuery({
        schema,
        document: request.document,
        variableValues: request.variables,
        operationName: request.operationName,
        contextValue: request.context,
      });
    const result = await forIdentity(request.context.identity, run, requestId);
    return present(result, requestId, log);
  } catch (error) {
    return { errors: [presentError(error, requestId, log)] };
  }
}

/**
 * Subscribes. Returns a result with `errors` when it is refused, else a stream of results; a source that fails ends the stream
 * with a last result that has `errors` and no `data`. An item's facets and position are in `extensions`. The caller
 * must `return()` the stream.
 */
export async function subscribeOnSchema(
  schema: GraphQLSchema,
  request: SchemaRequest,
  log: Logger,
): Promise<AsyncGenerator<FormattedExecutionResult, void, void> | FormattedExecutionResult> {
  const { context } = request;
  const args = {
    schema,
    document: request.document,
    variableValues: request.variables,
    operationName: request.operationName,
  };
  let source: AsyncIterable<unknown> | ExecutionResult;
  try {
    source = await forIdentity(context.identity, () =>
      inLane('streams', () => createSourceEventStream({ ...args, contextValue: context })),
    );
  } catch (error) {
    return { errors: [presentError(error, context.requestId, log)] };
  }
  if (!(Symbol.asyncIterator in source)) return present(source, context.requestId, log);
  // Shared by all events: a loader keeps nothing after its batch, which it reads when all events of the batch have happened.
  const eventContext: RequestContext = { ...context, loaders: new Map() };
  return eventStream(
    inStreams(source[Symbol.asyncIterator](), context.identity),
    (rootValue) => {
      const execution = forIdentity(context.identity, () =>
        execute({ ...args, rootValue, contextValue: eventContext }),
      );
      const facets = facetsOf(rootValue);
      return Promise.resolve(execution).then((result) => {
        const position = positionIn(schema, result.data);
        if (facets === undefined && position === undefined) return present(result, context.requestId, log);
        const extensions = {
          ...(facets === undefined ? {} : { facets }),
          ...(position === undefined ? {} : { position }),
        };
        return { ...present(result, context.requestId, log), extensions };
      });
    },
    (error) => ({ errors: [presentError(error, context.requestId, log)] }),
  );
}

/** Adds the position to the events of a schema's subscriptions: a gateway can't open their cursors. */
export function withPositions(
  schema: GraphQLSchema,
  positionOf: (cursor: string) => CursorPosition | undefined,
): GraphQLSchema {
  schema.extensions = { ...schema.extensions, positionOf };
  return schema;
}

/** Undefined if the cursor is not selected for a gateway. */
function positionIn(schema: GraphQLSchema, data: ExecutionResult['data']): CursorPosition | undefined {
  const positionOf = schema.extensions.positionOf as ((cursor: string) => CursorPosition | undefined) | undefined;
  const [item] = Object.values(data ?? {}) as (Record<string, unknown> | null | undefined)[];
  const cursor = item?.[cursorAlias];
  const position = typeof cursor === 'string' ? positionOf?.(cursor) : undefined;
  return position === undefined ? undefined : { timeline: position.timeline, seq: position.seq };
}

/** The reads of a stream are on connections of their own. */
function inStreams(source: AsyncIterator<unknown>, identity: RequestContext['identity']): AsyncIterator<unknown> {
  const next = () => forIdentity(identity, () => inLane('streams', () => source.next()));
  return { next, return: async () => (await source.return?.()) ?? { done: true, value: undefined } };
}

/** Maps each event of a source; a source that fails ends with its error. */
function eventStream(
  source: AsyncIterator<unknown>,
  complete: (event: unknown) => Promise<FormattedExecutionResult>,
  failed: (error: unknown) => FormattedExecutionResult,
): AsyncGenerator<FormattedExecutionResult, void, void> {
  const completed = new WorkAhead({ source, work: complete });
  let over = false;
  return pullStream({
    async next() {
      if (over) return undefined;
      try {
        return await completed.next();
      } catch (error) {
        over = true;
        return failed(error);
      }
    },
    end: () => completed.end(),
  });
}
