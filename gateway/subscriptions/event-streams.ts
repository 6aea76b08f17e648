// GraphQL over SSE for clients without WebSockets. A stream counts as a socket with one subscription: it has the same limits, its
// credential is checked again in the same way, and it shares the same upstreams.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { CodedError, socketCloses } from '../../platform/errors/errors.ts';
import { presentError } from '../../platform/graph/execution.ts';
import { InvalidGraphqlDocument } from '../access/invalid-document.ts';
import type { SocketLimits } from '../access/limits.ts';
import { normaliseSubscription, readAfter } from '../access/normal-subscription.ts';
import type { AdmittedSubscription } from '../http/endpoint-request.ts';
import type { GatewayMetrics } from '../http/metrics.ts';
import { closeAll } from './closable.ts';
import { EventStream, endEventStream, openEventStream, type ReadingLimits } from './event-stream.ts';
import type { FanOut } from './fan-out.ts';
import type { SocketWatch } from './socket-watch.ts';

interface EventStreamsOptions {
  readonly fanOut: FanOut;
  /** Watches all open sockets and event streams. */
  readonly watch: SocketWatch;
  /** Subscription fields whose items have facets. */
  readonly filteredFeeds: ReadonlySet<string>;
  readonly limits: SocketLimits;
  readonly reading: ReadingLimits;
  readonly metrics: GatewayMetrics;
  readonly log: Logger;
}

export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<EventStream>();
  readonly #heartbeats: NodeJS.Timeout;
  #disposed = false;

  constructor(options: EventStreamsOptions) {
    this.#options = options;
    this.#heartbeats = setInterval(() => {
      for (const stream of this.#open) stream.beat();
    }, options.limits.pingIntervalMs);
    this.#heartbeats.unref();
  }

  /** Answers with the stream, or with its refusal. Resolves at its end. */
  async serve(request: IncomingMessage, response: ServerResponse, subscription: AdmittedSubscription): Promise<void> {
    const { metrics, log } = this.#options;
    const { requestId } = subscription.context;
    // The client left while it was admitted.
    if (response.destroyed) return;
    let stream: EventStream;
    try {
      stream = this.#begin(request, response, subscription);
    } catch (error) {
      openEventStream(response);
      endEventStream(response, this.#errorsOf(error, requestId));
      return;
    }
    this.#open.add(stream);
    metrics.eventStreams.inc();
    metrics.subscriptions.inc();
    try {
      await stream.run(() => metrics.deliveries.inc());
    } catch (error) {
      log.error({ requestId, err: error }, 'an event stream failed');
      stream.terminate();
    } finally {
      this.#open.delete(stream);
      metrics.eventStreams.dec();
      metrics.subscriptions.dec();
    }
  }

  /** Ends the open streams, and cuts those whose clients do not read. */
  async release(): Promise<void> {
    const closed = [...this.#open].map((stream) => new Promise<void>((resolve) => stream.onceClosed(resolve)));
    closeAll(this.#open, socketCloses.goingAway);
    await Promise.all(closed);
  }

  /** Ends all streams and accepts no more. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    clearInterval(this.#heartbeats);
    await this.release();
  }

  #begin(
    { headers }: IncomingMessage,
    response: ServerResponse,
    { supergraph, admitted, variables, context }: AdmittedSubscription,
  ): EventStream {
    const { fanOut, watch, filteredFeeds, limits, reading } = this.#options;
    const { identity } = context;
    if (identity === null) throw new CodedError('UNAUTHENTICATED', 'A subscription requires a login.');
    if (this.#disposed) throw new CodedError(socketCloses.goingAway.error, socketCloses.goingAway.reason);
    // Behind another answer in the pipeline, it would not begin before that one ends.
    if (response.socket === null)
      throw new CodedError('INVALID_INPUT', 'An event stream needs a connection of its own.');
    const most = limits.maxSockets;
    if (watch.size >= most)
      throw new CodedError('LIMIT_EXCEEDED', 'This gateway has no room for another event stream: try later.', {
        limit: 'sockets',
        most,
      });
    const reached = watch.limitReached(identity, limits);
    if (reached !== undefined) throw new CodedError(socketCloses.tryLater.error, socketCloses.tryLater.reason, reached);
    const normal = normaliseSubscription(supergraph, admitted.document, admitted.operation, variables, filteredFeeds);
    // A client that reconnects repeats its first request, so its last event takes precedence.
    const after = readAfter(headers['last-event-id'] || undefined) ?? normal.after;
    const reader = fanOut.follow({ ...normal, after }, identity, admitted.cost.requested);
    const stream = new EventStream(response, reader, reading);
    watch.add(identity, stream);
    return stream;
  }

  #errorsOf(error: unknown, requestId: string): readonly GraphQLFormattedError[] {
    return error instanceof InvalidGraphqlDocument ? error.faults : [presentError(error, requestId, this.#options.log)];
  }
}
