// SQL of accounts: one per project, created when it is first needed.
import type { Database, Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { holdLiveProject } from '../../../../platform/edge/projects.ts';
import { newUuid } from '../../../../platform/values/ids.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { accountKey, uuidOfKey } from '../../wire/documents/documents.ts';
import { putDocument } from './document-store.ts';
import { lockFederation } from './federation-store.ts';

export interface AccountRow {
  /** UUID. */
  readonly id: string;
  readonly projectId: string;
  readonly createdAt: Date;
}

const columns = 'id, project_id AS projectId, created_at AS createdAt';

export async function readAccounts(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, AccountRow>> {
  if (ids.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_account WHERE id IN (${marksFor(ids)})`;
  return new Map((await sql.query<AccountRow>(text, ids)).map((row) => [row.id, row]));
}

/** `key`: the account's name in documents and registers. */
export async function accountOfKey(sql: Sql, key: string): Promise<AccountRow | undefined> {
  const id = uuidOfKey(key);
  return (await readAccounts(sql, [id])).get(id);
}

/** Keyed by the UUID of the project. */
export async function accountsOf(sql: Sql, projectIds: readonly string[]): Promise<ReadonlyMap<string, AccountRow>> {
  if (projectIds.length === 0) return new Map();
  const text = `SELECT ${columns} FROM object_account WHERE project_id IN (${marksFor(projectIds)})`;
  return new Map((await sql.query<AccountRow>(text, projectIds)).map((row) => [row.projectId, row]));
}

/** UUIDs of up to `most` projects that have an account, in any order. */
export async function projectsWithAccounts(sql: Sql, most: number): Promise<readonly string[]> {
  const text = 'SELECT project_id AS projectId FROM object_account ORDER BY project_id LIMIT ?';
  return (await sql.query<{ projectId: string }>(text, [most])).map(({ projectId }) => projectId);
}

/**
 * Returns the UUID of a project's account, and creates the account if there is none: only then does it wait for changes of the federation.
 * Refuses NOT_FOUND if the project is deleted or unknown.
 */
export async function accountFor(db: Database, wake: Wake, projectId: string): Promise<string> {
  const known = await db.transaction(async (tx) => {
    await holdLiveProject(tx, projectId);
    return (await accountsOf(tx, [projectId])).get(projectId);
  });
  if (known !== undefined) return known.id;
  return db.transaction(async (tx) => {
    await lockFederation(tx);
    return needAccount(tx, wake, projectId);
  });
}

/**
 * Returns the UUID of a project's account, and creates the account if there is none. Call it in the transaction that has locked the
 * federation. Once an account exists, clusters may hold data. Refuses NOT_FOUND if the project is deleted or unknown.
 */
export async function needAccount(tx: Transaction, wake: Wake, projectId: string): Promise<string> {
  const name = await holdLiveProject(tx, projectId);
  const known = (await accountsOf(tx, [projectId])).get(projectId);
  if (known !== undefined) return known.id;
  const id = newUuid();
  await tx.execute('INSERT INTO object_account (id, project_id) VALUES (?, ?)', [id, projectId]);
  await tx.execute('UPDATE object_federation SET in_use = 1 WHERE id = 1');
  const key = accountKey(id);
  await putDocument(tx, wake, ['account', key], { id: key, projectId, name, state: 'ACTIVE' });
  return id;
}
