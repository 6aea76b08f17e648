// The names of projects, for every subgraph. System writes them; what belongs to a project is created under a shared lock of its row,
// so that nothing can be created in a project that is deleted at the same moment.
import type { Database, Sql, Transaction } from './database/database.ts';
import { marksFor } from './database/sql.ts';
import { encodeId } from './ids.ts';
import { InputCheck } from './input.ts';
import { refuseUnknown } from './refusals.ts';
import type { Wake } from './wake.ts';

/**
 * By the subgraph that has projects. Throws the database's duplicate key error when the name is taken. Refuses what is no label of DNS:
 * the name is one in the names of what belongs to the project (NAME.PROJECT.ZONE).
 */
export async function recordProject(tx: Transaction, id: string, name: string): Promise<void> {
  const check = new InputCheck();
  check.name('name', name);
  check.throwIfAny();
  await tx.execute('INSERT INTO project_name (project_id, name) VALUES (?, ?)', [id, name]);
}

/**
 * The name of a project (UUID), which stays until the transaction ends. Whoever creates something that belongs to a project calls it
 * first. Null: it is deleted; undefined: this database knows no such project.
 */
export async function holdProject(tx: Transaction, id: string): Promise<string | null | undefined> {
  const sql = 'SELECT name FROM project_name WHERE project_id = ? LOCK IN SHARE MODE';
  return (await tx.query<{ name: string | null }>(sql, [id]))[0]?.name;
}

export interface NamedProject {
  /** UUID. */
  readonly id: string;
  readonly name: string;
}

/** Those of a name or of UUIDs that are not deleted, in the order of their names. */
export async function projectsNamed(
  sql: Sql,
  wanted: { readonly name: string } | { readonly ids: readonly string[] },
): Promise<readonly NamedProject[]> {
  const columns = 'SELECT project_id AS id, name FROM project_name WHERE name IS NOT NULL AND';
  if ('name' in wanted) return sql.query<NamedProject>(`${columns} name = ?`, [wanted.name]);
  if (wanted.ids.length === 0) return [];
  return sql.query<NamedProject>(`${columns} project_id IN (${marksFor(wanted.ids)}) ORDER BY name`, wanted.ids);
}

/** Refuses NOT_FOUND a project that is deleted; the others stay until the transaction ends. */
export async function refuseDeletedProject(tx: Transaction, id: string): Promise<void> {
  if ((await holdProject(tx, id)) === null) refuseUnknown('Project', 'projectId', encodeId('Project', id));
}

/** Waits for those who hold it; nothing more can be created in it, and its name is free. */
export async function forgetProject(tx: Transaction, id: string): Promise<void> {
  await tx.execute('UPDATE project_name SET name = NULL WHERE project_id = ?', [id]);
}

/** What a subgraph has of a project, in words with a number ("2 load balancers"); empty: nothing. */
export type ProjectHoldings = (sql: Sql, projectId: string) => Promise<readonly string[]>;

/** What a subgraph has of a project elsewhere than in the database, and does when the project is deleted. */
export interface ProjectEnd {
  /** Before the transaction: in words, as ProjectHoldings. Refuses UNAVAILABLE where it can't be known. */
  look(ground: { readonly db: Database; readonly wake: Wake }, projectId: string): Promise<readonly string[]>;
  /** In the transaction that deletes the project. */
  end(tx: Transaction, wake: Wake, projectId: string): Promise<void>;
}

/** Counts of rows in words, without those that are 0. */
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
