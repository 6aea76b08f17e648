// Shares subscriptions: one execution for each (selection, authorisation scope), for any number of clients with any filters.
import type { Logger } from 'pino';
import { invariant } from '../../platform/edge/errors.ts';
import { authorisationScope, type Identity } from '../../platform/edge/identity.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { newUuid } from '../../platform/values/ids.ts';
import type { Executor, SubscriptionPlan } from '../supergraph/executor.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import type { GatewayMetrics } from '../web/metrics.ts';
import type { NormalSubscription } from './normal-subscription.ts';
import { SharedStream, type StreamReader } from './shared-stream.ts';
import { followUpstream, type Source, StreamEnded } from './upstream.ts';
import { type ShareLimits, UserShares } from './user-shares.ts';

interface FanOutOptions {
  readonly executor: Executor;
  readonly links: ReadonlyMap<string, SubgraphLink>;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly limits: ShareLimits;
  /** Items that each ring keeps. */
  readonly ringCapacity: number;
  /** The interval after which a client without events gets the position of the stream, so that retention does not overtake it. */
  readonly checkpointMs: number;
}

const checkpointsEveryMs = 1_000;

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #streams = new Map<string, SharedStream>();
  readonly #shares: UserShares;
  readonly #checkpoints: NodeJS.Timeout;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#shares = new UserShares(options.limits);
    const { checkpointMs } = options;
    this.#checkpoints = setInterval(
      () => {
        const nowMs = performance.now();
        for (const stream of this.#streams.values()) stream.giveCheckpoints(checkpointMs, nowMs);
      },
      Math.min(checkpointsEveryMs, checkpointMs),
    );
    this.#checkpoints.unref();
  }

  /**
   * Follows a subscription with the rights of `identity`. `fields`: the number resolved for one event. The reader must be closed.
   * Throws LIMIT_EXCEEDED.
   */
  follow(subscription: NormalSubscription, identity: Identity, fields: number): StreamReader {
    const key = `${subscription.key}/${authorisationScope(identity)}`;
    const share = this.#shares.take(identity, key, fields);
    try {
      return this.#stream(key, subscription, identity).follow(subscription.after, subscription.filter, share);
    } catch (error) {
      share.release();
      throw error;
    }
  }

  close(): void {
    clearInterval(this.#checkpoints);
    for (const stream of this.#streams.values()) stream.close();
  }

  #stream(key: string, subscription: NormalSubscription, identity: Identity): SharedStream {
    const { metrics, log, ringCapacity } = this.#options;
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new SharedStream({
        source: this.#source(subscription, identity),
        capacity: ringCapacity,
        onEmpty: () => this.#streams.delete(key),
        onUpstreams: (change) => metrics.upstreams.inc(change),
        onFault: (error) => log.error({ err: error }, 'a shared stream failed'),
      });
      this.#streams.set(key, stream);
    }
    return stream;
  }

  #source(subscription: NormalSubscription, identity: Identity): Source {
    const { links, metrics, log } = this.#options;
    const lag = metrics.deliveryLag;
    const onResume = (): void => metrics.resumptions.inc();
    const planned = () => this.#planned(subscription);
    return async function* follow(request) {
      const plan = await planned();
      const link = links.get(plan.subgraph);
      invariant(link !== undefined, `no link to subgraph ${plan.subgraph}`);
      yield* followUpstream({ subscription, plan, link, identity, lag, log, onResume }, request);
    };
  }

  /** Throws StreamEnded. */
  async #planned({ planKey, document, variables }: NormalSubscription): Promise<SubscriptionPlan> {
    const { executor, log } = this.#options;
    try {
      return await executor.planSubscription(planKey, document, variables);
    } catch (error) {
      throw new StreamEnded([presentError(error, newUuid(), log)]);
    }
  }
}
