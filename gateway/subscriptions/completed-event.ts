// An event of a subgraph, completed from the other subgraphs and serialised once for all clients. An event that can't be completed is
// passed on as errors with its cursor: the stream goes on after it, and no client passes it in silence.
import type { ExecutionResult, FormattedExecutionResult, GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { cursorAlias } from '../../platform/events/cursor.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { formatError } from '../access/without-values.ts';
import type { SubscriptionPlan } from '../supergraph/executor.ts';
import type { GatewayContext } from '../supergraph/subgraph-link.ts';
import type { NormalSubscription } from './normal-subscription.ts';
import type { StreamItem } from './stream-item.ts';

interface Completion {
  readonly subscription: Pick<NormalSubscription, 'planKey' | 'document' | 'variables' | 'rootKey'>;
  readonly plan: Pick<SubscriptionPlan, 'complete'>;
  readonly context: GatewayContext;
  readonly log: Logger;
}

/** Never throws. */
export async function completeEvent(
  { subscription, plan, context, log }: Completion,
  event: FormattedExecutionResult,
  item: Pick<StreamItem, 'cursor' | 'facets'>,
): Promise<StreamItem> {
  const { planKey: key, document, variables, rootKey } = subscription;
  try {
    const result = await plan.complete(event, { key, document, variables, context });
    const fields = result.data?.[rootKey];
    if (!isRecord(fields)) return failed(item, result.errors?.map(formatError));
    return serialised(item, result, fields);
  } catch (error) {
    return failed(item, [presentError(error, context.requestId, log)]);
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

/** Without data: the cursor is in the errors. */
function failed(
  item: Pick<StreamItem, 'cursor' | 'facets'>,
  errors: readonly GraphQLFormattedError[] = [{ message: 'An empty event.', extensions: { code: 'INTERNAL' } }],
): StreamItem {
  const { text: cursor } = item.cursor;
  const withCursor = errors.map((error) => ({ ...error, extensions: { ...error.extensions, cursor } }));
  return { ...item, text: JSON.stringify({ errors: withCursor, data: null }), checkpoint: false };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
