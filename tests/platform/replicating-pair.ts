// Two private MariaDB servers, one replicating from the other: semi-synchronous, AFTER_SYNC, like a pair of hosts.
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { platformMigrations } from '../../compose/places.ts';
import { openDataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../embedded/mariadb.ts';
import { silentLog } from '../../embedded/setup-log.ts';
import { clockOffset, clockVariables, findClockLibrary } from '../../lab/clock-library.ts';
import { migrate } from '../../platform/database/migrate.ts';
import { freePort } from '../support/machine/free-port.ts';
import { isRunning, temporaryFolder, waitFor } from '../support/machine/temporary-folder.ts';

export interface ReplicatingPair {
  readonly primary: EmbeddedMariadb;
  readonly standby: EmbeddedMariadb;
  /** Runs statements as root on the primary. */
  onPrimary(...statements: string[]): Promise<void>;
  /** Runs statements as root on the standby. */
  onStandby(...statements: string[]): Promise<void>;
  /** Makes the primary's lease last this long from now, whenever the server receives it. */
  lease(ms: number): Promise<void>;
  /** Waits until the standby holds, or has received, every acknowledged write. */
  attached(): Promise<void>;
  /** Makes the standby the primary of a new timeline, after it has applied all received writes. */
  promote(): Promise<void>;
  stop(): Promise<void>;
}

interface PairOptions {
  /** If true, no write is acknowledged without the standby. By default a write is acknowledged after 10 s, or while the standby is away. */
  readonly strict?: boolean;
  /** How far the standby's clock is ahead of the primary's, in seconds (libfaketime). */
  readonly standbyAheadSeconds?: number;
}

async function run<Row = unknown>(
  connection: Parameters<typeof createConnection>[0],
  statements: readonly string[],
): Promise<Row[]> {
  const root: Connection = await createConnection(connection);
  try {
    let rows: Row[] = [];
    for (const statement of statements) rows = await root.query<Row[]>(statement);
    return rows;
  } finally {
    await root.end();
  }
}

/** Only the visible clock changes, because timeouts use the monotonic clock. Only the server loads the library, as its user. */
async function withClockAhead(folder: string, seconds: number): Promise<string> {
  const variables = clockVariables(await findClockLibrary(), { FAKETIME: `${clockOffset(seconds)}s` });
  const path = join(folder, 'mariadbd-ahead');
  const text = `#!/bin/sh
export ${Object.entries(variables)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')}
exec /usr/sbin/mariadbd "$@"
`;
  await writeFile(path, text);
  await chmod(path, 0o755);
  return path;
}

interface Received {
  readonly Master_Log_File: string;
  readonly Relay_Master_Log_File: string;
  readonly Read_Master_Log_Pos: number;
  readonly Exec_Master_Log_Pos: number;
}

export async function startReplicatingPair({
  strict = false,
  standbyAheadSeconds = 0,
}: PairOptions = {}): Promise<ReplicatingPair> {
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
    extraArguments: ['--skip-networking=OFF', '--bind-address=127.0.0.1', `--port=${port}`],
  });
  const standby = await startMariadb({
    folder: second,
    log: silentLog,
    binaryLog: true,
    ...(standbyAheadSeconds === 0 ? {} : { program: await withClockAhead(folder.path, standbyAheadSeconds) }),
    extraArguments: ['--server-id=2', '--rpl-semi-sync-slave-enabled=ON', '--rpl-semi-sync-slave-kill-conn-timeout=1'],
  });
  const onStandby = async (...statements: string[]) => void (await run(standby.rootConnection, statements));
  const onPrimary = async (...statements: string[]) => void (await run(primary.rootConnection, statements));
  await onPrimary(
    'SET SESSION sql_log_bin = 0',
    // Not set from the start, because the creation of the database would then wait for the standby until a timeout.
    "SET GLOBAL rpl_semi_sync_master_wait_point = 'AFTER_SYNC'",
    `SET GLOBAL rpl_semi_sync_master_timeout = ${strict ? 4_294_967_295 : 10_000}`,
    `SET GLOBAL rpl_semi_sync_master_wait_no_slave = ${strict ? 'ON' : 'OFF'}`,
    'SET GLOBAL rpl_semi_sync_master_enabled = ON',
    "CREATE USER 'replica'@'127.0.0.1' IDENTIFIED BY 'replica'",
    "GRANT REPLICATION SLAVE ON *.* TO 'replica'@'127.0.0.1'",
  );
  await onStandby(
    'RESET MASTER',
    `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = 'replica', MASTER_PASSWORD = 'replica', MASTER_USE_GTID = slave_pos, MASTER_CONNECT_RETRY = 1`,
    'START SLAVE',
    'SET GLOBAL read_only = ON',
  );
  const clients = "SHOW GLOBAL STATUS LIKE 'Rpl_semi_sync_master_clients'";
  const attached = () =>
    waitFor('the standby', async () => {
      const [row] = await run<{ Value: string }>(primary.rootConnection, [clients]);
      return row?.Value === '1' ? true : undefined;
    });
  // In strict mode a migration would wait forever.
  await attached();
  await migrate(primary.application, [platformMigrations]);
  return {
    ...{ primary, standby, onPrimary, onStandby },
    attached: async () => void (await attached()),
    lease(ms) {
      const endsAt = new Date(Date.now() + ms).toISOString().replace('Z', '');
      const put = `REPLACE INTO \`${primary.application.database}\`.db_lease (id, ends_at) VALUES (1, '${endsAt}')`;
      return onPrimary('SET SESSION sql_log_bin = 0', put);
    },
    async promote() {
      await onStandby('STOP SLAVE IO_THREAD');
      await waitFor('the relay log', async () => {
        const [row] = await run<Received>(standby.rootConnection, ['SHOW SLAVE STATUS']);
        return (
          row?.Master_Log_File === row?.Relay_Master_Log_File && row?.Read_Master_Log_Pos === row?.Exec_Master_Log_Pos
        );
      });
      await onStandby(
        'STOP SLAVE',
        'RESET SLAVE ALL',
        `INSERT INTO \`${standby.application.database}\`.db_timeline (epoch, lossy) SELECT MAX(epoch) + 1, 0 FROM \`${standby.application.database}\`.db_timeline`,
        'SET GLOBAL read_only = OFF',
      );
    },
    async stop() {
      for (const server of [standby, primary]) {
        // A frozen server, or one that waits for the other, would not end by itself.
        if (strict && isRunning(server.pid)) process.kill(server.pid, 'SIGKILL');
        await server.stop();
      }
      await Promise.all([first.close(), second.close()]);
      await folder.remove();
    },
  };
}
