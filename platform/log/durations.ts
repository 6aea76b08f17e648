// A histogram of durations for hot paths. An observation adds to three numbers: one of prom-client's takes a microsecond, because it
// makes a text of the labels.
import type { Metric, Registry } from 'prom-client';

interface DurationsOptions {
  readonly registry: Registry;
  readonly name: string;
  readonly help: string;
  readonly label: string;
  /** Upper bounds in seconds, ascending. */
  readonly buckets: readonly number[];
}

/** The durations of one label's value. */
export class Series {
  readonly #buckets: readonly number[];
  /** Durations in each bucket alone, the last one without an upper bound. */
  readonly counts: number[];
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets;
    this.counts = new Array<number>(buckets.length + 1).fill(0);
  }

  observe(seconds: number): void {
    let at = 0;
    while (at < this.#buckets.length && seconds > (this.#buckets[at] ?? 0)) at += 1;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += seconds;
  }
}

export class Durations {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #label: string;
  readonly #buckets: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor({ registry, name, help, label, buckets }: DurationsOptions) {
    this.name = name;
    this.help = help;
    this.#label = label;
    this.#buckets = buckets;
    // The registry asks a metric for these members and `get` only.
    registry.registerMetric(this as unknown as Metric);
  }

  /** `value`: of the label. The number of different values must have a bound. */
  of(value: string): Series {
    let series = this.#series.get(value);
    if (series === undefined) {
      series = new Series(this.#buckets);
      this.#series.set(value, series);
    }
    return series;
  }

  reset(): void {
    this.#series.clear();
  }

  async get(): Promise<object> {
    const { name, help, type, aggregator } = this;
    const values = [...this.#series].flatMap(([value, series]) => this.#valuesOf({ [this.#label]: value }, series));
    return { name, help, type, aggregator, values };
  }

  #valuesOf(labels: Readonly<Record<string, string>>, { counts, sum }: Series): readonly object[] {
    let count = 0;
    const buckets = counts.map((inBucket, at) => {
      count += inBucket;
      return {
        metricName: `${this.name}_bucket`,
        labels: { le: this.#buckets[at] ?? '+Inf', ...labels },
        value: count,
      };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels, value: sum },
      { metricName: `${this.name}_count`, labels, value: count },
    ];
  }
}
