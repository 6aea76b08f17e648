// Applies migrations: plain SQL in prisma/migrations/OWNER/TIME_NAME/migration.sql. Each owner (platform, or a subgraph) has its
// own tables, and a database has only the tables of its roles. Migrations are applied under a lock, in the given order of owners
// and then by name, and recorded in `_prisma_migrations` as OWNER/TIME_NAME with each file's checksum.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { databaseErrorNumber, MigrationError } from '../errors/database-errors.ts';
import { isExpansion } from './expansion.ts';
import { connectionOptions, type DatabaseLocation } from './server-pools.ts';

/** A part of the product that owns tables and their migrations. */
export interface MigrationOwner {
  readonly owner: string;
  /** Path of the folder with a subfolder for each migration. */
  readonly folder: string;
}

interface Migration {
  readonly owner: string;
  /** OWNER/TIME_NAME. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface AppliedRow {
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  /** Absent before the first version that has it. */
  readonly expands?: number | null;
}

const lockWaitSeconds = 60;
/** ER_NO_SUCH_TABLE and ER_TABLEACCESS_DENIED_ERROR, which an account without rights gets for a table that does not exist. */
const noTable: ReadonlySet<number> = new Set([1146, 1142]);

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
/** Whether a process that does not know the migration may use the tables (expansion.ts). */
const expandsSql = 'ALTER TABLE _prisma_migrations ADD COLUMN IF NOT EXISTS expands BOOLEAN NULL';

/**
 * Applies the missing migrations of `owners`, and of each of `others` whose tables already exist in the database. Returns the names
 * of the applied migrations. Throws MigrationError if a file was edited, a migration failed, or a migration is unknown that does more than
 * add to the tables.
 */
export async function migrate(
  connection: DatabaseLocation,
  owners: readonly MigrationOwner[],
  others: readonly MigrationOwner[] = [],
): Promise<string[]> {
  const [wanted, possible] = await Promise.all([readMigrations(owners), readMigrations(others)]);
  const db = await createConnection({ ...connectionOptions(connection), multipleStatements: true, socketTimeout: 0 });
  db.on('error', () => undefined);
  try {
    const lockName = `tidegate-migrate-${connection.database}`.slice(0, 64);
    const [lock] = await db.query<{ got: number }[]>('SELECT GET_LOCK(?, ?) AS got', [lockName, lockWaitSeconds]);
    if (lock?.got !== 1)
      throw new MigrationError(
        `another process has been migrating ${connection.database} for ${lockWaitSeconds} s: wait for it, then start again`,
      );
    return await applyMissing(db, wanted, possible);
  } finally {
    await db.end().catch(() => undefined);
  }
}

interface Reader {
  query<Row>(sql: string): Promise<Row[]>;
}

/**
 * The names in the owners' folders that the database lacks. Throws MigrationError if the database has others of these owners that do more
 * than add to the tables.
 */
export async function pendingMigrations(db: Reader, owners: readonly MigrationOwner[]): Promise<string[]> {
  const applied = await appliedMigrations(db);
  const names = (await Promise.all(owners.map(namesOf))).flat();
  refuseUnknown(applied, names, owners);
  return names.filter((name) => !applied.has(name));
}

/**
 * What a newer version did to the tables of an owner is not known here, unless it only added to them: that is how a cluster is upgraded, one
 * process after the other. Tables of other owners are other programs' matter.
 */
function refuseUnknown(
  applied: ReadonlyMap<string, { readonly expands?: number | null }>,
  names: readonly string[],
  owners: readonly Pick<MigrationOwner, 'owner'>[],
): void {
  const known = new Set(names);
  const ours = new Set(['', ...owners.map(({ owner }) => owner)]);
  for (const [name, { expands }] of applied)
    if (ours.has(ownerOf(name)) && !known.has(name) && !expands) throw unknownMigration(name, names);
}

/** The owners whose tables the database has. Throws if it can't be asked: a process that takes them for missing would not do their work. */
export async function ownersIn(db: Reader): Promise<ReadonlySet<string>> {
  return new Set([...(await appliedMigrations(db)).keys()].map(ownerOf));
}

async function appliedMigrations(db: Reader): Promise<ReadonlyMap<string, AppliedRow>> {
  const rows = await db
    .query<AppliedRow>('SELECT * FROM _prisma_migrations WHERE finished_at IS NOT NULL')
    .catch((error: unknown) => {
      if (noTable.has(databaseErrorNumber(error) ?? 0)) return [];
      throw error;
    });
  return new Map(rows.map((row) => [row.migration_name, row]));
}

function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('/')));
}

async function namesOf({ owner, folder }: MigrationOwner): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${owner}/${entry.name}`)
    .sort();
}

async function readMigrations(owners: readonly MigrationOwner[]): Promise<Migration[]> {
  const read = owners.map(async (each) =>
    Promise.all(
      (await namesOf(each)).map(async (name) => {
        const file = join(each.folder, name.slice(each.owner.length + 1), 'migration.sql');
        const sql = await readFile(file, 'utf8');
        return { owner: each.owner, name, sql, checksum: sha256(sql) };
      }),
    ),
  );
  return (await Promise.all(read)).flat();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

async function applyMissing(
  db: Connection,
  wanted: readonly Migration[],
  possible: readonly Migration[],
): Promise<string[]> {
  await db.query(tableSql);
  await db.query(expandsSql);
  const rows = await db.query<AppliedRow[]>('SELECT * FROM _prisma_migrations WHERE rolled_back_at IS NULL');
  const applied = new Map(rows.map((row) => [row.migration_name, row]));
  const present = new Set([...applied.keys()].map(ownerOf));
  // An owner may be both wanted and possible: its migrations are applied once.
  const asked = new Set(wanted.map(({ owner }) => owner));
  const migrations = [...wanted, ...possible.filter(({ owner }) => present.has(owner) && !asked.has(owner))];
  refuseUnknown(
    applied,
    migrations.map(({ name }) => name),
    migrations,
  );
  const done: string[] = [];
  for (const migration of migrations) {
    const row = applied.get(migration.name);
    if (row === undefined) {
      await applyOne(db, migration);
      done.push(migration.name);
    } else refuseUnlessWhole(row, migration.checksum);
  }
  return done;
}

/** An owner's first migration creates all its tables. Older migrations were never released. */
function unknownMigration(name: string, known: readonly string[]): MigrationError {
  const first = known.find((each) => ownerOf(each) === ownerOf(name));
  return new MigrationError(
    first === undefined || name < first
      ? `the database has the migration ${name}, of a version before the first release, which can't be upgraded: start with an empty database or data folder`
      : `the database has the migration ${name}, which this version does not know: it belongs to a newer version; start that one`,
  );
}

function refuseUnlessWhole(row: AppliedRow, checksum: string): void {
  const name = row.migration_name;
  if (row.finished_at === null)
    throw new MigrationError(
      `the migration ${name} failed half-way before: correct the database by hand, then set finished_at or rolled_back_at of its row in _prisma_migrations`,
    );
  if (row.checksum !== checksum)
    throw new MigrationError(
      `the migration ${name} was edited after it was applied: restore the file, and put the change into a new migration`,
    );
}

async function applyOne(db: Connection, { name, sql, checksum }: Migration): Promise<void> {
  const id = randomUUID();
  await db.query('INSERT INTO _prisma_migrations (id, checksum, migration_name, expands) VALUES (?, ?, ?, ?)', [
    ...[id, checksum, name],
    isExpansion(sql),
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
