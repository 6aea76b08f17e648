// How far the delivery of events is behind: from the arrival of an event at the gateway until it is complete and in its ring. A stuck event is not in
// the histogram yet, so a gauge contains the age of the oldest one.
import { Gauge, Histogram, type Registry } from 'prom-client';

/** Monotonic milliseconds, by event. */
const arrivals = new WeakMap<object, number>();

/** For code that buffers events. Only the first call counts. */
export function noteArrival(event: object): void {
  if (!arrivals.has(event)) arrivals.set(event, performance.now());
}

export class DeliveryLag {
  readonly #seconds: Histogram<'feed' | 'start'>;
  /** By feed, the arrivals of events that are being completed, in the order of their completion's start. */
  readonly #waiting = new Map<string, Set<{ readonly sinceMs: number }>>();

  constructor(registry: Registry) {
    const registers = [registry];
    this.#seconds = new Histogram({
      name: 'tidegate_gateway_event_lag_seconds',
      help: 'From the arrival of an event at the gateway until clients can have it, with the fields of other subgraphs.',
      labelNames: ['feed', 'start'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    });
    const waiting = this.#waiting;
    new Gauge({
      name: 'tidegate_gateway_event_waiting_seconds',
      help: 'The age of the oldest event that waits for the fields of other subgraphs, since its arrival at the gateway.',
      labelNames: ['feed'],
      registers,
      collect() {
        const nowMs = performance.now();
        for (const [feed, events] of waiting) {
          const oldestMs = [...events].reduce((oldest, { sinceMs }) => Math.min(oldest, sinceMs), nowMs);
          this.set({ feed }, (nowMs - oldestMs) / 1000);
        }
      },
    });
  }

  /**
   * Measures `work`, which completes events. `feed`: the subscription field. `start`: the start of the events' stream. A stream that begins at a
   * client's cursor has past events too, which are completed a few at a time.
   */
  async measure<Result>(
    events: readonly object[],
    { feed, start }: { readonly feed: string; readonly start: 'now' | 'cursor' },
    work: () => Promise<Result>,
  ): Promise<Result> {
    const entries = events.map((event) => ({ sinceMs: arrivals.get(event) ?? performance.now() }));
    const waiting = this.#waiting.get(feed) ?? new Set();
    this.#waiting.set(feed, waiting);
    for (const entry of entries) waiting.add(entry);
    try {
      return await work();
    } finally {
      const nowMs = performance.now();
      for (const entry of entries) {
        waiting.delete(entry);
        this.#seconds.observe({ feed, start }, (nowMs - entry.sinceMs) / 1000);
      }
    }
  }
}
