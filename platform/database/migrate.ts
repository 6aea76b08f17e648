// Applies prisma/migrations in order, under a lock, remembering each file's checksum in `_prisma_migrations` (Prisma's own
// table and layout, so that `prisma migrate` can take over where its engine runs).
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { connectionOptions, type DatabaseLocation } from './database.ts';

/** What was wrong with the migrations, in words for an operator. */
export class MigrationError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'MigrationError';
  }
}

interface AppliedRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished: number;
}

const lockWaitSeconds = 60;

const tableSql = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at DATETIME(3),
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at DATETIME(3),
  started_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
  applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
) DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci`;

/** Applies what is missing; returns the names applied. Throws MigrationError when a file was edited, failed, or is unknown. */
export async function migrate(connection: DatabaseLocation, options: { readonly folder: string }): Promise<string[]> {
  const names = await migrationNames(options.folder);
  const db = await createConnection({ ...connectionOptions(connection), multipleStatements: true, socketTimeout: 0 });
  db.on('error', () => undefined);
  try {
    const lockName = `tidegate-migrate-${connection.database}`.slice(0, 64);
    const [lock] = await db.query<{ got: number }[]>('SELECT GET_LOCK(?, ?) AS got', [lockName, lockWaitSeconds]);
    if (lock?.got !== 1)
      throw new MigrationError(
        `another process has been migrating ${connection.database} for ${lockWaitSeconds} s: wait for it, then start again`,
      );
    return await applyMissing(db, options.folder, names);
  } finally {
    await db.end().catch(() => undefined);
  }
}

/** The names that are in the folder but not in the database. */
export async function pendingMigrations(
  db: { query<Row>(sql: string): Promise<Row[]> },
  folder: string,
): Promise<string[]> {
  const applied = await db
    .query<{ name: string }>('SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL')
    .catch(() => []);
  const known = new Set(applied.map((row) => row.name));
  return (await migrationNames(folder)).filter((name) => !known.has(name));
}

async function migrationNames(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
}

async function applyMissing(db: Connection, folder: string, names: readonly string[]): Promise<string[]> {
  await db.query(tableSql);
  const rows = await db.query<AppliedRow[]>(
    'SELECT migration_name, checksum, finished_at IS NOT NULL AS finished FROM _prisma_migrations WHERE rolled_back_at IS NULL',
  );
  const applied = new Map(rows.map((row) => [row.migration_name, row]));
  for (const name of applied.keys()) {
    if (!names.includes(name))
      throw new MigrationError(
        `the database has the migration ${name}, which this version does not know: it belongs to a newer version; start that one`,
      );
  }
  const done: string[] = [];
  for (const name of names) {
    const sql = await readFile(join(folder, name, 'migration.sql'), 'utf8');
    const checksum = createHash('sha256').update(sql).digest('hex');
    const row = applied.get(name);
    if (row === undefined) {
      await applyOne(db, name, sql, checksum);
      done.push(name);
    } else if (row.finished === 0) {
      throw new MigrationError(
        `the migration ${name} failed half-way before: mend the database by hand, then set finished_at or rolled_back_at of its row in _prisma_migrations`,
      );
    } else if (row.checksum !== checksum) {
      throw new MigrationError(
        `the migration ${name} was edited after it was applied: restore the file, and put the change into a new migration`,
      );
    }
  }
  return done;
}

async function applyOne(db: Connection, name: string, sql: string, checksum: string): Promise<void> {
  const id = randomUUID();
  await db.query('INSERT INTO _prisma_migrations (id, checksum, migration_name) VALUES (?, ?, ?)', [
    id,
    checksum,
    name,
  ]);
  try {
    await db.query(sql);
  } catch (error) {
    const reason = error instanceof Error ? error.message.slice(0, 2000) : String(error);
    await db.query('UPDATE _prisma_migrations SET logs = ? WHERE id = ?', [reason, id]);
    throw new MigrationError(`the migration ${name} failed: ${reason}`, error);
  }
  await db.query(
    'UPDATE _prisma_migrations SET finished_at = CURRENT_TIMESTAMP(3), applied_steps_count = 1 WHERE id = ?',
    [id],
  );
}
