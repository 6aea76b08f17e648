// Connections to Redis. Redis carries messages and wake-ups, never authoritative data, so all code that uses it must work without
// it.
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from '../log/log.ts';

/** Where Redis is: a unix socket, host and port, or a name that Sentinels watch. */
export type RedisLocation =
  | { readonly path: string; readonly password?: string }
  | {
      readonly host: string;
      readonly port: number;
      readonly password?: string;
      readonly tls?: RedisTls;
    }
  | {
      readonly sentinels: readonly { readonly host: string; readonly port: number }[];
      readonly name: string;
      readonly password?: string;
      readonly sentinelPassword?: string;
      /** Applies to the Sentinels, too. */
      readonly tls?: RedisTls;
    };

interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** ioredis' own type has a member that its constructor does not accept under exactOptionalPropertyTypes. */
type RedisSettings = Omit<RedisOptions, 'replyMapping'>;

interface RedisConnectionOptions {
  readonly log: Logger;
  /** BullMQ's blocking connections keep their commands until Redis is back; all others fail at once. Default false. */
  readonly keepCommands?: boolean;
  /** Shown by CLIENT LIST. */
  readonly connectionName?: string;
}

const connectTimeout = 2_000;
const commandTimeout = 2_000;
const reconnectFirstMs = 50;
const reconnectMostMs = 1_000;

/** The driver's options, for libraries (BullMQ) that open connections themselves. */
function redisOptions(location: RedisLocation, options: { readonly keepCommands: boolean }): RedisSettings {
  return {
    ...('sentinels' in location ? watched(location) : location),
    connectTimeout,
    // The driver waits this long even for a connection that is already closed, and the process with it.
    disconnectTimeout: 100,
    maxRetriesPerRequest: options.keepCommands ? null : 0,
    enableOfflineQueue: options.keepCommands,
    // The driver does not handle the answer to its own subscription, so a failed one would end the process. Subscribers do it at
    // `ready`.
    autoResubscribe: false,
    ...(options.keepCommands ? {} : { commandTimeout }),
    // Retries for ever, with a bounded pause: a Redis that comes back is found within a second.
    retryStrategy: (attempt) => Math.min(reconnectFirstMs * 2 ** Math.min(attempt, 10), reconnectMostMs),
  };
}

function watched(location: Extract<RedisLocation, { sentinels: unknown }>): RedisSettings {
  return {
    ...location,
    sentinels: [...location.sentinels],
    ...(location.tls && { enableTLSForSentinelMode: true, sentinelTLS: location.tls }),
    sentinelCommandTimeout: commandTimeout,
    // A paused primary closes no connection. The Sentinels report when another one replaces it.
    failoverDetector: true,
    // A primary that was made a replica keeps its connections, too. Commands that it refused are sent again.
    reconnectOnError: (error) => (error.message.startsWith('READONLY') ? 2 : false),
  };
}

/** Opens a connection in the background; the caller must `disconnect()` it. Its loss is logged once, not each retry. */
export function createRedis(location: RedisLocation, options: RedisConnectionOptions): Redis {
  const { log, keepCommands = false, connectionName } = options;
  const settings = redisOptions(location, { keepCommands });
  if (connectionName !== undefined) settings.connectionName = connectionName;
  const redis = new Redis(settings);
  let lost = false;
  redis.on('error', (error: Error) => {
    if (!lost) log.warn({ err: error }, 'Redis is not available: continuing without it');
    lost = true;
  });
  redis.on('ready', () => {
    if (lost) log.info('Redis is available again');
    lost = false;
  });
  return redis;
}

/** Never connects: every command fails at once, as while Redis is away. */
export function closedRedis(): Redis {
  const redis = new Redis({ lazyConnect: true });
  redis.disconnect();
  return redis;
}

/** Throws when Redis takes no writes, or may evict keys. `key`: one that nobody reads. */
export async function checkRedis(redis: Redis, key: string): Promise<void> {
  await redis.set(key, '1', 'PX', 60_000);
  const policy = await infoOf(redis, 'memory', 'maxmemory_policy');
  if (policy !== undefined && policy !== 'noeviction')
    throw new Error(`Redis may evict keys: its maxmemory-policy is ${policy}, and must be noeviction`);
}

/** False also if Redis can't be reached within the time. */
export async function isRedisCluster(redis: Redis, waitMs = connectTimeout): Promise<boolean> {
  if (redis.status !== 'ready')
    await new Promise<void>((resolve) => {
      const end = () => {
        clearTimeout(timer);
        redis.off('ready', end);
        redis.off('error', end);
        resolve();
      };
      const timer = setTimeout(end, waitMs);
      redis.once('ready', end);
      redis.once('error', end);
    });
  return redis.status === 'ready' && (await infoOf(redis, 'cluster', 'cluster_enabled')) === '1';
}

/** Undefined if the account may not use INFO. */
async function infoOf(redis: Redis, section: string, name: string): Promise<string | undefined> {
  const info = await redis.info(section).catch(() => '');
  return new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1];
}

export interface QueueConnection {
  /** With `keepCommands` it is not opened itself: BullMQ's workers open two like it. */
  readonly redis: Redis;
  /** Closes all connections permanently, without waiting for Redis. */
  close(): void;
}

/**
 * A connection for BullMQ. BullMQ opens more like it, leaves some open at the end if Redis is not available, and reopens some that
 * were closed. Their errors are passed to BullMQ's listeners.
 */
export function createQueueConnection(
  location: RedisLocation,
  options: { readonly keepCommands: boolean },
): QueueConnection {
  const settings = redisOptions(location, options);
  const all: Redis[] = [];
  /** Of the commands that wait in Redis. */
  const waiting = new Set<(error: Error) => void>();
  let closed = false;
  const open = (own: RedisSettings): Redis => {
    const redis = new Redis({ ...settings, ...own });
    const connect = redis.connect.bind(redis);
    redis.connect = (callback) =>
      closed ? Promise.reject(new Error('The connection was closed.')) : connect(callback);
    const wait = redis.bzpopmin.bind(redis) as (...words: unknown[]) => Promise<unknown>;
    // The driver never settles one whose connection was lost, and BullMQ's timer then outlives the connection.
    redis.bzpopmin = ((...words: unknown[]) =>
      new Promise<unknown>((resolve, reject) => {
        waiting.add(reject);
        void wait(...words)
          .then(resolve, reject)
          .finally(() => waiting.delete(reject));
      })) as unknown as Redis['bzpopmin'];
    redis.duplicate = ((more: RedisSettings = {}) => open(more)) as Redis['duplicate'];
    all.push(redis);
    return redis;
  };
  return {
    redis: open({ lazyConnect: options.keepCommands }),
    close() {
      closed = true;
      for (const redis of all) redis.disconnect();
      for (const reject of waiting) reject(new Error('The connection was closed.'));
    },
  };
}
