// Shares subscriptions: one execution for each (operation, variables, authorisation scope), for any number of clients.
import type { Logger } from 'pino';
import { invariant } from '../../platform/errors.ts';
import { authorisationScope, type Identity } from '../../platform/identity.ts';
import type { Executor } from '../supergraph/executor.ts';
import type { SubgraphLink } from '../supergraph/subgraph-link.ts';
import type { GatewayMetrics } from '../web/metrics.ts';
import type { NormalSubscription } from './normal-subscription.ts';
import type { Source } from './ring.ts';
import { SharedStream, type StreamReader } from './shared-stream.ts';
import { followUpstream } from './upstream.ts';

export interface FanOutOptions {
  readonly executor: Executor;
  readonly links: ReadonlyMap<string, SubgraphLink>;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  /** Items that each ring keeps. */
  readonly ringCapacity: number;
}

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #streams = new Map<string, SharedStream>();

  constructor(options: FanOutOptions) {
    this.#options = options;
  }

  /** Follows a subscription with the rights of `identity`. The reader must be closed. */
  follow(subscription: NormalSubscription, identity: Identity): StreamReader {
    const { metrics, log, ringCapacity } = this.#options;
    const key = `${subscription.key}/${authorisationScope(identity)}`;
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
    return stream.follow(subscription.after);
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
  }

  #source(subscription: NormalSubscription, identity: Identity): Source {
    const { executor, links, metrics, log } = this.#options;
    const plan = executor.planSubscription(subscription.planKey, subscription.document);
    const link = links.get(plan.subgraph);
    invariant(link !== undefined, `no link to subgraph ${plan.subgraph}`);
    const onResume = (): void => metrics.resumptions.inc();
    return (after, signal) => followUpstream({ subscription, plan, link, identity, log, onResume }, after, signal);
  }
}
