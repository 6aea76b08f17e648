// A private MariaDB and Redis, with the settings for processes that use them.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ownersOf } from '../../compose/owners.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../subgraphs/rows.ts';

interface BenchServers {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  /** Settings by dotted name, for a gateway with system. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Everything that it started is stopped with the stack, and its folder is removed. */
export async function startServers(stack: AsyncDisposableStack, signal: AbortSignal): Promise<BenchServers> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-bench-'));
  stack.defer(() => rm(path, { recursive: true, force: true }));
  const folder = await openDataFolder(path, { version: 1 });
  stack.defer(() => folder.close());
  const mariadb = await startMariadb({ folder, log: silentLog, signal });
  stack.defer(() => mariadb.stop());
  const redis = await startRedis({ folder, log: silentLog, signal });
  stack.defer(() => redis.stop());
  const { application } = mariadb;
  await migrate(application, ownersOf(['system', 'relay', 'worker'], subgraphRows));
  const keys = join(path, 'keys');
  await makeKeys(keys);
  return {
    connection: application,
    redisPath: redis.path,
    settings: {
      roles: 'gateway,system',
      'listen.port': '0',
      // No operation of the benchmark uses the relay.
      'subgraphs.relayUrl': 'http://127.0.0.1:9',
      'database.socketPath': application.socketPath,
      'database.user': application.user,
      'database.password': application.password,
      'database.name': application.database,
      'redis.path': redis.path,
      'keys.folder': keys,
    },
  };
}
