// A private MariaDB and Redis for the trials; Redis can be killed and restarts on the same files.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { platformMigrations } from '../../compose/places.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { startMariadb } from '../../embedded/mariadb.ts';
import { startRedis } from '../../embedded/redis.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import type { DatabaseLocation } from '../../platform/database/database.ts';
import { migrate } from '../../platform/database/migrate.ts';

interface TrialServers {
  readonly connection: DatabaseLocation;
  readonly redisPath: string;
  killRedis(): Promise<void>;
  stop(): Promise<void>;
}

export async function startTrialServers(): Promise<TrialServers> {
  const path = await mkdtemp(join(tmpdir(), 'tidegate-trials-'));
  const folder = await openDataFolder(path, { version: 1 });
  const mariadb = await startMariadb({ folder, log: silentLog });
  await migrate(mariadb.application, [platformMigrations]);
  let redis = await startRedis({ folder, log: silentLog });
  return {
    connection: mariadb.application,
    redisPath: redis.path,
    async killRedis() {
      process.kill(redis.pid, 'SIGKILL');
      await redis.exited;
      redis = await startRedis({ folder, log: silentLog });
    },
    async stop() {
      await redis.stop();
      await mariadb.stop();
      await folder.close();
      await rm(path, { recursive: true, force: true });
    },
  };
}
