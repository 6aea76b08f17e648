// Two feeds, each with a database pool and a Redis connection of its own like two subgraph processes; now and then one is
// ended and replaced.
import type { Logger } from 'pino';
import { Database, type DatabaseLocation } from '../../../platform/database/database.ts';
import { StatusFeed } from '../../../platform/events/feed.ts';
import { createRedisWake, type Wake } from '../../../platform/wake.ts';
import type { Random } from '../random.ts';

interface Place {
  readonly feed: StatusFeed;
  readonly db: Database;
  readonly wake: Wake;
}

export interface FeedsOptions {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  readonly random: Random;
  readonly log: Logger;
}

export class Feeds {
  readonly #options: FeedsOptions;
  #places: Place[] = [];
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

  /** Ends one, with all its subscriptions; another takes its place. */
  async replace(): Promise<void> {
    const victim = this.#options.random.pick(this.#places);
    await close(victim);
    const replacement = await this.#open();
    this.#places = this.#places.map((place) => (place === victim ? replacement : place));
    this.replacements += 1;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#places.map(close));
  }

  async #open(): Promise<Place> {
    const { connection, redisPath, log } = this.#options;
    const db = new Database({ connection, connectionLimit: 8 });
    const wake = createRedisWake({ path: redisPath }, { prefix: 'trials', log });
    // A small ring and quick checkpoints: both ways of reading, and resuming from checkpoints, happen often.
    const feed = new StatusFeed({ db, wake, log, ringSize: 200, checkpointMs: 50 });
    await feed.start();
    return { feed, db, wake };
  }
}

async function close({ feed, db, wake }: Place): Promise<void> {
  await feed.stop();
  await wake.close();
  await db.close();
}
