// A private MariaDB on a unix socket in the data folder, every commit on disk before it is acknowledged, and an application user
// that can't lift read-only (no SUPER, no READ_ONLY ADMIN). It has no binary log: only a standby would read it.
// needs: mariadb-server-core, mariadb-client-core, util-linux

import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFolder } from './data-folder.ts';
import { endingWithParent } from './ends-with-parent.ts';
import { findProgram, pathExists } from './find-program.ts';
import { runProgram } from './run-program.ts';
import { credentialFlags, type EmbeddedServer, endLeftOver, ServerProcess } from './server-process.ts';
import { SetupError } from './setup-error.ts';
import type { SetupLog } from './setup-log.ts';

export interface SocketCredentials {
  readonly socketPath: string;
  readonly user: string;
  readonly password: string;
}

export interface EmbeddedMariadb extends EmbeddedServer {
  readonly rootConnection: SocketCredentials;
  readonly application: SocketCredentials & { readonly database: string };
}

interface MariadbOptions {
  readonly folder: DataFolder;
  readonly log: SetupLog;
  /** Defaults to `mariadb.sock` in the data folder's socket folder. */
  readonly socketPath?: string;
  /** Further `--option=value` flags; they override the standard ones. */
  readonly extraArguments?: readonly string[];
  /** In place of mariadbd: a program that becomes it. */
  readonly program?: string;
  /** With a binary log, for a standby. */
  readonly binaryLog?: boolean;
  readonly signal?: AbortSignal;
}

export const APPLICATION_DATABASE = 'tidegate';
const APPLICATION_USER = 'tidegate';
const READY_TIMEOUT_MS = 60_000;
export const binaryLog = 'binlog';
/** Set by tests: a folder with system tables to copy. Making them takes a second of processor time. */
export const madeTablesVariable = 'MADE_SYSTEM_TABLES';

/** Starts it; a new database folder is set up first. Throws SetupError. */
export async function startMariadb(options: MariadbOptions): Promise<EmbeddedMariadb> {
  const { folder, log, signal } = options;
  signal?.throwIfAborted();
  const program =
    options.program ?? (await findProgram('mariadbd', ['/usr/sbin/mariadbd', '/usr/local/sbin/mariadbd']));
  const home = await folder.subfolder('mariadb', { forService: true });
  const dataPath = join(home, 'data');
  const socketPath = options.socketPath ?? folder.socketPath('mariadb.sock');
  const pidFile = join(home, 'mariadbd.pid');

  await endLeftOver({ pidFile, workingFolder: dataPath, programs: ['mariadbd'], log });
  await rm(socketPath, { force: true });
  await makeDatabase(folder, signal);

  const rootConnection = { socketPath, user: 'root', password: await folder.secret('mariadb-root') };
  const application = {
    socketPath,
    user: APPLICATION_USER,
    password: await folder.secret('mariadb-application'),
    database: APPLICATION_DATABASE,
  };
  const accountsFile = await writeAccountsFile(folder, rootConnection.password, application.password);
  await rm(join(home, 'tmp'), { recursive: true, force: true });
  await makeServiceFolder(folder, join('mariadb', 'tmp'));

  const start = async (logFlags: readonly string[]): Promise<ServerProcess> => {
    const server = new ServerProcess({
      name: 'MariaDB',
      command: program,
      args: [
        ...serverFlags({ dataPath, socketPath, pidFile, temporaryPath: join(home, 'tmp'), accountsFile }),
        '--skip-networking',
        ...logFlags,
        ...(process.getuid?.() === 0 && folder.serviceUser === undefined ? ['--user=root'] : []),
        ...(options.extraArguments ?? []),
      ],
      cwd: home,
      // Of eight heaps for each processor, glibc's default, each would keep space that the others need.
      env: { MALLOC_ARENA_MAX: '2' },
      runAs: folder.serviceUser,
      log,
    });
    await server.waitUntilReady(() => ensureDatabase(rootConnection, application), READY_TIMEOUT_MS, signal);
    return server;
  };
  const index = join(dataPath, `${binaryLog}.index`);
  if (options.binaryLog !== true && (await pathExists(index))) {
    await makeBinaryLogsRelative(index);
    await endInOrder(await start(loneLogFlags), index);
    await removeBinaryLogs(dataPath);
  }
  const server = await start(options.binaryLog === true ? loneLogFlags : ['--skip-log-bin']);
  return Object.assign(server, { rootConnection, application });
}

/** Sizes are for one small all-in-one host; durability is not reduced for speed. */
export function serverFlags(paths: {
  dataPath: string;
  socketPath: string;
  pidFile: string;
  temporaryPath: string;
  accountsFile: string;
}): string[] {
  return [
    '--no-defaults',
    `--datadir=${paths.dataPath}`,
    `--socket=${paths.socketPath}`,
    `--pid-file=${paths.pidFile}`,
    `--tmpdir=${paths.temporaryPath}`,
    `--init-file=${paths.accountsFile}`,
    '--skip-name-resolve',
    '--skip-symbolic-links',
    '--local-infile=OFF',
    '--character-set-server=utf8mb4',
    '--collation-server=utf8mb4_bin',
    '--innodb-flush-log-at-trx-commit=1',
    '--max-allowed-packet=64M',
    '--innodb-buffer-pool-size=64M',
    '--innodb-log-file-size=32M',
    '--innodb-log-buffer-size=4M',
    '--performance-schema=OFF',
    '--key-buffer-size=64K',
    '--aria-pagecache-buffer-size=1M',
    '--max-connections=64',
    // Each takes 0.2 MiB. While statements need more, more are open.
    '--table-open-cache=128',
    '--table-open-cache-instances=1',
    '--thread-stack=256K',
  ];
}

/** What docs/operating.md asks of a pair of hosts. */
export const binaryLogFlags: readonly string[] = [
  '--sync-binlog=1',
  '--gtid-domain-id=0',
  '--gtid-strict-mode=ON',
  // Relative to the data directory, so that the folder can be moved.
  `--log-bin=${binaryLog}`,
  '--binlog-format=ROW',
  // A standby needs neither the text of each statement nor the columns that stay as they are.
  '--binlog-annotate-row-events=OFF',
  '--binlog-row-image=MINIMAL',
  '--log-slave-updates=ON',
  '--max-binlog-size=64M',
  '--binlog-expire-logs-seconds=86400',
];

const loneLogFlags: readonly string[] = [...binaryLogFlags, '--server-id=1'];

/** A folder without it is a mount point whose disk is not mounted, for example. */
export function hasDatabase(path: string): Promise<boolean> {
  return pathExists(join(path, 'ibdata1'));
}

/** In a data folder. */
export function databasePath(dataFolder: string): string {
  return join(dataFolder, 'mariadb', 'data');
}

/** If there is none. Creates the system tables beside the final place and renames them, so that an interrupted attempt is simply repeated. */
export async function makeDatabase(folder: DataFolder, signal?: AbortSignal): Promise<void> {
  const home = await folder.subfolder('mariadb', { forService: true });
  const dataPath = join(home, 'data');
  if (await pathExists(dataPath)) return;
  const fresh = join(home, 'data.new');
  await rm(fresh, { recursive: true, force: true });
  await makeServiceFolder(folder, join('mariadb', 'data.new'));
  const made = process.env[madeTablesVariable];
  await (made === undefined ? makeTables(folder, home, fresh, signal) : copyTables(made, fresh, folder));
  await rename(fresh, dataPath);
}

async function makeTables(folder: DataFolder, home: string, fresh: string, signal?: AbortSignal): Promise<void> {
  const program = await findProgram('mariadb-install-db', [
    '/usr/bin/mariadb-install-db',
    '/usr/local/bin/mariadb-install-db',
  ]);
  const [command, words] = endingWithParent(
    program,
    [
      '--no-defaults',
      `--datadir=${fresh}`,
      // Not the caller's TMPDIR, which the server's user may not be able to enter.
      `--tmpdir=${home}`,
      '--skip-test-db',
      '--skip-name-resolve',
      '--auth-root-authentication-method=socket',
      '--innodb-log-file-size=32M',
      ...(process.getuid?.() === 0 && folder.serviceUser === undefined ? ['--user=root'] : []),
    ],
    { flags: credentialFlags(folder.serviceUser) },
  );
  const result = await runProgram(command, words, {
    timeoutMs: 120_000,
    ...(signal === undefined ? {} : { signal }),
  });
  if (result.exitCode !== 0) {
    const output = `${result.stdout}\n${result.stderr}`.trim().split('\n').slice(-10).join('\n');
    throw new SetupError(
      'SERVER_START_FAILED',
      `MariaDB's system tables could not be made in ${fresh} (is its disk full?):\n${output}`,
    );
  }
}

async function copyTables(made: string, fresh: string, { serviceUser }: DataFolder): Promise<void> {
  const run = async (program: string, args: readonly string[]) => {
    const { exitCode, stderr } = await runProgram(program, args, { timeoutMs: 120_000 });
    if (exitCode !== 0)
      throw new SetupError(
        'SERVER_START_FAILED',
        `MariaDB's system tables could not be copied from ${made}: ${stderr}`,
      );
  };
  await run('cp', ['--archive', '--no-target-directory', made, fresh]);
  if (serviceUser !== undefined) await run('chown', ['--recursive', `${serviceUser.uid}:${serviceUser.gid}`, fresh]);
}

/**
 * Data folders from earlier versions have a binary log. After a kill only the log tells which transactions were committed: the
 * server starts with it once more, and is stopped.
 */
async function endInOrder(server: ServerProcess, index: string): Promise<void> {
  await server.stop();
  const { code } = await server.exited;
  if (code !== 0)
    throw new SetupError(
      'SERVER_START_FAILED',
      `MariaDB could not do without its binary log ${index}: it ended with ${code}`,
    );
}

/** The list first: without it the server never looks for the others. */
async function removeBinaryLogs(dataPath: string): Promise<void> {
  await rm(join(dataPath, `${binaryLog}.index`));
  const names = (await readdir(dataPath)).filter((name) => name.startsWith(`${binaryLog}.`));
  for (const name of names) await rm(join(dataPath, name), { force: true });
}

/** The oldest of them list their binary logs by absolute paths, which a moved folder does not have. */
async function makeBinaryLogsRelative(index: string): Promise<void> {
  const text = await readFile(index, 'utf8').catch(() => '');
  const relative = text.replaceAll(/^\/.*\/(?=[^/\n]+$)/gm, './');
  // In place: the file keeps its owner.
  if (relative !== text) await writeFile(index, relative, { flush: true });
}

async function makeServiceFolder(folder: DataFolder, name: string): Promise<void> {
  await folder.subfolder(name, { forService: true });
}

/**
 * The accounts are created by a file that the server reads before it accepts connections, so there is never an account without a
 * password. They stay out of the binary log: a standby is a copy with its own accounts.
 */
async function writeAccountsFile(
  folder: DataFolder,
  rootPassword: string,
  applicationPassword: string,
): Promise<string> {
  const place = await folder.subfolder(join('mariadb', 'init'), { forService: true });
  const path = join(place, 'accounts.sql');
  const account = `'${APPLICATION_USER}'@'localhost'`;
  // One statement a line: the format of an init file.
  const statements = [
    'SET SESSION sql_log_bin = 0',
    `ALTER USER 'root'@'localhost' IDENTIFIED BY '${rootPassword}'`,
    "DROP USER IF EXISTS ''@'localhost'",
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY '${applicationPassword}'`,
    `ALTER USER ${account} IDENTIFIED BY '${applicationPassword}'`,
    `GRANT ALL PRIVILEGES ON \`${APPLICATION_DATABASE}\`.* TO ${account}`,
    `GRANT ALL PRIVILEGES ON \`${APPLICATION_DATABASE}\\_%\`.* TO ${account}`,
  ];
  await rm(path, { force: true });
  await writeFile(path, `${statements.join(';\n')};\n`, { mode: 0o600 });
  const user = folder.serviceUser;
  if (user !== undefined) await runProgram('chown', [`${user.uid}:${user.gid}`, path]);
  return path;
}

/** Ready means: both accounts can log in over the real protocol, and the application's database exists. */
async function ensureDatabase(
  root: SocketCredentials,
  application: SocketCredentials & { database: string },
): Promise<void> {
  await using connection = await connect(root);
  const found = await connection.query<{ name: string }[]>(
    'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name = ?',
    [application.database],
  );
  if (found.length === 0) await connection.query(`CREATE DATABASE IF NOT EXISTS \`${application.database}\``);
  await using probe = await connect(application);
  await probe.query('SELECT 1');
}

interface ProbeConnection extends AsyncDisposable {
  query<T>(sql: string, values?: unknown[]): Promise<T>;
}

async function connect(credentials: SocketCredentials & { database?: string }): Promise<ProbeConnection> {
  // Who only looks at data folders does not load the connector.
  const { createConnection } = await import('mariadb');
  const connection = await createConnection({ ...credentials, connectTimeout: 2_000, socketTimeout: 5_000 });
  return {
    query: <T>(sql: string, values?: unknown[]): Promise<T> => connection.query<T>(sql, values),
    [Symbol.asyncDispose]: () => connection.end(),
  };
}
