// What the migrations of this version would do to a database, and whether the release before can still run on it. It changes nothing.
import {
  addingOf,
  type Migration,
  type MigrationOwner,
  migrationsFor,
  readMigrations,
  recordedMigrations,
  timedName,
} from './migrate.ts';
import { type AppliedRow, faultOf, ownerOf, unknownMigration, unknownRows } from './migration-faults.ts';

/** The release before this version: an upgrade begins there, and can go back to it. */
export const lastRelease = { version: '0.2.0', newestMigration: '20261203000000_init' };

export interface MigrationPlan {
  /** Each says why nothing can be applied. */
  readonly faults: readonly string[];
  /** Missing migrations that only add to the tables. */
  readonly adding: readonly string[];
  /** Missing migrations that remove something. */
  readonly removing: readonly string[];
  /** Migrations since the last release that have removed something, or have been announced: its processes do not start. */
  readonly removed: readonly string[];
}

interface Reader {
  query<Row>(sql: string): Promise<Row[]>;
}

/** For the same owners as `migrateTables`. */
export async function planMigrations(
  db: Reader,
  owners: readonly MigrationOwner[],
  others: readonly MigrationOwner[],
): Promise<MigrationPlan> {
  const [wanted, possible] = await Promise.all([readMigrations(owners), readMigrations(others)]);
  const recorded = await recordedMigrations(db);
  const migrations = migrationsFor(recorded, wanted, possible);
  const names = migrations.map(({ name }) => name);
  const missing = migrations.filter(({ name }) => recorded.get(name)?.finished_at == null);
  const adding = addingOf(missing, recorded);
  const faults = [
    // Also those that only add: a newer version has begun an upgrade of its own.
    ...unknownRows(recorded, names, migrations).map((row) => unknownMigration(row, names)),
    ...migrations.flatMap(({ name, checksum }) => faultOf(recorded.get(name), checksum) ?? []),
  ];
  const removed = migrations.filter(({ name }) => isSinceLastRelease(name, names) && isRemoval(recorded.get(name)));
  return {
    faults: faults.map(({ message }) => message),
    adding: namesOf(adding),
    removing: namesOf(missing.filter((each) => !adding.includes(each))),
    removed: namesOf(removed),
  };
}

/** As a process judges it that does not know the migration. */
function isRemoval(row: AppliedRow | undefined): boolean {
  return row !== undefined && !row.expands;
}

/** The last release does not know owners that are newer. */
function isSinceLastRelease(name: string, all: readonly string[]): boolean {
  const isOld = (each: string) => timedName(each) <= lastRelease.newestMigration;
  return !isOld(name) && all.some((each) => ownerOf(each) === ownerOf(name) && isOld(each));
}

function namesOf(migrations: readonly Migration[]): readonly string[] {
  return migrations.map(({ name }) => name);
}
