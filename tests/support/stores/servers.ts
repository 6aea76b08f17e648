// The MariaDB and Redis of one test run: in memory, in a separate folder, so that several runs can run at once. Jest's main
// process passes their address to its workers in the environment variable.
// needs: servers

import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type DataFolder, openDataFolder } from '../../../embedded/data-folder.ts';
import {
  databasePath,
  type EmbeddedMariadb,
  madeTablesVariable,
  makeDatabase,
  type SocketCredentials,
  startMariadb,
} from '../../../embedded/mariadb.ts';
import { type EmbeddedRedis, startRedis } from '../../../embedded/redis.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { memoryFolder } from '../machine/temporary-folder.ts';

/** For the driver, whose own limit of 1 s is too short on a busy machine. */
export type TestCredentials = SocketCredentials & { readonly connectTimeout: number };

export interface TestServersAddress {
  readonly mariadb: TestCredentials;
  readonly application: TestCredentials;
  readonly redisPath: string;
  /** The file with the SQL that makes a migrated database. Undefined until there is one. */
  readonly templateFile: string | undefined;
  /** For data shared by several test files; removed at the end of the run. */
  readonly sharedFolder: string;
}

const VARIABLE = 'TIDEGATE_TEST_SERVERS';
const FOLDER_PREFIX = 'tidegate-tests-';
const connectTimeout = 60_000;
const NEEDED_MEMORY_BYTES = 1024 * 1024 * 1024;

export class TestServers {
  readonly #folder: DataFolder;
  readonly #mariadb: EmbeddedMariadb;
  readonly #redis: EmbeddedRedis;

  private constructor(folder: DataFolder, mariadb: EmbeddedMariadb, redis: EmbeddedRedis) {
    this.#folder = folder;
    this.#mariadb = mariadb;
    this.#redis = redis;
  }

  /** `extraArguments` of MariaDB. */
  static async start(extraArguments: readonly string[] = []): Promise<TestServers> {
    const parent = await memoryFolder(NEEDED_MEMORY_BYTES);
    await removeLeftOvers(parent);
    const folder = await openDataFolder(await mkdtemp(join(parent, FOLDER_PREFIX)), { version: 1 });
    await makeTablesToCopy(folder);
    const mariadb = await startMariadb({
      ...{ folder, log: silentLog },
      extraArguments: ['--max-connections=200', ...extraArguments],
    });
    const redis = await startRedis({ folder, log: silentLog });
    return new TestServers(folder, mariadb, redis);
  }

  get mariadb(): EmbeddedMariadb {
    return this.#mariadb;
  }

  /** For data shared by several test files; removed at the end of the run. */
  get sharedFolder(): string {
    return this.#folder.path;
  }

  publish(templateFile: string | undefined): void {
    const { database: _unused, ...application } = this.#mariadb.application;
    const address: TestServersAddress = {
      mariadb: { ...this.#mariadb.rootConnection, connectTimeout },
      application: { ...application, connectTimeout },
      redisPath: this.#redis.path,
      templateFile,
      sharedFolder: this.sharedFolder,
    };
    process.env[VARIABLE] = JSON.stringify(address);
  }

  async stop(): Promise<void> {
    await Promise.all([this.#redis.stop(), this.#mariadb.stop()]);
    await this.#folder.close();
    await rm(this.#folder.path, { recursive: true, force: true });
    if (!this.#folder.socketFolder.startsWith(this.#folder.path)) {
      await rm(this.#folder.socketFolder, { recursive: true, force: true });
    }
  }
}

/** For every database of the run, including those of processes that tests start. */
async function makeTablesToCopy(folder: DataFolder): Promise<void> {
  await makeDatabase(folder);
  const made = join(folder.path, 'system-tables');
  await cp(databasePath(folder.path), made, { recursive: true });
  // Nothing in them is secret. The user of embedded servers copies them, and so do programs that run without root.
  await chmod(folder.path, 0o711);
  const { exitCode, stderr } = await runProgram('chmod', ['--recursive', 'a+rX', made]);
  if (exitCode !== 0) throw new Error(stderr);
  process.env[madeTablesVariable] = made;
}

/** The address of the run's servers; only inside `npm test`. */
export function testServers(): TestServersAddress {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error('There are no test servers: run the tests with "npm test".');
  return JSON.parse(text) as TestServersAddress;
}

/** A killed run leaves its folder; one that is still running holds its lock. */
async function removeLeftOvers(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(FOLDER_PREFIX)).slice(0, 100);
  for (const name of names) {
    const path = join(parent, name);
    if ((await readdir(path).catch(() => [])).length === 0) continue;
    const left = await openDataFolder(path, { version: 1 }).catch(() => undefined);
    if (left === undefined) continue;
    await rm(path, { recursive: true, force: true });
    await left.close();
  }
}
