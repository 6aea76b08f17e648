// Gateway and all subgraphs in this process, assembled like `tidegate serve`, on a separate database. For tests of the
// whole path from a client to a device.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { firstAccounts } from '../../../compose/first-accounts.ts';
import { type RunningProcess, startProcess } from '../../../compose/process.ts';
import { createLogger, type Logger } from '../../../platform/log/log.ts';
import { readConfig } from '../../../platform/process/config.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { subgraphRows } from '../../../subgraphs/rows.ts';
import { testEgressSettings } from '../machine/egress.ts';
import { type TemporaryFolder, temporaryFolder } from '../machine/temporary-folder.ts';
import { type TestDatabase, testDatabase } from '../stores/database.ts';
import { checkInvariants, type InvariantOptions } from '../stores/invariants.ts';

export interface RunningSystem {
  /** URL with /graphql. */
  readonly url: string;
  /** API token of an operator of the project `default`. */
  readonly token: string;
  readonly folder: string;
  readonly database: TestDatabase;
  readonly process: RunningProcess;
  /** Stops the system, and checks the state that it leaves. */
  stop(options?: InvariantOptions): Promise<void>;
}

export interface SystemPlace {
  readonly database: TestDatabase;
  readonly folder: TemporaryFolder;
  /** The settings that every process on it needs. */
  readonly settings: Readonly<Record<string, string>>;
  /** Call after its processes have stopped. Checks the state that they leave. */
  remove(options?: InvariantOptions): Promise<void>;
}

/** A database, key files and a folder, for one process or several. */
export async function systemPlace(): Promise<SystemPlace> {
  const folder = await temporaryFolder();
  const database = await testDatabase();
  const keys = join(folder.path, 'keys');
  await makeKeys(keys);
  const { socketPath, user, password, database: name } = database.connection;
  return {
    database,
    folder,
    settings: {
      'database.socketPath': socketPath,
      'database.user': user,
      'database.password': password,
      'database.name': name,
      'redis.path': database.redisPath,
      'keys.folder': keys,
      ...testEgressSettings,
    },
    async remove(options) {
      try {
        await checkInvariants(database.connection, options);
      } finally {
        await database.drop();
        await folder.remove();
      }
    },
  };
}

/** The accounts of a first start, created by a process with the system role. */
export async function accountsOf(place: SystemPlace, process: RunningProcess): Promise<string> {
  if (process.access === undefined) throw new Error('the process has no role system');
  const folder = join(place.folder.path, 'accounts');
  await mkdir(folder, { recursive: true });
  return (await firstAccounts(process.access, folder)).token;
}

/** Starts all roles except the worker on a free port, unless `settings` change that. */
export async function runningSystem(
  options: { readonly log?: Logger; readonly settings?: Readonly<Record<string, string>> } = {},
): Promise<RunningSystem> {
  const place = await systemPlace();
  const log = options.log ?? createLogger({ level: process.env.TEST_LOG ?? 'silent', pretty: false });
  try {
    const flags = {
      ...place.settings,
      roles: 'gateway,system,relay,loadbalancer,gslb,object-storage',
      'listen.port': '0',
      ...options.settings,
    };
    const running = await startProcess(readConfig({ flags }, subgraphRows), log);
    return {
      url: `${running.url}/graphql`,
      token: await accountsOf(place, running),
      folder: place.folder.path,
      database: place.database,
      process: running,
      async stop(checked) {
        await running.stop();
        await place.remove(checked);
      },
    };
  } catch (error) {
    await place.remove();
    throw error;
  }
}
