// Executes a subgraph's schema, in-process or served: unexpected errors are logged and masked, and every event of a subscription
// gets its own context.

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
import { callerOf, forCaller } from '../caller.ts';
import { isBusy, isDiskFull, isUnavailable } from '../database/errors.ts';
import { CodedError } from '../errors.ts';
import { type CursorPosition, cursorAlias } from '../events/cursor.ts';
import { facetsOf } from '../events/facets.ts';
import type { RequestContext } from '../identity.ts';
import { pullStream } from '../pull-stream.ts';

/** One operation on one schema. */
export interface SchemaRequest {
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
    log.warn(
      { requestId, err: original, path: graphqlError?.path },
      'the graph found no primary of the database, or no free connection to it',
    );
    return {
      message: 'The database is changing its primary, or has too much to do; try again.',
      ...path,
      extensions: { code: 'BUSY', retryAfterMs: 1_000 },
    };
  }
  if (isUnavailable(original)) {
    log.warn({ requestId, err: original, path: graphqlError?.path }, 'the graph lost the database');
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
    const result = await forCaller(callerOf(request.context.identity), () =>
      execute({
        schema,
        document: request.document,
        variableValues: request.variables,
        operationName: request.operationName,
        contextValue: request.context,
      }),
    );
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
    source = await forCaller(callerOf(context.identity), () =>
      createSourceEventStream({ ...args, contextValue: context }),
    );
  } catch (error) {
    return { errors: [presentError(error, context.requestId, log)] };
  }
  if (!(Symbol.asyncIterator in source)) return present(source, context.requestId, log);
  return eventStream(
    source[Symbol.asyncIterator](),
    (rootValue) => {
      // Each event has its own context: loaders must not be shared between events.
      const execution = forCaller(callerOf(context.identity), () =>
        execute({ ...args, rootValue, contextValue: { ...context, loaders: new Map() } }),
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

/** Undefined: the cursor is not selected for a gateway. */
function positionIn(schema: GraphQLSchema, data: ExecutionResult['data']): CursorPosition | undefined {
  const positionOf = schema.extensions.positionOf as ((cursor: string) => CursorPosition | undefined) | undefined;
  const [item] = Object.values(data ?? {}) as (Record<string, unknown> | null | undefined)[];
  const cursor = item?.[cursorAlias];
  const position = typeof cursor === 'string' ? positionOf?.(cursor) : undefined;
  return position === undefined ? undefined : { timeline: position.timeline, seq: position.seq };
}

/** Maps each event of a source; a source that fails ends with its error. */
function eventStream(
  source: AsyncIterator<unknown>,
  complete: (event: unknown) => Promise<FormattedExecutionResult>,
  failed: (error: unknown) => FormattedExecutionResult,
): AsyncGenerator<FormattedExecutionResult, void, void> {
  let over = false;
  return pullStream({
    async next() {
      if (over) return undefined;
      try {
        const event = await source.next();
        return event.done === true ? undefined : await complete(event.value);
      } catch (error) {
        over = true;
        return failed(error);
      }
    },
    end() {
      // Not awaited: the return() of an async generator function waits for a pending next(), which may take long.
      Promise.resolve(source.return?.()).catch(() => undefined);
    },
  });
}
