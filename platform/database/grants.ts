// The rights of a role's database account. Accounts that neither seal nor purge the audit trail may only add to it.
import type { Sql } from './database.ts';

const auditRights: ReadonlyMap<string, string> = new Map([
  ['audit_entry', 'SELECT, INSERT'],
  ['audit_chain', 'SELECT'],
]);

/** Only migrations and the processes that manage the servers write these tables. */
const onlyRead: ReadonlySet<string> = new Set(['_prisma_migrations', 'db_lease']);

/** GRANT statements for `account` (for example `'tidegate-relay'@'10.0.0.%'`), for all existing tables of the database. */
export async function grantsFor(
  db: Sql,
  wish: { readonly database: string; readonly account: string; readonly keepsAudit: boolean },
): Promise<readonly string[]> {
  const tables = await db.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = ? AND table_type = 'BASE TABLE' ORDER BY table_name",
    [wish.database],
  );
  return tables.map(({ name }) => {
    const rights =
      (wish.keepsAudit ? undefined : auditRights.get(name)) ??
      (onlyRead.has(name) ? 'SELECT' : 'SELECT, INSERT, UPDATE, DELETE');
    return `GRANT ${rights} ON \`${wish.database}\`.\`${name}\` TO ${wish.account};`;
  });
}
