// Applies migrations: plain SQL in prisma/migrations/OWNER/TIME_NAME/migration.sql. Each owner (platform, or a subgraph) has its
// own tables, and a database has only the tables of its roles. Migrations are applied under a lock, in the given order of owners
// and then by name, and recorded in `_prisma_migrations` as OWNER/TIME_NAME with each file's checksum.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Connection, createConnection } from 'mariadb';
import { isNoTable, MigrationError } from '../errors/database-errors.ts';
import { isExpansion } from './expansion.ts';
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

interface Migration {
  readonly owner: string;
  /** OWNER/TIME_NAME. */
  readonly name: string;
  readonly sql: string;
  readonly checksum: string;
}

interface AppliedRow {
  readonly id: string;
  readonly migration_name: string;
  readonly checksum: string;
  readonly finished_at: Date | null;
  /** Null if nothing went wrong. */
  readonly logs: string | null;
  /** Statements. */
  readonly applied_steps_count: number;
  /** Absent before the first version that has it. */
  readonly expands?: number | null;
}

const lockWaitSeconds = 60;
/** In the row of a migration that removes something, before its first statement: older processes do not start from then on. */
const announced = 'announced: nothing is changed yet';

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
 * the tables, then those that remove something, once no older process lives. Throws MigrationError if a file was edited, a migration failed,
 * a migration is unknown that does more than add to the tables, or a process lives beside which the `version` of this program can't run.
 */
export async function migrateTables(
  connection: DatabaseLocation,
  owners: readonly MigrationOwner[],
  others: readonly MigrationOwner[] = [],
  version?: string,
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
    return await applyMissing(db, wanted, possible);
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
  refuseUnknown(
    applied,
    migrations.map(({ name }) => name),
    owners,
  );
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
  return presentIn(await recordedMigrations(db));
}

function presentIn(recorded: ReadonlyMap<string, AppliedRow>): ReadonlySet<string> {
  const finished = [...recorded.values()].filter((row) => row.finished_at !== null);
  return new Set(finished.map((row) => ownerOf(row.migration_name)));
}

/** Applied or begun. */
async function recordedMigrations(db: Reader): Promise<ReadonlyMap<string, AppliedRow>> {
  const rows = await db
    .query<AppliedRow>('SELECT * FROM _prisma_migrations WHERE rolled_back_at IS NULL')
    .catch((error: unknown) => {
      if (isNoTable(error)) return [];
      throw error;
    });
  return new Map(rows.map((row) => [row.migration_name, row]));
}

/** No process uses the tables of an owner that the database does not have yet. */
function addingOf(missing: readonly Migration[], recorded: ReadonlyMap<string, AppliedRow>): readonly Migration[] {
  const present = presentIn(recorded);
  return missing.filter(({ owner, sql }) => isExpansion(sql) || !present.has(owner));
}

function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('/')));
}

function timedName(name: string): string {
  return name.slice(name.indexOf('/') + 1);
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
): Promise<Migrated> {
  await db.query(tableSql);
  await db.query(expandsSql);
  const recorded = await recordedMigrations(db);
  const present = new Set([...recorded.keys()].map(ownerOf));
  // An owner may be both wanted and possible: its migrations are applied once.
  const asked = new Set(wanted.map(({ owner }) => owner));
  const migrations = [...wanted, ...possible.filter(({ owner }) => present.has(owner) && !asked.has(owner))];
  refuseUnknown(
    recorded,
    migrations.map(({ name }) => name),
    migrations,
  );
  const missing = migrations.filter((migration) => !isWhole(recorded.get(migration.name), migration.checksum));
  const adding = addingOf(missing, recorded);
  for (const migration of adding) await applyOne(db, migration, recorded.get(migration.name));
  const applied = adding.map(({ name }) => name);
  for (const migration of missing.filter((each) => !adding.includes(each))) {
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

/** An owner's first migration creates all its tables. Older migrations were never released. */
function unknownMigration(name: string, known: readonly string[]): MigrationError {
  const first = known.find((each) => ownerOf(each) === ownerOf(name));
  return new MigrationError(
    first === undefined || name < first
      ? `the database has the migration ${name}, of a version before the first release, which can't be upgraded: start with an empty database or data folder`
      : `the database has the migration ${name}, which this version does not know: it belongs to a newer version; start that one`,
  );
}

function isWhole(row: AppliedRow | undefined, checksum: string): boolean {
  if (row === undefined || row.logs === announced) return false;
  const name = row.migration_name;
  if (row.checksum === checksum && row.finished_at === null && row.logs === null) return false;
  if (row.finished_at === null)
    throw new MigrationError(
      `the migration ${name} failed half-way before: correct the database by hand, then set finished_at or rolled_back_at of its row in _prisma_migrations`,
    );
  if (row.checksum !== checksum)
    throw new MigrationError(
      `the migration ${name} was edited after it was applied: restore the file, and put the change into a new migration`,
    );
  return true;
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
