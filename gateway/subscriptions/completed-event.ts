// Events of a subgraph, completed from the other subgraphs together, and each serialised once for all clients. An event that can't be completed is
// passed on as errors with its cursor. The stream continues after it, and no client misses it silently.
import type { ExecutionResult, FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { cursorAlias } from '../../platform/events/cursor.ts';
import { presentError } from '../../platform/graph/execution.ts';
import type { NormalSubscription } from '../access/normal-subscription.ts';
import { formatError } from '../access/without-values.ts';
import type { SubscriptionPlan } from '../supergraph/executor.ts';
import type { GatewayContext } from '../supergraph/subgraph-link.ts';
import type { StreamItem } from './stream-item.ts';

interface Completion {
  readonly subscription: Pick<NormalSubscription, 'planKey' | 'document' | 'variables' | 'rootKey'>;
  readonly plan: Pick<SubscriptionPlan, 'complete'>;
  readonly context: GatewayContext;
  readonly log: Logger;
}

/** An event with its place in the stream. */
export interface PlacedEvent extends Pick<StreamItem, 'cursor' | 'facets'> {
  readonly event: FormattedExecutionResult;
}

/** In order. Never throws. */
export async function completeEvents(completion: Completion, placed: readonly PlacedEvent[]): Promise<StreamItem[]> {
  const { subscription, plan, context, log } = completion;
  const { planKey: key, document, variables, rootKey } = subscription;
  try {
    const events = placed.map(({ event }) => event);
    const results = await plan.complete(events, { key, document, variables, context });
    return placed.map((each, index) =>
      itemOf(each, results[index] ?? {}, rootKey, (error) => presentError(error, context.requestId, log)),
    );
  } catch (error) {
    const [only, ...others] = placed;
    if (only !== undefined && others.length === 0) return [failed(only, [presentError(error, context.requestId, log)])];
    // A single event may have caused the failure.
    const alone = await Promise.all(placed.map((each) => completeEvents(completion, [each])));
    return alone.flat();
  }
}

function itemOf(
  { cursor, facets }: PlacedEvent,
  result: ExecutionResult,
  rootKey: string,
  present: (error: unknown) => GraphQLFormattedError,
): StreamItem {
  const fields = result.data?.[rootKey];
  if (!isRecord(fields)) return failed({ cursor, facets }, result.errors?.map(formatError));
  try {
    return serialised({ cursor, facets }, result, fields);
  } catch (error) {
    return failed({ cursor, facets }, [present(error)]);
  }
}

function serialised(
  item: Pick<StreamItem, 'cursor' | 'facets'>,
  { data, errors }: ExecutionResult,
  fields: Record<string, unknown>,
): StreamItem {
  delete fields[cursorAlias];
  const isBare = Object.entries(fields).every(
    ([name, value]) => value === null || value === item.cursor.text || name === '__typename',
  );
  const text = JSON.stringify({ ...(errors === undefined ? {} : { errors: errors.map(formatError) }), data });
  return { ...item, text, checkpoint: item.facets === undefined && isBare };
}

/** Has no data. The cursor is in the errors. */
function failed(
  item: Pick<StreamItem, 'cursor' | 'facets'>,
  errors: readonly GraphQLFormattedError[] = [{ message: 'An empty event.', extensions: { code: 'INTERNAL' } }],
): StreamItem {
  const { cursor: place, facets } = item;
  const cursor = place.text;
  const withCursor = errors.map((error) => ({ ...error, extensions: { ...error.extensions, cursor } }));
  return { cursor: place, facets, text: JSON.stringify({ errors: withCursor, data: null }), checkpoint: false };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
