// Applies migrations: plain SQL in prisma/migrations/OWNER/TIME_NAME/migration.sql. Each owner (platform, or a subgraph) has its
// own tables, and a database has only the tables of its roles. Migrations are applied under a lock, in the given order of owners
// and then by name, and recorded in `_prisma_migrations` as OWNER/TIME_NAME with each file's checksum.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { isNoTable, MigrationError } from '../errors/database-errors.ts';
import { isExpansion } from './expansion.ts';
import { type AppliedRow, announced, faultOf, ownerOf, unknownMigration, unknownRows } from './migration-faults.ts';
import { applySteps } from './migration-steps.ts';
import {
  olderProcesses,
  type RegisteredProcess,
  refuseFarProcesses,
  registeredProcesses,
} from './registered-processes.ts';
import { connectionOptions, type DatabaseLocation } from './server-pools.ts';

/** A part of the product that owns tables and their migrations. */
export interface MigrationOwner {
  readonly owner: string;
  /** Path of the folder with a subfolder for each migration. */
  readonly folder: string;
}

export interface Migration {
  readonly owner: string;
  /** OWNER/TIME_NAME. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
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
/** Whether a process that does not know the migration may use the tables (expansion.ts). */
const expandsSql = 'ALTER TABLE _prisma_migrations ADD COLUMN IF NOT EXISTS expands BOOLEAN NULL';

/** A migration that removes something, and the live processes that do not know it: they may use what it removes. */
interface WaitingMigration {
  readonly name: string;
  readonly processes: readonly RegisteredProcess[];
}

export interface Migrated {
  /** The names of the applied migrations. */
  readonly applied: readonly string[];
  /** The first migration that waits until these processes have ended. The later ones that remove something wait, too. */
  readonly waiting: WaitingMigration | undefined;
}

interface MigrateOptions {
  /** Of this program. Default: it may run beside any other. */
  readonly version?: string;
  /** Default: true. */
  readonly removes?: boolean;
}

/** Like `migrateTables`, for a database that nobody else uses. Returns the names of the applied migrations. */
export async function migrate(
  connection: DatabaseLocation,
  owners: readonly MigrationOwner[],
  others: readonly MigrationOwner[] = [],
): Promise<string[]> {
  return [...(await migrateTables(connection, owners, others)).applied];
}

/**
 * Applies the missing migrations of `owners`, and of each of `others` whose tables already exist in the database: first those that only add to
 * the tables, then, unless `removes` is false, those that remove something, once no older process lives. Throws MigrationError if a file was
 * edited, a migration failed, a migration is unknown that does more than add to the tables, or a process lives beside which the `version` of
 * this program can't run.
 */
export async function migrateTables(
  connection: DatabaseLocation,
  owners: readonly MigrationOwner[],
  others: readonly MigrationOwner[] = [],
  { version, removes = true }: MigrateOptions = {},
): Promise<Migrated> {
  const [wanted, possible] = await Promise.all([readMigrations(owners), readMigrations(others)]);
  const db = await createConnection({ ...connectionOptions(connection), socketTimeout: 0 });
  db.on('error', () => undefined);
  try {
    const lockName = `tidegate-migrate-${connection.database}`.slice(0, 64);
    const [lock] = await db.query<{ got: number }[]>('SELECT GET_LOCK(?, ?) AS got', [lockName, lockWaitSeconds]);
    if (lock?.got !== 1)
      throw new MigrationError(
        `another process has been migrating ${connection.database} for ${lockWaitSeconds} s: wait for it, then start again`,
      );
    if (version !== undefined) refuseFarProcesses(await registeredProcesses(db), version);
    return await applyMissing(db, wanted, possible, removes);
  } finally {
    await db.end().catch(() => undefined);
  }
}

interface Reader {
  query<Row>(sql: string): Promise<Row[]>;
}

/**
 * The names in the owners' folders that the database lacks and a process needs: not those that only remove something, which wait for older
 * processes. Throws MigrationError if the database has others of these owners that do more than add to the tables.
 */
export async function pendingMigrations(db: Reader, owners: readonly MigrationOwner[]): Promise<string[]> {
  const applied = await recordedMigrations(db);
  const migrations = await readMigrations(owners);
  refuseUnknown(applied, migrations, owners);
  const missing = migrations.filter(({ name }) => applied.get(name)?.finished_at == null);
  return addingOf(missing, applied).map(({ name }) => name);
}

/** TIME_NAME of the newest migration in this folder of owners' folders. */
export async function newestMigration(folder: string): Promise<string> {
  const owners = await readdir(folder);
  const names = await Promise.all(owners.map((owner) => namesOf({ owner, folder: join(folder, owner) })));
  return names.flat().map(timedName).sort().at(-1) ?? '';
}

/**
 * What a newer version did to the tables of an owner is not known here, unless it only added to them: that is how a cluster is upgraded, one
 * process after the other. Tables of other owners are other programs' matter.
 */
function refuseUnknown(
  applied: ReadonlyMap<string, AppliedRow>,
  migrations: readonly Migration[],
  owners: readonly Pick<MigrationOwner, 'owner'>[],
): void {
  const names = migrations.map(({ name }) => name);
  const unknown = unknownRows(applied, names, owners).find(({ expands }) => !expands);
  if (unknown !== undefined) throw unknownMigration(unknown, names);
}

/** The owners whose tables the database has. Throws if it can't be asked: a process that takes them for missing would not do their work. */
export async function ownersIn(db: Reader): Promise<ReadonlySet<string>> {
  return presentIn(await recordedMigrations(db));
}

function presentIn(recorded: ReadonlyMap<string, AppliedRow>): ReadonlySet<string> {
  const finished = [...recorded.values()].filter((row) => row.finished_at !== null);
  return new Set(finished.map((row) => ownerOf(row.migration_name)));
}

/** Applied or begun. */
export async function recordedMigrations(db: Reader): Promise<ReadonlyMap<string, AppliedRow>> {
  const rows = await db
    .query<AppliedRow>('SELECT * FROM _prisma_migrations WHERE rolled_back_at IS NULL')
    .catch((error: unknown) => {
      if (isNoTable(error)) return [];
      throw error;
    });
  return new Map(rows.map((row) => [row.migration_name, row]));
}

/** No process uses the tables of an owner that the database does not have yet. */
export function addingOf(
  missing: readonly Migration[],
  recorded: ReadonlyMap<string, AppliedRow>,
): readonly Migration[] {
  const present = presentIn(recorded);
  return missing.filter(({ owner, sql }) => isExpansion(sql) || !present.has(owner));
}

export function timedName(name: string): string {
  return name.slice(name.indexOf('/') + 1);
}

async function namesOf({ owner, folder }: MigrationOwner): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => `${owner}/${entry.name}`)
    .sort();
}

export async function readMigrations(owners: readonly MigrationOwner[]): Promise<Migration[]> {
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

/** Those of `wanted`, and those of `possible` whose owner's tables exist. */
export function migrationsFor(
  recorded: ReadonlyMap<string, AppliedRow>,
  wanted: readonly Migration[],
  possible: readonly Migration[],
): readonly Migration[] {
  const present = new Set([...recorded.keys()].map(ownerOf));
  // An owner may be both wanted and possible: its migrations are applied once.
  const asked = new Set(wanted.map(({ owner }) => owner));
  return [...wanted, ...possible.filter(({ owner }) => present.has(owner) && !asked.has(owner))];
}

async function applyMissing(
  db: Connection,
  wanted: readonly Migration[],
  possible: readonly Migration[],
  removes: boolean,
): Promise<Migrated> {
  await db.query(tableSql);
  await db.query(expandsSql);
  const recorded = await recordedMigrations(db);
  const migrations = migrationsFor(recorded, wanted, possible);
  refuseUnknown(recorded, migrations, migrations);
  for (const { name, checksum } of migrations) {
    const fault = faultOf(recorded.get(name), checksum);
    if (fault !== undefined) throw fault;
  }
  const missing = migrations.filter(({ name }) => recorded.get(name)?.finished_at == null);
  const adding = addingOf(missing, recorded);
  for (const migration of adding) await applyOne(db, migration, recorded.get(migration.name));
  const applied = adding.map(({ name }) => name);
  for (const migration of removes ? missing.filter((each) => !adding.includes(each)) : []) {
    const row = recorded.get(migration.name);
    // Older processes do not start since it was announced, so that it goes on where it was killed.
    const isBegun = row !== undefined && row.logs !== announced;
    if (isBegun) await applyOne(db, migration, row);
    const processes = isBegun ? [] : await applyOnceUnused(db, migration);
    if (processes.length > 0) return { applied, waiting: { name: migration.name, processes } };
    applied.push(migration.name);
  }
  return { applied, waiting: undefined };
}

/**
 * Applies a migration that removes something, unless live processes do not know it: then it returns them. It is announced before the last
 * look: a process that starts takes its lease and then reads the announcements, so that one of the two sees the other.
 */
async function applyOnceUnused(db: Connection, migration: Migration): Promise<readonly RegisteredProcess[]> {
  const older = () => olderProcesses(db, timedName(migration.name));
  const before = await older();
  if (before.length > 0) return before;
  const id = await record(db, migration, announced);
  const still = await older();
  if (still.length > 0) await db.query('DELETE FROM _prisma_migrations WHERE id = ?', [id]);
  else await applySteps(db, migration, { id, done: 0, isAgain: false });
  return still;
}

async function applyOne(db: Connection, migration: Migration, begun: AppliedRow | undefined): Promise<void> {
  const id = begun?.id ?? (await record(db, migration, null));
  await applySteps(db, migration, { id, done: begun?.applied_steps_count ?? 0, isAgain: begun !== undefined });
}

/** Returns the id of its row. */
async function record(db: Connection, { name, sql, checksum }: Migration, logs: string | null): Promise<string> {
  const id = randomUUID();
  // A process may have died after its announcement.
  await db.query('DELETE FROM _prisma_migrations WHERE migration_name = ? AND logs = ?', [name, announced]);
  await db.query(
    'INSERT INTO _prisma_migrations (id, checksum, migration_name, expands, logs) VALUES (?, ?, ?, ?, ?)',
    [...[id, checksum, name], isExpansion(sql), logs],
  );
  return id;
}
