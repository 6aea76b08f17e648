// Rate limits: one contract for memory and Redis, and the behaviour without Redis.
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { createRedis } from '../../../../../platform/work/redis.ts';
import {
  MemoryRateLimiter,
  type RateLimiter,
  RedisRateLimiter,
  type RedisScripts,
} from '../../../../../subgraphs/system/control/access/rate-limiter.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testServers } from '../../../../support/stores/servers.ts';

const log = pino({ level: 'silent' });
let redis: ReturnType<typeof createRedis>;

beforeAll(async () => {
  redis = createRedis({ path: testServers().redisPath }, { log });
  await waitFor('Redis', () => redis.status === 'ready');
});

afterAll(() => redis.disconnect());

const prefix = `{rate-limiter-test-${process.pid}}`;
const adapters: readonly [string, () => RateLimiter][] = [
  ['memory', () => new MemoryRateLimiter()],
  ['Redis', () => new RedisRateLimiter({ redis, prefix, log })],
];

let keys = 0;
function newLimit(limit: number, windowMs = 60_000) {
  keys += 1;
  return { key: `key ${keys}`, limit, windowMs };
}

test('Redis: a window from before the clock was set back ends after its own length', async () => {
  const limiter = new RedisRateLimiter({ redis, prefix, log });
  const limit = newLimit(1);
  expect(await limiter.take(limit)).toBe(0);
  expect(await limiter.take(limit)).toBeGreaterThan(0);
  // The state of Redis after a step back by a day, because it stores end times, not lengths.
  const key = `${prefix}:rate:${createHash('sha256').update(limit.key).digest('base64url')}`;
  expect(await redis.pexpire(key, 86_400_000)).toBe(1);
  expect(await limiter.take(limit)).toBe(0);
  const waitMs = await limiter.take(limit);
  expect(waitMs).toBeGreaterThan(0);
  expect(waitMs).toBeLessThanOrEqual(limit.windowMs);
});

describe.each(adapters)('%s', (_name, make) => {
  test('allows as many as the limit, then returns the wait time', async () => {
    const limiter = make();
    const limit = newLimit(2);
    expect([await limiter.take(limit), await limiter.take(limit)]).toEqual([0, 0]);
    const waitMs = await limiter.take(limit);
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(60_000);
  });

  test('counts keys separately', async () => {
    const limiter = make();
    const [one, other] = [newLimit(1), newLimit(1)];
    expect(await limiter.take(one)).toBe(0);
    expect(await limiter.take(one)).toBeGreaterThan(0);
    expect(await limiter.take(other)).toBe(0);
  });

  test('does not count returned attempts, and never goes below zero', async () => {
    const limiter = make();
    const limit = newLimit(1);
    await limiter.giveBack(limit);
    expect(await limiter.take(limit)).toBe(0);
    await limiter.giveBack(limit);
    await limiter.giveBack(limit);
    expect(await limiter.take(limit)).toBe(0);
    expect(await limiter.take(limit)).toBeGreaterThan(0);
  });

  test('remembers a key for the given time', async () => {
    const limiter = make();
    const { key } = newLimit(1);
    expect(await limiter.remembers(key)).toBe(false);
    await limiter.remember(key, 60_000);
    expect(await limiter.remembers(key)).toBe(true);
    await limiter.remember(key, 1);
    await waitFor('it to be forgotten', async () => !(await limiter.remembers(key)));
  });

  test('starts again after the window', async () => {
    const limiter = make();
    const limit = newLimit(1, 30);
    expect(await limiter.take(limit)).toBe(0);
    await waitFor('the next window', async () => (await limiter.take(limit)) === 0);
  });
});

test('memory keeps a bounded number of keys, and drops the oldest', async () => {
  const limiter = new MemoryRateLimiter({ maxKeys: 2 });
  const limits = [newLimit(1), newLimit(1), newLimit(1)] as const;
  for (const limit of limits) expect(await limiter.take(limit)).toBe(0);
  expect(await limiter.take(limits[2])).toBeGreaterThan(0);
  expect(await limiter.take(limits[0])).toBe(0);
});

describe.each([
  ['refuses', () => Promise.reject(new Error('connection is closed'))],
  ['does not answer', () => new Promise<never>(() => undefined)],
])('while Redis %s', (_name, fail) => {
  test('this process counts by itself, without querying Redis each time', async () => {
    let asked = 0;
    const away: RedisScripts = {
      eval: () => {
        asked += 1;
        return fail();
      },
    };
    const limiter = new RedisRateLimiter({ redis: away, prefix, log });
    const limit = newLimit(2);
    expect([await limiter.take(limit), await limiter.take(limit)]).toEqual([0, 0]);
    expect(await limiter.take(limit)).toBeGreaterThan(0);
    expect(asked).toBe(1);
  });
});
