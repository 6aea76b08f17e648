// What is wrong with the migrations that a database has: those that this version does not know, whose file was edited, or that failed.
import { MigrationError } from '../errors/database-errors.ts';

/** A row of `_prisma_migrations`. */
export interface AppliedRow {
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

/** In the row of a migration that removes something, before its first statement: older processes do not start from then on. */
export const announced = 'announced: nothing is changed yet';

/** Of OWNER/TIME_NAME. */
export function ownerOf(name: string): string {
  return name.slice(0, Math.max(0, name.indexOf('/')));
}

/** Migrations of these owners that are not among the known names. Tables of other owners are other programs' matter. */
export function unknownRows(
  applied: ReadonlyMap<string, AppliedRow>,
  known: readonly string[],
  owners: readonly { readonly owner: string }[],
): readonly AppliedRow[] {
  const names = new Set(known);
  const ours = new Set(['', ...owners.map(({ owner }) => owner)]);
  return [...applied.values()].filter(({ migration_name: name }) => ours.has(ownerOf(name)) && !names.has(name));
}

/** An owner's first migration creates all its tables. Older migrations were never released. */
export function unknownMigration({ migration_name: name }: AppliedRow, known: readonly string[]): MigrationError {
  const first = known.find((each) => ownerOf(each) === ownerOf(name));
  return new MigrationError(
    first === undefined || name < first
      ? `the database has the migration ${name}, of a version before the first release, which can't be upgraded: start with an empty database or data folder`
      : `the database has the migration ${name}, which this version does not know: it belongs to a newer version; start that one`,
  );
}

/** Undefined for one that is applied, announced, or goes on where its run was killed. */
export function faultOf(row: AppliedRow | undefined, checksum: string): MigrationError | undefined {
  if (row === undefined || row.logs === announced) return undefined;
  const { migration_name: name } = row;
  if (row.finished_at === null)
    return row.checksum === checksum && row.logs === null
      ? undefined
      : new MigrationError(
          `the migration ${name} failed half-way before: correct the database by hand, then set finished_at or rolled_back_at of its row in _prisma_migrations`,
        );
  if (row.checksum === checksum) return undefined;
  return new MigrationError(
    `the migration ${name} was edited after it was applied: restore the file, and put the change into a new migration`,
  );
}
