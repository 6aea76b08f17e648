// Turns settings into the addresses, certificates and keys of a process's parts.
import { readFileSync } from 'node:fs';
import { type Config, ConfigError } from '../../platform/config.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import type { Logger } from '../../platform/log.ts';
import type { RedisLocation } from '../../platform/redis.ts';
import { KeyFolder } from '../../platform/secrets/key-folder.ts';

function readPem(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([`${path}: can't be read: ${error instanceof Error ? error.message : String(error)}`]);
  }
}

/** The primary, through its virtual IP. Throws ConfigError when none is set. */
export function databaseLocation(config: Config): DatabaseLocation {
  const account = {
    user: config['database.user'],
    password: config['database.password'],
    database: config['database.name'],
  };
  const socketPath = config['database.socketPath'];
  if (socketPath !== undefined) return { ...account, socketPath };
  const host = config['database.host'];
  if (host === undefined) throw new ConfigError(['database.host or database.socketPath: this role needs a database']);
  return { ...account, host, port: config['database.port'], ...databaseTls(config) };
}

/** The standby for replication status; undefined: none is configured. */
export function standbyLocation(config: Config): DatabaseLocation | undefined {
  const host = config['database.standbyHost'];
  if (host === undefined) return undefined;
  return {
    user: config['database.user'],
    password: config['database.password'],
    database: config['database.name'],
    host,
    port: config['database.standbyPort'],
    ...databaseTls(config),
  };
}

function databaseTls(config: Config): { tls?: { ca: string } } {
  const caFile = config['database.caFile'];
  return caFile === undefined ? {} : { tls: { ca: readPem(caFile) } };
}

/** Throws ConfigError when none is set. */
export function redisLocation(config: Config): RedisLocation {
  const password = config['redis.password'];
  const secret = password === undefined ? {} : { password };
  const path = config['redis.path'];
  if (path !== undefined) return { path, ...secret };
  const host = config['redis.host'];
  if (host === undefined) throw new ConfigError(['redis.host or redis.path: this role needs Redis']);
  return { host, port: config['redis.port'], ...secret, ...(config['redis.tls'] ? { tls: {} } : {}) };
}

/** TLS of the public endpoint; undefined: plain HTTP. */
export function publicTls(config: Config): { cert: string; key: string } | undefined {
  const [cert, key] = [config['listen.tls.certFile'], config['listen.tls.keyFile']];
  return cert === undefined || key === undefined ? undefined : { cert: readPem(cert), key: readPem(key) };
}

/** The key files of this process's roles. */
export function keyFolder(config: Config, log: Logger): KeyFolder {
  return new KeyFolder({ folder: config['keys.folder'], sealingFile: config['keys.sealingFile'], log });
}
