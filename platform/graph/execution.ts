// Execution of a subgraph's schema, in-process and served alike: unexpected errors are logged and masked, and every event
// of a subscription gets a context of its own.
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
import { CodedError } from '../errors.ts';
import type { RequestContext } from '../identity.ts';

/** One operation on one schema. */
export interface SchemaRequest {
  readonly document: DocumentNode;
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
  readonly operationName?: string | undefined;
  readonly context: RequestContext;
}

/** An error as it may be shown: coded errors and GraphQL's own as they are, anything else as INTERNAL. */
export function presentError(error: unknown, requestId: string, log: Logger): GraphQLFormattedError {
  const graphqlError = error instanceof GraphQLError ? error : undefined;
  const original = graphqlError === undefined ? error : graphqlError.originalError;
  const path = graphqlError?.path === undefined ? {} : { path: graphqlError.path };
  if (original instanceof CodedError)
    return { message: original.message, ...path, extensions: { ...original.extensions } };
  // Without an original error, or with another GraphQLError as one (a scalar's refusal), graphql-js or a scalar made it.
  if (graphqlError !== undefined && (original === undefined || original === null || original instanceof GraphQLError))
    return graphqlError.toJSON();
  log.error({ requestId, err: original, path: graphqlError?.path }, 'unexpected error in the graph');
  return {
    message: `Something went wrong inside; request ${requestId} finds it in the log.`,
    ...path,
    extensions: { code: 'INTERNAL', requestId },
  };
}

function present(result: ExecutionResult, requestId: string, log: Logger): FormattedExecutionResult {
  if (result.errors === undefined) return result as FormattedExecutionResult;
  return { ...result, errors: result.errors.map((error) => presentError(error, requestId, log)) };
}

/** Executes a query or mutation. Never throws: what goes wrong is in `errors`. */
export async function executeOnSchema(
  schema: GraphQLSchema,
  request: SchemaRequest,
  log: Logger,
): Promise<FormattedExecutionResult> {
  const { requestId } = request.context;
  try {
    const result = await execute({
      schema,
      document: request.document,
      variableValues: request.variables,
      operationName: request.operationName,
      contextValue: request.context,
    });
    return present(result, requestId, log);
  } catch (error) {
    return { errors: [presentError(error, requestId, log)] };
  }
}

/**
 * Subscribes. Gives a result with `errors` when it is refused, else a stream of results; a source that fails ends the
 * stream with a last result that has `errors` and no `data`. Whoever takes the stream must `return()` it.
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
    source = await createSourceEventStream({ ...args, contextValue: context });
  } catch (error) {
    return { errors: [presentError(error, context.requestId, log)] };
  }
  if (!(Symbol.asyncIterator in source)) return present(source, context.requestId, log);
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  const end = async (): Promise<IteratorResult<FormattedExecutionResult, void>> => {
    ended = true;
    // Not awaited: the return() of an async generator function waits for a next() that may be far away.
    Promise.resolve(iterator.return?.()).catch((error: unknown) =>
      log.warn({ err: error }, 'a source failed to close'),
    );
    return { done: true, value: undefined };
  };
  const stream: AsyncGenerator<FormattedExecutionResult, void, void> = {
    async next() {
      if (ended) return { done: true, value: undefined };
      try {
        const event = await iterator.next();
        if (event.done === true || ended) return { done: true, value: undefined };
        const result = await execute({
          ...args,
          rootValue: event.value,
          contextValue: { ...context, loaders: new Map() },
        });
        return { done: false, value: present(result, context.requestId, log) };
      } catch (error) {
        if (ended) return { done: true, value: undefined };
        ended = true;
        return { done: false, value: { errors: [presentError(error, context.requestId, log)] } };
      }
    },
    return: end,
    async throw(error) {
      await end();
      throw error;
    },
    [Symbol.asyncIterator]: () => stream,
    [Symbol.asyncDispose]: async () => {
      await end();
    },
  };
  return stream;
}
