// The MariaDB on this host, for a backup: mariadb-backup and the archive of the binary log read files of its data folder.
import { readFile, readlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { connectionOptions, type DatabaseLocation } from '../platform/database/server-pools.ts';
import { readHistory } from '../platform/events/database-history.ts';
import { fault } from './faults.ts';
import type { Manifest } from './manifest.ts';

interface ServerFacts {
  readonly version: string;
  readonly host: string;
  readonly dataPath: string;
  readonly pidFile: string;
  /** Path and first part of the names of its binary log. Null if it has none. */
  readonly logBase: string | null;
}

/** What the database says of itself, for the manifest. */
type DatabaseFacts = Pick<Manifest, 'installation' | 'migrations' | 'timeline' | 'audit' | 'newestWriteAt'>;

const factsSql = `SELECT @@version AS version, @@hostname AS host, @@datadir AS dataPath, @@pid_file AS pidFile,
  IF(@@log_bin, @@log_bin_basename, NULL) AS logBase`;

export class LocalServer implements AsyncDisposable {
  readonly facts: ServerFacts;
  readonly #location: DatabaseLocation;
  readonly #connection: Connection;

  private constructor(facts: ServerFacts, location: DatabaseLocation, connection: Connection) {
    this.facts = facts;
    this.#location = location;
    this.#connection = connection;
  }

  /** The one of the servers that runs on this host. Throws BackupFaults if none does. */
  static async find(locations: readonly DatabaseLocation[]): Promise<LocalServer> {
    const reasons: string[] = [];
    for (const location of locations) {
      const name = location.socketPath ?? `${location.host}:${location.port}`;
      try {
        const connection = await createConnection({ ...connectionOptions(location), socketTimeout: 0 });
        connection.on('error', () => undefined);
        const facts = await factsOf(connection);
        const why = await whyNotHere(facts);
        if (why === undefined) return new LocalServer(facts, location, connection);
        reasons.push(`${name}: ${why}`);
        await connection.end();
      } catch (error) {
        reasons.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return fault(
      `a backup reads the database's data folder, and no server of the settings is usable here (${reasons.join('; ')}): run this on the database's host, as root or as the server's user`,
    );
  }

  get database(): string {
    return this.#location.database;
  }

  async query<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#connection.query<Row[]>(sql, [...values]);
  }

  /** Times of this server's clock. */
  async now(): Promise<Date> {
    const [row] = await this.query<{ now: Date }>('SELECT NOW(3) AS now');
    if (row === undefined) throw new Error('the server gave no time');
    return row.now;
  }

  /** Its log may lack transactions that the primary has committed. */
  async isReplica(): Promise<boolean> {
    const sources = await this.query<{ Slave_SQL_Running: string }>('SHOW ALL SLAVES STATUS');
    return sources.some(({ Slave_SQL_Running: isRunning }) => isRunning === 'Yes');
  }

  async databaseFacts(): Promise<DatabaseFacts> {
    const [state] = await this.query<DatabaseRow>(databaseSql);
    if (state === undefined || state.installation === null)
      return fault('the database is empty: run "tidegate migrate"');
    const migrations = await this.query<{ name: string; expands: number | null }>(
      'SELECT migration_name AS name, expands FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY migration_name',
    );
    const { installation, epoch, position, hash, newestWriteAt } = state;
    return {
      installation,
      migrations: migrations.map(({ name, expands }) => ({ name, expands: expands === 1 })),
      timeline: { epoch, history: await readHistory({ query: (sql) => this.query(sql) }) },
      audit: { position, hash },
      newestWriteAt: newestWriteAt?.toISOString() ?? null,
    };
  }

  /** The account and the address, as an option file of MariaDB's programs. */
  async writeSettings(folder: string): Promise<string> {
    const { socketPath, host, port, user, password, tls } = this.#location;
    const lines = {
      ...{ user: quoted(user), password: quoted(password) },
      ...(socketPath === undefined ? { host, port, protocol: 'tcp' } : { socket: socketPath }),
    };
    const path = join(folder, 'client.cnf');
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`);
    if (tls?.ca !== undefined) {
      await writeFile(join(folder, 'ca.pem'), tls.ca);
      text.push(`ssl-ca=${join(folder, 'ca.pem')}\n`);
    }
    await writeFile(path, `[client]\n${text.join('')}`, { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.end().catch(() => undefined);
  }
}

interface DatabaseRow {
  readonly installation: string | null;
  readonly epoch: number;
  readonly position: number;
  readonly hash: string;
  readonly newestWriteAt: Date | null;
}

const databaseSql = `SELECT (SELECT history FROM db_timeline ORDER BY epoch LIMIT 1) AS installation,
  (SELECT MAX(epoch) FROM db_timeline) AS epoch, next_position - 1 AS position, head_hash AS hash,
  (SELECT MAX(at) FROM commit_record) AS newestWriteAt FROM audit_chain WHERE id = 1`;

async function factsOf(connection: Connection): Promise<ServerFacts> {
  const [facts] = await connection.query<ServerFacts[]>(factsSql);
  if (facts === undefined) throw new Error('the server gave no answer');
  return facts;
}

/** The server's process is one of this host's, and works in the data folder: a path alone may be that of another server. */
async function whyNotHere({ dataPath, pidFile, host }: ServerFacts): Promise<string | undefined> {
  const elsewhere = `it runs on ${host}, or this account can't read its data folder ${dataPath}`;
  const pid = Number(await readFile(resolve(dataPath, pidFile), 'utf8').catch(() => ''));
  if (!Number.isSafeInteger(pid) || pid <= 0) return elsewhere;
  const works = await readlink(`/proc/${pid}/cwd`).catch(() => '');
  return resolve(works) === resolve(dataPath) ? undefined : elsewhere;
}

/** Of MariaDB's option files. */
function quoted(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

export function logFolder({ logBase }: ServerFacts): string | undefined {
  return logBase === null ? undefined : dirname(logBase);
}
