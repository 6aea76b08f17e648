// The newest table of statistics of each node, in Redis: it is only looked at, so nothing is lost with it.
import type { Redis } from 'ioredis';
import type { StatisticsReport } from '../../wire/statistics-report.ts';

/** A node that is silent for longer has no table. */
const keptSeconds = 86_400;

export class StatisticsStore {
  readonly #redis: Redis;
  readonly #prefix: string;

  constructor({ redis, redisPrefix }: { readonly redis: Redis; readonly redisPrefix: string }) {
    this.#redis = redis;
    this.#prefix = `${redisPrefix}:lb-statistics`;
  }

  async keep(report: StatisticsReport): Promise<void> {
    await this.#redis.set(this.#key(report.node), JSON.stringify(report), 'EX', keptSeconds);
  }

  /** By node. Nodes without a table are missing. */
  async read(nodes: readonly string[]): Promise<ReadonlyMap<string, StatisticsReport>> {
    if (nodes.length === 0) return new Map();
    const texts = await this.#redis.mget(nodes.map((node) => this.#key(node)));
    const found = new Map<string, StatisticsReport>();
    for (const [index, text] of texts.entries())
      if (text !== null) found.set(nodes[index] ?? '', JSON.parse(text) as StatisticsReport);
    return found;
  }

  #key(node: string): string {
    return `${this.#prefix}:${node}`;
  }
}
