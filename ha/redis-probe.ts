// Whether this host's Redis answers. No decision depends on it: Redis holds no owed work, and is filled again from the database.

import type { Logger } from '../platform/log/log.ts';
import { createRedis, type RedisLocation } from '../platform/work/redis.ts';

const everyMs = 2_000;

export class RedisProbe {
  readonly #redis: ReturnType<typeof createRedis>;
  readonly #timer: NodeJS.Timeout;
  #answers = false;

  constructor(location: RedisLocation, log: Logger) {
    this.#redis = createRedis(location, { log, connectionName: 'tidegate-ha' });
    this.#timer = setInterval(() => void this.#ask(), everyMs);
  }

  get answers(): boolean {
    return this.#answers;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#redis.disconnect();
  }

  async #ask(): Promise<void> {
    this.#answers = await this.#redis.ping().then(
      () => true,
      () => false,
    );
  }
}
