// A cluster of the device `clusters`: its MariaDB, its Redis, and its process with all roles of a cluster. Databases are reachable only through
// sockets in its folder, so only its process needs a network.
import { join } from 'node:path';
import type { DataFolder } from '../../embedded/data-folder.ts';
import { type EmbeddedMariadb, startMariadb } from '../../embedded/mariadb.ts';
import { type EmbeddedRedis, startRedis } from '../../embedded/redis.ts';
import { type EmbeddedServer, killQuietly } from '../../embedded/server-process.ts';
import type { SetupLog } from '../../embedded/setup-log.ts';
import { type Supervised, supervise } from '../../embedded/supervise.ts';
import { type MigrationOwner, migrate } from '../../platform/database/migrate.ts';
import { makeKeys } from '../../platform/secrets/make-keys.ts';
import { serveRoles } from '../served.ts';
import { clusterRoles } from './plan.ts';

const root = join(import.meta.dirname, '..', '..');
/** The tables of its roles. */
const owners: readonly MigrationOwner[] = ['platform', 'object-cluster'].map((owner) => ({
  owner,
  folder: join(root, 'prisma', 'migrations', owner),
}));

/** A lab's cluster is small: at most 180 MiB in total. */
const nodeSizes = ['--max-semi-space-size=2', '--max-old-space-size=128'];
const mariadbSizes = ['--innodb-buffer-pool-size=16M', '--max-connections=32', '--table-open-cache=64'];

interface ClusterOptions {
  readonly name: string;
  /** The cluster's own folder: databases, keys and blobs. */
  readonly folder: DataFolder;
  /** Enters its network. */
  readonly wrapper: readonly string[];
  /** Settings of its process, in addition to those derived from its folder. */
  readonly settings: Readonly<Record<string, string>>;
  readonly log: SetupLog;
  readonly signal: AbortSignal;
}

export class Cluster {
  readonly #options: ClusterOptions;
  /** In the order of their start. */
  readonly #running: Supervised<EmbeddedServer>[] = [];

  constructor(options: ClusterOptions) {
    this.#options = options;
  }

  /** Does nothing if it is running. */
  async begin(): Promise<void> {
    if (this.#running.length > 0) return;
    const { name, log } = this.#options;
    log.info(`${name}: starting its MariaDB and its Redis`);
    const [mariadb, redis] = await this.#startDatabases();
    log.info(`${name}: its databases run; making its tables`);
    const { application } = mariadb.current;
    await migrate(application, owners);
    await makeKeys(await this.#options.folder.subfolder('keys'));
    this.#running.push(await this.#serve(application, redis.current.path));
    log.info(`${name}: its process runs, with ${clusterRoles.join(', ')}`);
  }

  async stop(): Promise<void> {
    for (const each of this.#running.splice(0).toReversed()) await each.stop();
  }

  /** Like a power failure. */
  async kill(): Promise<void> {
    const ended = this.#running.splice(0).map((each) => {
      const { pid } = each.current;
      const stopped = each.stop();
      killQuietly(pid, 'SIGKILL');
      return stopped;
    });
    await Promise.all(ended);
  }

  async #startDatabases(): Promise<readonly [Supervised<EmbeddedMariadb>, Supervised<EmbeddedRedis>]> {
    const { name, folder, log, signal } = this.#options;
    const until = (ending: AbortSignal) => ({ folder, log, signal: AbortSignal.any([signal, ending]) });
    const mariadb = this.#kept(
      supervise(`${name}'s MariaDB`, (end) => startMariadb({ ...until(end), extraArguments: mariadbSizes }), { log }),
    );
    const redis = this.#kept(supervise(`${name}'s Redis`, (end) => startRedis(until(end)), { log }));
    await Promise.allSettled([mariadb, redis]);
    return [await mariadb, await redis];
  }

  async #kept<Server extends EmbeddedServer>(starting: Promise<Supervised<Server>>): Promise<Supervised<Server>> {
    const started = await starting;
    this.#running.push(started);
    return started;
  }

  #serve(
    { socketPath, user, database }: EmbeddedMariadb['application'],
    redisPath: string,
  ): Promise<Supervised<EmbeddedServer>> {
    const { name, folder, wrapper, settings, log } = this.#options;
    const all = {
      'log.level': 'warn',
      ...{ 'database.socketPath': socketPath, 'database.user': user, 'database.name': database },
      // Kept out of the list of processes.
      'database.passwordFile': join(folder.path, 'secrets', 'mariadb-application'),
      ...{ 'database.dataFolder': folder.path, 'redis.path': redisPath, 'keys.folder': join(folder.path, 'keys') },
      ...{ 'objectStore.cluster': name, 'objectStore.folder': join(folder.path, 'objects') },
      ...settings,
    };
    // As in bin/node24: separate threads for disks and name resolution.
    const env = { UV_THREADPOOL_SIZE: '16' };
    return serveRoles({ name, wrapper, nodeArguments: nodeSizes, env, roles: clusterRoles, settings: all, log });
  }
}
