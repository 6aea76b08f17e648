// Memories outside the database, which a restore does not set back: in Redis, and in a file in the folder of the keys.
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import type { Config } from '../platform/process/config.ts';
import { FileTextMemory, RedisTextMemory, type TextMemory } from '../platform/restore/text-memory.ts';
import { redisPrefix } from './places.ts';

export function outerMemories(
  config: Config,
  redis: Redis,
  what: 'commits' | 'revoked' | 'revoked-keys',
): readonly TextMemory[] {
  const folder = config['keys.folder'];
  const path = config['database.memoryFile'] ?? (folder === undefined ? undefined : join(folder, 'database.memory'));
  return [
    new RedisTextMemory(redis, `${redisPrefix}:${what}`),
    ...(path === undefined ? [] : [new FileTextMemory(what === 'commits' ? path : `${path}.${what}`)]),
  ];
}
