// Rate limits: a fixed window per key. Shared by all processes through Redis; separate per process while Redis is not available,
// which is looser but never unlimited.

import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { within } from '../../../../platform/work/within.ts';

export interface RateLimit {
  /** The counted key, for example `login-address/192.0.2.1`. */
  readonly key: string;
  /** Attempts allowed in a window. */
  readonly limit: number;
  readonly windowMs: number;
}

export interface RateLimiter {
  /** Counts an attempt. Returns 0 when it is allowed, else the time to wait in milliseconds. */
  take(limit: RateLimit): Promise<number>;
  /** Takes back an attempt that should not count. */
  giveBack(limit: RateLimit): Promise<void>;
  /** Remembers a key for the given time. The key may be forgotten earlier, so its loss must do no harm. */
  remember(key: string, forMs: number): Promise<void>;
  remembers(key: string): Promise<boolean>;
}

interface Window {
  count: number;
  readonly endsAtMs: number;
}

/** Counts in this process. Keeps at most `maxKeys` windows, and drops the oldest first. */
export class MemoryRateLimiter implements RateLimiter {
  readonly #windows = new Map<string, Window>();
  readonly #nowMs: () => number;
  readonly #maxKeys: number;

  constructor(options: { nowMs?: () => number; maxKeys?: number } = {}) {
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#maxKeys = options.maxKeys ?? 10_000;
  }

  async take({ key, limit, windowMs }: RateLimit): Promise<number> {
    const nowMs = this.#nowMs();
    let window = this.#windows.get(key);
    if (window === undefined || window.endsAtMs <= nowMs) {
      window = { count: 0, endsAtMs: nowMs + windowMs };
      this.#windows.delete(key);
      this.#windows.set(key, window);
      const oldest = this.#windows.size > this.#maxKeys ? this.#windows.keys().next().value : undefined;
      if (oldest !== undefined) this.#windows.delete(oldest);
    }
    window.count += 1;
    return window.count <= limit ? 0 : Math.max(1, Math.ceil(window.endsAtMs - nowMs));
  }

  async giveBack({ key }: RateLimit): Promise<void> {
    const window = this.#windows.get(key);
    if (window !== undefined && window.count > 0) window.count -= 1;
  }

  async remember(key: string, forMs: number): Promise<void> {
    this.#windows.delete(key);
    await this.take({ key, limit: 1, windowMs: forMs });
  }

  async remembers(key: string): Promise<boolean> {
    const window = this.#windows.get(key);
    return window !== undefined && window.endsAtMs > this.#nowMs();
  }
}

/** The one Redis command that is needed; an ioredis client has it. */
export interface RedisScripts {
  eval(script: string, keyCount: number, ...keysAndArguments: (string | number)[]): Promise<unknown>;
}

// In: KEYS[1] the counter, ARGV[1] the window in ms. Out: count with this attempt, ms until the window ends. Redis ends it by the wall clock. A
// counter that would last longer than a window was started before the clock was set back, and is restarted.
const takeScript = `
local count = redis.call('INCR', KEYS[1])
local left = redis.call('PTTL', KEYS[1])
if count > 1 and left > tonumber(ARGV[1]) then
  redis.call('SET', KEYS[1], 1)
  count = 1
end
if count == 1 or left < 0 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {count, redis.call('PTTL', KEYS[1])}`;

// In: KEYS[1] the counter. A counter that has expired, or is 0, is left unchanged.
const giveBackScript = `
if tonumber(redis.call('GET', KEYS[1]) or '0') > 0 then redis.call('DECR', KEYS[1]) end
return 0`;

// In: KEYS[1] the key, ARGV[1] the time in ms.
const rememberScript = `redis.call('SET', KEYS[1], 1, 'PX', ARGV[1]) return 0`;

const remembersScript = `return redis.call('EXISTS', KEYS[1])`;

const redisTimeoutMs = 250;
/** Pause after a failure of Redis, so that not every login waits for it. */
const redisPauseMs = 2_000;

/** Counts in Redis, and in this process while Redis does not answer. The caller owns the Redis client. */
export class RedisRateLimiter implements RateLimiter {
  readonly #redis: RedisScripts;
  readonly #prefix: string;
  readonly #log: Logger;
  readonly #fallback = new MemoryRateLimiter();
  #awayUntilMs = 0;

  constructor(options: { redis: RedisScripts; prefix: string; log: Logger }) {
    this.#redis = options.redis;
    this.#prefix = options.prefix;
    this.#log = options.log;
  }

  async take(limit: RateLimit): Promise<number> {
    const answer = await this.#run(takeScript, limit.key, limit.windowMs);
    if (answer === undefined) return this.#fallback.take(limit);
    const [count, leftMs] = answer as [number, number];
    return count <= limit.limit ? 0 : Math.max(1, leftMs);
  }

  async giveBack(limit: RateLimit): Promise<void> {
    const answer = await this.#run(giveBackScript, limit.key);
    if (answer === undefined) await this.#fallback.giveBack(limit);
  }

  async remember(key: string, forMs: number): Promise<void> {
    const answer = await this.#run(rememberScript, key, forMs);
    if (answer === undefined) await this.#fallback.remember(key, forMs);
  }

  async remembers(key: string): Promise<boolean> {
    const answer = await this.#run(remembersScript, key);
    return answer === undefined ? this.#fallback.remembers(key) : answer === 1;
  }

  /** Undefined when Redis does not answer in time. */
  async #run(script: string, key: string, ...args: number[]): Promise<unknown> {
    if (performance.now() < this.#awayUntilMs) return undefined;
    try {
      // Hashed: a key contains the user's own text, of any length.
      const name = `${this.#prefix}:rate:${createHash('sha256').update(key).digest('base64url')}`;
      return await within(redisTimeoutMs, 'no answer', () => this.#redis.eval(script, 1, name, ...args));
    } catch (error) {
      this.#awayUntilMs = performance.now() + redisPauseMs;
      this.#log.warn({ err: error }, 'rate limits are counted by this process alone: Redis does not answer');
      return undefined;
    }
  }
}
