// Connections to Redis. Redis carries messages and wake-ups, never the truth: every user of it must work without it.
import { Redis, type RedisOptions } from 'ioredis';
import type { Logger } from './log.ts';

/** Where Redis is: a unix socket, host and port, or what Sentinels watch under a name. */
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
      /** To the Sentinels, too. */
      readonly tls?: RedisTls;
    };

interface RedisTls {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** ioredis' own type has a member that its constructor does not accept under exactOptionalPropertyTypes. */
export type RedisSettings = Omit<RedisOptions, 'replyMapping'>;

export interface RedisConnectionOptions {
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
export function redisOptions(location: RedisLocation, options: { readonly keepCommands: boolean }): RedisSettings {
  return {
    ...('sentinels' in location ? watched(location) : location),
    connectTimeout,
    // The driver waits this long even for a connection that is already closed, and the process with it.
    disconnectTimeout: 100,
    maxRetriesPerRequest: options.keepCommands ? null : 0,
    enableOfflineQueue: options.keepCommands,
    // The driver awaits no answer to its own subscription: one that fails would end the process. Subscribers do it at `ready`.
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
    // A primary that stands still closes no connection: the Sentinels tell when another one has its place.
    failoverDetector: true,
    // One that was made a replica keeps its connections, too; what it refused is sent again.
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

export interface QueueConnection {
  /** With `keepCommands` it is not opened itself: BullMQ's workers open two like it. */
  readonly redis: Redis;
  /** Closes all connections, for good and without waiting for Redis. */
  close(): void;
}

/**
 * A connection for BullMQ, which opens more like it, leaves some open when Redis is not available at their end, and opens some again
 * that were closed. Their errors are told to BullMQ's listeners.
 */
export function createQueueConnection(
  location: RedisLocation,
  options: { readonly keepCommands: boolean },
): QueueConnection {
  const settings = redisOptions(location, options);
  const all: Redis[] = [];
  let closed = false;
  const open = (own: RedisSettings): Redis => {
    const redis = new Redis({ ...settings, ...own });
    const connect = redis.connect.bind(redis);
    redis.connect = (callback) =>
      closed ? Promise.reject(new Error('The connection was closed.')) : connect(callback);
    redis.duplicate = ((more: RedisSettings = {}) => open(more)) as Redis['duplicate'];
    all.push(redis);
    return redis;
  };
  return {
    redis: open({ lazyConnect: options.keepCommands }),
    close() {
      closed = true;
      for (const redis of all) redis.disconnect();
    },
  };
}
