// Turns settings into the addresses, certificates and keys of a process's parts.
import { readFileSync } from 'node:fs';
import type { DatabaseLocation } from '../platform/database/database.ts';
import { ConfigError, unusableFile } from '../platform/errors/config-error.ts';
import type { Logger } from '../platform/log/log.ts';
import type { Config } from '../platform/process/config.ts';
import { KeyFolder } from '../platform/secrets/key-folder.ts';
import type { RedisLocation } from '../platform/work/redis.ts';

function readPem(setting: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new ConfigError([unusableFile([setting], path, error)]);
  }
}

/** The servers of the database, or the virtual IP of their primary. Throws ConfigError when none is set. */
export function databaseLocations(config: Config): readonly DatabaseLocation[] {
  const socketPath = config['database.socketPath'];
  if (socketPath !== undefined) return [{ ...databaseAccount(config), socketPath }];
  const hosts = config['database.host'];
  if (hosts === undefined) throw missing(['database.host', 'database.socketPath'], 'a database');
  return hosts.map(({ host, port = config['database.port'] }) => at(config, host, port));
}

/** The servers on which replication is checked, by host. Empty if there is no standby. */
export function databaseMembers(config: Config): readonly (DatabaseLocation & { readonly host: string })[] {
  const hosts = config['database.host'] ?? [];
  if (hosts.length > 1) return hosts.map(({ host, port = config['database.port'] }) => at(config, host, port));
  const standby = config['database.standbyHost'];
  return standby === undefined ? [] : [at(config, standby, config['database.standbyPort'])];
}

function at(config: Config, host: string, port: number): DatabaseLocation & { readonly host: string } {
  return { ...databaseAccount(config), host, port, ...databaseTls(config) };
}

function databaseAccount(config: Config): Pick<DatabaseLocation, 'user' | 'password' | 'database'> {
  return {
    user: config['database.user'],
    password: config['database.password'],
    database: config['database.name'],
  };
}

function databaseTls(config: Config): { tls?: { ca: string } } {
  const caFile = config['database.caFile'];
  return caFile === undefined ? {} : { tls: { ca: readPem('database.caFile', caFile) } };
}

/** Default port of a Sentinel. */
export const sentinelPort = 26_379;

/** Throws ConfigError when none is set. */
export function redisLocation(config: Config): RedisLocation {
  const password = config['redis.password'];
  const secret = password === undefined ? {} : { password };
  const path = config['redis.path'];
  if (path !== undefined) return { path, ...secret };
  const tls = config['redis.tls'] ? { tls: {} } : {};
  const sentinels = config['redis.sentinels'];
  if (sentinels !== undefined) {
    const sentinelPassword = config['redis.sentinelPassword'];
    return {
      sentinels: sentinels.map(({ host, port = sentinelPort }) => ({ host, port })),
      name: config['redis.sentinelName'],
      ...secret,
      ...(sentinelPassword === undefined ? {} : { sentinelPassword }),
      ...tls,
    };
  }
  const host = config['redis.host'];
  if (host === undefined) throw missing(['redis.host', 'redis.sentinels', 'redis.path'], 'Redis');
  return { host, port: config['redis.port'], ...secret, ...tls };
}

/** TLS of the public endpoint. Undefined for plain HTTP. */
export function publicTls(config: Config): { cert: string; key: string } | undefined {
  const [cert, key] = [config['listen.tls.certFile'], config['listen.tls.keyFile']];
  if (cert === undefined || key === undefined) return undefined;
  return { cert: readPem('listen.tls.certFile', cert), key: readPem('listen.tls.keyFile', key) };
}

/** The key files of this process's roles. */
export function keyFolder(config: Config, log: Logger): KeyFolder {
  return new KeyFolder({ folder: config['keys.folder'], sealingFile: config['keys.sealingFile'], log });
}

function missing(settings: readonly string[], what: string): ConfigError {
  return new ConfigError([{ settings, wrong: `these roles need ${what}`, advice: 'give one' }]);
}
