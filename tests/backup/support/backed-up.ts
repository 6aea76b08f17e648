// A migrated database on a server of its own with a binary log, its key files, and the key pair of its backups. Backups run as commands.
// needs: mariadb-backup, servers
import { readdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { FolderTarget } from '../../../backup/folder-target.ts';
import { allOwners } from '../../../cli/commands/backup/faults.ts';
import { openDataFolder } from '../../../embedded/data-folder.ts';
import { startMariadb } from '../../../embedded/mariadb.ts';
import { runProgram } from '../../../embedded/run-program.ts';
import { silentLog } from '../../../embedded/setup-log.ts';
import { migrate } from '../../../platform/database/migrate.ts';
import { makeKeys } from '../../../platform/secrets/make-keys.ts';
import { newUuid } from '../../../platform/values/ids.ts';
import { scopeOf } from '../../../subgraphs/system/control/stores/alert-scope.ts';
import { runCommand, startCommand } from '../../cli/commands/run-command.ts';
import { type TemporaryFolder, temporaryFolder } from '../../support/machine/temporary-folder.ts';
import type { TestDatabase } from '../../support/stores/database.ts';
import { testServers } from '../../support/stores/servers.ts';

export class BackedUp implements AsyncDisposable {
  readonly place: TemporaryFolder;
  readonly sql: Connection;
  /** Of root, at the database. */
  readonly location: TestDatabase['connection'];
  readonly config: string;
  readonly recipient: string;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    parts: Pick<BackedUp, 'place' | 'sql' | 'location' | 'config' | 'recipient'> & { cleanup: AsyncDisposableStack },
  ) {
    this.place = parts.place;
    this.sql = parts.sql;
    this.location = parts.location;
    this.config = parts.config;
    this.recipient = parts.recipient;
    this.#cleanup = parts.cleanup;
  }

  static async start(): Promise<BackedUp> {
    await using cleanup = new AsyncDisposableStack();
    const place = cleanup.adopt(await temporaryFolder(), (each) => each.remove());
    const folder = cleanup.adopt(await openDataFolder(join(place.path, 'db'), { version: 1 }), (each) => each.close());
    const server = cleanup.adopt(await startMariadb({ folder, log: silentLog, binaryLog: true }), (each) =>
      each.stop(),
    );
    const { rootConnection } = server;
    const { socketPath, user, password } = rootConnection;
    const location = { socketPath, user, password, database: 'tidegate' };
    await migrate(location, allOwners());
    const options = { ...location, multipleStatements: true, connectTimeout: 60_000 };
    const sql = cleanup.adopt(await createConnection(options), (each) => each.end());
    await sql.query('CREATE TABLE written (id INT PRIMARY KEY, note TEXT)');
    await sql.query("INSERT INTO project (id, name) VALUES (?, 'shop')", [newUuid()]);
    await sql.query(
      `INSERT INTO alert_rule (id, scope, name, condition_name, severity, enabled, lasts_ms, resolve_after_ms)
        VALUES (?, ?, 'backup', 'CHECK_IN_LATE', 'WARNING', 1, 90000000, 0)`,
      [newUuid(), scopeOf(null)],
    );
    const keys = join(place.path, 'keys');
    await makeKeys(keys);
    const config = join(place.path, 'settings.json');
    const database = { socketPath, user, password, name: 'tidegate' };
    const settings = { database, keys: { folder: keys }, redis: { path: testServers().redisPath }, roles: ['system'] };
    await writeFile(config, JSON.stringify(settings));
    const { stdout } = await runCommand(['backup', 'key', join(place.path, 'backup.key')]);
    return new BackedUp({ place, sql, location, config, recipient: stdout.trim(), cleanup: cleanup.move() });
  }

  path(...parts: readonly string[]): string {
    return join(this.place.path, ...parts);
  }

  get createWords(): readonly string[] {
    return ['backup', 'create', '--to', this.path('backups'), '--recipient', this.recipient, '--config', this.config];
  }

  get openingWords(): readonly string[] {
    return ['--keys-folder', this.path('keys'), '--identity', this.path('backup.key')];
  }

  async create(...more: readonly string[]) {
    return runCommand([...this.createWords, '--mebi-per-second', '100000', ...more]);
  }

  startCreate(...more: readonly string[]) {
    return startCommand([...this.createWords, ...more]);
  }

  verify(folder = this.path('backups'), words = this.openingWords) {
    return runCommand(['backup', 'verify', folder, ...words]);
  }

  restore(to: string, ...more: readonly string[]) {
    return runCommand(['restore', this.path('backups'), '--to', this.path(to), ...this.openingWords, ...more]);
  }

  /** Folders of the backups, oldest first. */
  async backups(): Promise<readonly string[]> {
    return (await new FolderTarget(this.path('backups')).names()).map((name) => this.path('backups', name));
  }

  /** A row, and a commit as a mutation leaves it. */
  async write(id: number): Promise<void> {
    await this.sql.query(
      `BEGIN; INSERT INTO written (id, note) VALUES (${id}, 'x');
       INSERT INTO commit_record (id, timeline) VALUES ('${newUuid()}', (SELECT MAX(epoch) FROM db_timeline)); COMMIT`,
    );
  }

  /** The second of the server's clock that begins next, once it has begun. */
  async nextSecond(): Promise<Date> {
    const [{ at }] = await this.sql.query<[{ at: Date }]>(
      "SELECT SLEEP(1.001 - MICROSECOND(NOW(6)) / 1e6), CONVERT_TZ(SYSDATE(), @@time_zone, '+00:00') AS at",
    );
    return at;
  }

  /** Runs `use` on a server of its own that has the restored data. */
  async onRestored<Result>(
    to: string,
    use: (sql: Connection, location: BackedUp['location']) => Promise<Result>,
  ): Promise<Result> {
    const home = this.path(`server-of-${to}`);
    const folder = await openDataFolder(home, { version: 1 });
    await folder.subfolder('mariadb', { forService: true });
    await rename(this.path(to), join(home, 'mariadb', 'data'));
    await using cleanup = new AsyncDisposableStack();
    cleanup.defer(() => folder.close());
    if (folder.serviceUser !== undefined) {
      const { uid, gid } = folder.serviceUser;
      await runProgram('chown', ['-R', `${uid}:${gid}`, join(home, 'mariadb')]);
    }
    const server = await startMariadb({ folder, log: silentLog, binaryLog: true });
    cleanup.defer(() => server.stop());
    const location = { ...server.rootConnection, database: 'tidegate' };
    const sql = await createConnection({ ...location, connectTimeout: 60_000 });
    cleanup.defer(() => sql.end());
    return await use(sql, location);
  }

  /** What a run that was cut off may leave: nothing. */
  async leftOver(): Promise<readonly string[]> {
    const names = await readdir(this.path('backups')).catch(() => []);
    return names.filter((name) => name.startsWith('.'));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#cleanup.disposeAsync();
  }
}

export async function idsIn(sql: Connection): Promise<readonly number[]> {
  const rows = await sql.query<{ id: number }[]>('SELECT id FROM written ORDER BY id');
  return rows.map(({ id }) => id);
}
