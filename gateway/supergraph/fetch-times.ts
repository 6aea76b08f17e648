// How long requests to subgraphs take, for Prometheus and the slow log.
import { Histogram, type Registry } from 'prom-client';
import type { SlowLog } from '../../platform/log/slow-log.ts';

interface Observed {
  observe(seconds: number): void;
}

export class FetchTimes {
  readonly #seconds: Histogram<'subgraph'>;
  readonly #slow: SlowLog | undefined;
  readonly #bySubgraph = new Map<string, Observed>();

  constructor(registry: Registry, slow: SlowLog | undefined) {
    this.#slow = slow;
    this.#seconds = new Histogram({
      name: 'tidegate_gateway_subgraph_seconds',
      help: 'From sending a request to a subgraph until its answer, without subscriptions; also of subgraphs in this process.',
      labelNames: ['subgraph'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120],
      registers: [registry],
    });
  }

  answered(subgraph: string, sentMs: number, requestId: string): void {
    const tookMs = performance.now() - sentMs;
    let seconds = this.#bySubgraph.get(subgraph);
    if (seconds === undefined) {
      seconds = this.#seconds.labels({ subgraph });
      this.#bySubgraph.set(subgraph, seconds);
    }
    seconds.observe(tookMs / 1000);
    if (this.#slow?.isSlow(tookMs) === true) this.#slow.add('subgraph fetch', tookMs, { requestId, subgraph });
  }
}
