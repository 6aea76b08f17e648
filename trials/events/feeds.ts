// Two feeds, each with its own database pool and Redis connection like two subgraph processes; occasionally one
// is stopped and replaced.
import type { DatabaseLocation } from '../../platform/database/database.ts';
import type { StatusFeed } from '../../platform/events/feed.ts';
import { type ContextOptions, LocalContext } from '../../tests/support/product/test-context.ts';
import type { Random } from '../random.ts';

interface FeedsOptions {
  readonly connection: DatabaseLocation;
  readonly redis: NonNullable<ContextOptions['redis']>;
  readonly random: Random;
}

export class Feeds {
  readonly #options: FeedsOptions;
  #places: LocalContext[] = [];
  replacements = 0;

  constructor(options: FeedsOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#places = [await this.#open(), await this.#open()];
  }

  any(): StatusFeed {
    return this.#options.random.pick(this.#places).feed;
  }

  /** Stops a feed with all its subscriptions, and replaces it. */
  async replace(): Promise<void> {
    const victim = this.#options.random.pick(this.#places);
    await victim.stop();
    const replacement = await this.#open();
    this.#places = this.#places.map((place) => (place === victim ? replacement : place));
    this.replacements += 1;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.stop()));
  }

  async #open(): Promise<LocalContext> {
    const { connection, redis } = this.#options;
    // With a small ring and frequent checkpoints, both ways of reading and resuming from checkpoints happen often.
    const feed = { ringSize: 200, checkpointMs: 50 };
    const place = new LocalContext({ connection, connectionLimit: 8 }, { redis, feed });
    await place.feed.start();
    return place;
  }
}
