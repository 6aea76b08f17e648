// A MariaDB on a restored copy, which only this process reaches: at a Unix socket in a closed folder, without network and binary log. It logs in with
// an account that exists only as long as the server.
// needs: mariadb-server-core
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConnection } from 'mariadb';
import { findProgram } from '../embedded/find-program.ts';
import { runProgram } from '../embedded/run-program.ts';
import { ServerProcess } from '../embedded/server-process.ts';
import { silentLog } from '../embedded/setup-log.ts';
import { connectionOptions, type DatabaseLocation } from '../platform/database/server-pools.ts';
import { fault } from './faults.ts';

const readyTimeoutMs = 600_000;
/** The applier skips transactions with its server's own number. No server of a cluster has the highest. */
const ownNumber = 4_294_967_295;
export const relayLog = 'archive';
const account = "'tidegate_restore'@'localhost'";

/** Throws BackupFaults: another series than the copied one's can't prepare the copy. `version`: of the copied server. */
export async function requireSameSeries(version: string): Promise<void> {
  const { stdout } = await runProgram(await findServer(), ['--no-defaults', '--version']);
  const [own, wanted] = [/Ver (\d+\.\d+)/.exec(stdout)?.[1], /^\d+\.\d+/.exec(version)?.[0]];
  if (own !== wanted)
    fault(
      `the backup is of MariaDB ${wanted}, and ${own} is installed: restore it where ${wanted} is, and upgrade afterwards`,
    );
}

const findServer = () => findProgram('mariadbd', ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd']);

export class PrivateServer implements AsyncDisposable {
  readonly location: DatabaseLocation;
  readonly #process: ServerProcess;
  readonly #folder: string;

  private constructor(process: ServerProcess, folder: string, location: DatabaseLocation) {
    this.#process = process;
    this.#folder = folder;
    this.location = location;
  }

  /** `dataPath`: a prepared copy. */
  static async start(dataPath: string, database: string, signal: AbortSignal): Promise<PrivateServer> {
    const folder = await mkdtemp(join(tmpdir(), 'tidegate-restore-'));
    const password = randomBytes(24).toString('hex');
    const location = { socketPath: join(folder, 'mariadb.sock'), user: 'tidegate_restore', password, database };
    const accountFile = join(folder, 'account.sql');
    const statements = [
      `CREATE OR REPLACE USER ${account} IDENTIFIED BY '${password}'`,
      `GRANT ALL ON *.* TO ${account} WITH GRANT OPTION`,
    ];
    await writeFile(accountFile, `${statements.join(';\n')};\n`, { mode: 0o600 });
    const server = new ServerProcess({
      name: 'MariaDB',
      command: await findServer(),
      args: [
        // The layout of the copied tablespaces.
        `--defaults-file=${join(dataPath, 'backup-my.cnf')}`,
        ...[`--datadir=${dataPath}`, `--socket=${location.socketPath}`, `--pid-file=${join(folder, 'mariadbd.pid')}`],
        ...[
          '--skip-networking',
          `--init-file=${accountFile}`,
          '--skip-log-bin',
          '--skip-slave-start',
          `--tmpdir=${folder}`,
        ],
        ...[`--relay-log=${relayLog}`, `--server-id=${ownNumber}`, '--max-allowed-packet=1G', '--event-scheduler=OFF'],
        ...['--character-set-server=utf8mb4', '--collation-server=utf8mb4_bin', '--performance-schema=OFF'],
        ...['--innodb-buffer-pool-size=128M', '--innodb-flush-log-at-trx-commit=0', '--skip-symbolic-links'],
        ...(process.getuid?.() === 0 ? ['--user=root'] : []),
      ],
      cwd: dataPath,
      runAs: undefined,
      log: silentLog,
      stopTimeoutMs: readyTimeoutMs,
    });
    const made = new PrivateServer(server, folder, location);
    try {
      await server.waitUntilReady(async () => void (await made.query('SELECT 1')), readyTimeoutMs, signal);
      return made;
    } catch (error) {
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    const connection = await createConnection({ ...connectionOptions(this.location), socketTimeout: 0 });
    connection.on('error', () => undefined);
    try {
      return await connection.query<Row[]>(sql, [...values]);
    } finally {
      await connection.end();
    }
  }

  /** The data keeps no trace of the account. No more can be asked. */
  async forgetAccount(): Promise<void> {
    await this.query(`DROP USER ${account}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
