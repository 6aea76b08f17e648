// Two private MariaDB servers, one replicating from the other: semi-synchronous, AFTER_SYNC, like a pair of hosts.
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { platformMigrations } from '../../bin/compose/places.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { freePort } from '../support/free-port.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

export interface ReplicatingPair {
  readonly primary: EmbeddedMariadb;
  readonly standby: EmbeddedMariadb;
  /** Runs statements as root on the standby. */
  onStandby(...statements: string[]): Promise<void>;
  stop(): Promise<void>;
}

async function run(connection: Parameters<typeof createConnection>[0], statements: readonly string[]): Promise<void> {
  const root: Connection = await createConnection(connection);
  try {
    for (const statement of statements) await root.query(statement);
  } finally {
    await root.end();
  }
}

export async function startReplicatingPair(): Promise<ReplicatingPair> {
  const folder = await temporaryFolder();
  const port = await freePort();
  const [first, second] = await Promise.all(
    ['primary', 'standby'].map((name) => openDataFolder(join(folder.path, name), { version: 1 })),
  );
  if (first === undefined || second === undefined) throw new Error('no folders');
  const primary = await startMariadb({
    folder: first,
    log: silentLog,
    binaryLog: true,
    extraArguments: [
      '--skip-networking=OFF',
      '--bind-address=127.0.0.1',
      `--port=${port}`,
      '--rpl-semi-sync-master-enabled=ON',
      '--rpl-semi-sync-master-wait-point=AFTER_SYNC',
      '--rpl-semi-sync-master-timeout=10000',
      '--rpl-semi-sync-master-wait-no-slave=OFF',
    ],
  });
  const standby = await startMariadb({
    folder: second,
    log: silentLog,
    binaryLog: true,
    extraArguments: ['--server-id=2', '--rpl-semi-sync-slave-enabled=ON', '--rpl-semi-sync-slave-kill-conn-timeout=1'],
  });
  await run(primary.rootConnection, [
    'SET SESSION sql_log_bin = 0',
    "CREATE USER 'replica'@'127.0.0.1' IDENTIFIED BY 'replica'",
    "GRANT REPLICATION SLAVE ON *.* TO 'replica'@'127.0.0.1'",
  ]);
  await run(standby.rootConnection, [
    'RESET MASTER',
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = 'replica', MASTER_PASSWORD = 'replica', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1`,
    'START SLAVE',
    'SET GLOBAL read_only = ON',
  ]);
  await migrate(primary.application, [platformMigrations]);
  return {
    primary,
    standby,
    onStandby: (...statements) => run(standby.rootConnection, statements),
    async stop() {
      await standby.stop();
      await primary.stop();
      await Promise.all([first.close(), second.close()]);
      await folder.remove();
    },
  };
}
