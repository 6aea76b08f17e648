// The names of projects, for every subgraph. System writes them; what belongs to a project is created under a shared lock of its row,
// so that nothing can be created in a project that is deleted at the same moment.
import type { Sql, Transaction } from './database/database.ts';

/** By the subgraph that has projects. Throws the database's duplicate key error when the name is taken. */
export async function recordProject(tx: Transaction, id: string, name: string): Promise<void> {
  await tx.execute('INSERT INTO project_name (project_id, name) VALUES (?, ?)', [id, name]);
}

/**
 * The name of a project (UUID), which stays until the transaction ends; undefined: there is none. Whoever creates something that
 * belongs to a project asks first.
 */
export async function holdProject(tx: Transaction, id: string): Promise<string | undefined> {
  const sql = 'SELECT name FROM project_name WHERE project_id = ? LOCK IN SHARE MODE';
  return (await tx.query<{ name: string }>(sql, [id]))[0]?.name;
}

/** Waits for those who hold it; nothing more can be created in the project. */
export async function forgetProject(tx: Transaction, id: string): Promise<void> {
  await tx.execute('DELETE FROM project_name WHERE project_id = ?', [id]);
}

/** What a subgraph has of a project, in words with a number ("2 load balancers"); empty: nothing. */
export type ProjectHoldings = (sql: Sql, projectId: string) => Promise<readonly string[]>;

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
