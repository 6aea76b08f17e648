// Shares subscriptions: one execution for each (selection, authorisation scope), for any number of clients with any filters.
import type { Logger } from 'pino';
import { authorisationScope, type Identity } from '../../platform/caller/identity.ts';
import type { NormalSubscription } from '../access/normal-subscription.ts';
import type { GatewayMetrics } from '../http/metrics.ts';
import type { GraphVersions } from '../versions/graph-versions.ts';
import { followGraph } from './follow-graph.ts';
import { SharedStream, type StreamReader } from './shared-stream.ts';
import type { Source } from './upstream.ts';
import { type ShareLimits, UserShares } from './user-shares.ts';

interface FanOutOptions {
  readonly versions: Pick<GraphVersions, 'current'>;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
  readonly limits: ShareLimits;
  /** Items that each ring keeps. */
  readonly ringCapacity: number;
  /** Length of their texts, in UTF-16 code units. */
  readonly ringLength: number;
  /** The interval after which a client without events gets the position of the stream, so that retention does not overtake it. */
  readonly checkpointMs: number;
}

const checkpointsEveryMs = 1_000;

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #streams = new Map<string, { readonly stream: SharedStream; readonly subscription: NormalSubscription }>();
  readonly #shares: UserShares;
  readonly #checkpoints: NodeJS.Timeout;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#shares = new UserShares(options.limits);
    const { checkpointMs } = options;
    this.#checkpoints = setInterval(
      () => {
        const nowMs = performance.now();
        for (const { stream } of this.#streams.values()) stream.giveCheckpoints(checkpointMs, nowMs);
      },
      Math.min(checkpointsEveryMs, checkpointMs),
    );
    this.#checkpoints.unref();
  }

  /**
   * Follows a subscription with the rights of `identity`. `fields`: number of fields that one event resolves. The reader must be closed. Throws
   * LIMIT_EXCEEDED.
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
    for (const { stream } of this.#streams.values()) stream.close();
  }

  /** One subscription of each stream that clients follow. */
  subscriptions(): readonly NormalSubscription[] {
    return [...this.#streams.values()].map(({ subscription }) => subscription);
  }

  #stream(key: string, subscription: NormalSubscription, identity: Identity): SharedStream {
    const { metrics, log, ringCapacity, ringLength } = this.#options;
    const known = this.#streams.get(key);
    if (known !== undefined) return known.stream;
    const stream = new SharedStream({
      source: this.#source(subscription, identity),
      ...{ capacity: ringCapacity, mostLength: ringLength },
      onEmpty: () => this.#streams.delete(key),
      onUpstreams: (change) => metrics.upstreams.inc(change),
      onFault: (error) => log.error({ err: error }, 'a shared stream failed'),
    });
    this.#streams.set(key, { stream, subscription });
    return stream;
  }

  #source(subscription: NormalSubscription, identity: Identity): Source {
    const { versions, metrics, log } = this.#options;
    const lag = metrics.deliveryLag;
    const onResume = (): void => metrics.resumptions.inc();
    const version = () => versions.current;
    return (request) => followGraph({ version, subscription, identity, lag, log, onResume }, request);
  }
}
