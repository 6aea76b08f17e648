// How long requests to subgraphs take, for Prometheus and the slow log.
import type { Registry } from 'prom-client';
import { Durations } from '../../platform/log/durations.ts';
import type { SlowLog } from '../../platform/log/slow-log.ts';

export class FetchTimes {
  readonly #seconds: Durations;
  readonly #slow: SlowLog | undefined;

  constructor(registry: Registry, slow: SlowLog | undefined) {
    this.#slow = slow;
    this.#seconds = new Durations({
      registry,
      name: 'tidegate_gateway_subgraph_seconds',
      help: 'From sending a request to a subgraph until its answer, without subscriptions; also of subgraphs in this process.',
      label: 'subgraph',
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
    });
  }

  answered(subgraph: string, sentMs: number, requestId: string): void {
    const tookMs = performance.now() - sentMs;
    this.#seconds.of(subgraph).observe(tookMs / 1000);
    if (this.#slow?.isSlow(tookMs) === true) this.#slow.add('subgraph fetch', tookMs, { requestId, subgraph });
  }
}
