// Follows a subscription through the versions of the graph. On a new version it continues after its last item, if it is still valid.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { forIdentity } from '../../platform/caller/caller.ts';
import type { Identity } from '../../platform/caller/identity.ts';
import { CodedError, invariant } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { fits, type NormalSubscription } from '../access/normal-subscription.ts';
import type { DeliveryLag } from '../supergraph/delivery-lag.ts';
import type { SubscriptionPlan } from '../supergraph/executor.ts';
import type { GraphVersion } from '../versions/graph-version.ts';
import type { StreamItem } from './stream-item.ts';
import { followUpstream, type SourceRequest, StreamEnded } from './upstream.ts';

interface GraphFollower {
  /** The current one. */
  readonly version: () => Pick<GraphVersion, 'supergraph' | 'executor' | 'links' | 'replaced'>;
  readonly subscription: NormalSubscription;
  readonly identity: Identity;
  readonly lag: DeliveryLag;
  readonly log: Logger;
  /** Called each time a lost subgraph is back. */
  readonly onResume: () => void;
}

/** The planner of a new version has too much to do. */
const planAgainMs = 500;

/** Runs until the signal of the request aborts. Throws StreamEnded. */
export async function* followGraph(
  follower: GraphFollower,
  request: SourceRequest,
): AsyncGenerator<StreamItem, void, void> {
  const { subscription } = follower;
  let { after } = request;
  let isFirst = true;
  while (!request.signal.aborted) {
    const version = follower.version();
    if (version.supergraph.id !== subscription.supergraphId && !fits(subscription, version.supergraph))
      throw new StreamEnded([schemaChanged]);
    const plan = await planned(follower, version, { isFirst, signal: request.signal });
    isFirst = false;
    if (plan === undefined) continue;
    const link = version.links.get(plan.subgraph);
    invariant(link !== undefined, `no link to subgraph ${plan.subgraph}`);
    const signal = AbortSignal.any([request.signal, version.replaced]);
    for await (const item of followUpstream({ ...follower, plan, link }, { ...request, after, signal })) {
      after = item.cursor.text;
      yield item;
    }
  }
}

const schemaChanged = {
  message: 'The graph has changed, and this subscription does not fit it: read its schema again.',
  extensions: { code: 'SCHEMA_CHANGED' },
};

/** Undefined to try again. Throws StreamEnded. */
async function planned(
  { subscription, identity, log }: GraphFollower,
  { executor, replaced }: Pick<GraphVersion, 'executor' | 'replaced'>,
  { isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal },
): Promise<SubscriptionPlan | undefined> {
  const { planKey, document, variables } = subscription;
  try {
    return await forIdentity(identity, () => executor.planSubscription(planKey, document, variables));
  } catch (error) {
    if (replaced.aborted) return undefined;
    if (isFirst || !(error instanceof CodedError) || error.code !== 'BUSY')
      throw new StreamEnded([presentError(error, newUuid(), log)]);
    await delay(planAgainMs * (0.5 + Math.random()), undefined, { signal, ref: false }).catch(() => undefined);
    return undefined;
  }
}
