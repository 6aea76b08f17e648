// The names of projects, for every subgraph. System writes them. Objects of a project are created under a shared lock of the
// project's row, so nothing can be created in a project that is being deleted.
import type { Database, Sql, Transaction } from '../database/database.ts';
import { marksFor } from '../database/sql.ts';
import { InputCheck } from '../input/input.ts';
import { refuseUnknown } from '../input/refusals.ts';
import { encodeId } from '../values/ids.ts';
import type { Wake } from '../work/wake.ts';
import { forgetSourcesOf } from './applied-objects.ts';
import { forgetVersionsOf } from './configuration-versions.ts';

/**
 * Called by the subgraph that manages projects. Throws the database's duplicate key error if the name is taken. Refuses a name that
 * is not a DNS label, because it is a label in the names of the project's objects (NAME.PROJECT.ZONE).
 */
export async function recordProject(tx: Transaction, id: string, name: string): Promise<void> {
  const check = new InputCheck();
  check.name('name', name);
  check.throwIfAny();
  await tx.execute('INSERT INTO project_name (project_id, name) VALUES (?, ?)', [id, name]);
}

/**
 * Returns the name of a project (UUID), and keeps it from changing until the transaction ends. Call this first to create something
 * in a project. Null if the project is deleted, undefined if this database does not know it.
 */
export async function holdProject(tx: Transaction, id: string): Promise<string | null | undefined> {
  const sql = 'SELECT name FROM project_name WHERE project_id = ? LOCK IN SHARE MODE';
  return (await tx.query<{ name: string | null }>(sql, [id]))[0]?.name;
}

/** As `holdProject`, but refuses NOT_FOUND for a project that is deleted or unknown. */
export async function holdLiveProject(tx: Transaction, id: string): Promise<string> {
  return (await holdProject(tx, id)) ?? refuseUnknown('Project', 'projectId', encodeId('Project', id));
}

export interface NamedProject {
  /** UUID. */
  readonly id: string;
  readonly name: string;
}

/** The projects with this name or these UUIDs that are not deleted, ordered by name. */
export async function projectsNamed(
  sql: Sql,
  wanted: { readonly name: string } | { readonly ids: readonly string[] },
): Promise<readonly NamedProject[]> {
  const columns = 'SELECT project_id AS id, name FROM project_name WHERE name IS NOT NULL AND';
  if ('name' in wanted) return sql.query<NamedProject>(`${columns} name = ?`, [wanted.name]);
  if (wanted.ids.length === 0) return [];
  return sql.query<NamedProject>(`${columns} project_id IN (${marksFor(wanted.ids)}) ORDER BY name`, wanted.ids);
}

/** Refuses NOT_FOUND for a deleted project. The other projects stay until the transaction ends. */
export async function refuseDeletedProject(tx: Transaction, id: string): Promise<void> {
  if ((await holdProject(tx, id)) === null) refuseUnknown('Project', 'projectId', encodeId('Project', id));
}

/** Waits until no transaction holds the project. Afterwards nothing more can be created in it, and its name is free. */
export async function forgetProject(tx: Transaction, id: string): Promise<void> {
  await tx.execute('UPDATE project_name SET name = NULL WHERE project_id = ?', [id]);
  await forgetSourcesOf(tx, id);
  await forgetVersionsOf(tx, id);
}

/** Describes a subgraph's objects of a project, in words with a number ("2 load balancers"). Empty if there are none. */
export type ProjectHoldings = (sql: Sql, projectId: string) => Promise<readonly string[]>;

/** For a subgraph that keeps parts of a project outside the database: how it lists and ends them when the project is deleted. */
export interface ProjectEnd {
  /**
   * Called before the transaction. Describes the parts in words, as ProjectHoldings does. Refuses with UNAVAILABLE if they can't be
   * read.
   */
  look(dependencies: { readonly db: Database; readonly wake: Wake }, projectId: string): Promise<readonly string[]>;
  /** In the transaction that deletes the project. */
  end(tx: Transaction, wake: Wake, projectId: string): Promise<void>;
}

/** Counts rows and describes the counts in words. Counts of 0 are left out. */
export async function countHeld(
  sql: Sql,
  projectId: string,
  counts: Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const held: string[] = [];
  for (const [things, count] of Object.entries(counts)) {
    const [row] = await sql.query<{ count: number }>(count, [projectId]);
    if (Number(row?.count ?? 0) > 0) held.push(`${row?.count} ${things}`);
  }
  return held;
}
