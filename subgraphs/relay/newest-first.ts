// Pages of operations and of mappings are asked for in the same way: what the caller may see, narrowed, newest first.
import type { Condition, SqlValue } from '../../platform/database/database.ts';

export interface NewestFirst<State extends string> {
  /** Projects that may be seen; 'all' for an administrator. */
  readonly projects: 'all' | readonly string[];
  readonly backendId?: string;
  readonly states?: readonly State[];
  readonly cmp?: { readonly namespace: string; readonly type: string; readonly externalId: string };
  /** The last id of the page before. */
  readonly before?: string | undefined;
  readonly take: number;
}

/** What follows FROM, with its values. `namespaceColumn`: the column of the CMP object's namespace; `more`: conditions, left out where a value is
 * undefined. */
export function newestFirst(
  filter: NewestFirst<string>,
  namespaceColumn: 'namespace' | 'cmp_namespace',
  more: readonly { readonly sql: string; readonly values: readonly (SqlValue | undefined)[] }[] = [],
): Condition {
  const where: string[] = ['1 = 1'];
  const values: SqlValue[] = [];
  const anyOf = (column: string, list: readonly string[]) => {
    where.push(list.length === 0 ? '1 = 0' : `${column} IN (${list.map(() => '?').join(', ')})`);
    values.push(...list);
  };
  if (filter.projects !== 'all') anyOf('project_id', filter.projects);
  if (filter.states !== undefined) anyOf('state', filter.states);
  if (filter.backendId !== undefined) anyOf('backend_id', [filter.backendId]);
  if (filter.cmp !== undefined) {
    where.push(`${namespaceColumn} = ? AND cmp_type = ? AND cmp_id = ?`);
    values.push(filter.cmp.namespace, filter.cmp.type, filter.cmp.externalId);
  }
  for (const condition of more) {
    if (condition.values.includes(undefined)) continue;
    where.push(condition.sql);
    values.push(...(condition.values as readonly SqlValue[]));
  }
  if (filter.before !== undefined) {
    where.push('id < ?');
    values.push(filter.before);
  }
  return { sql: `WHERE ${where.join(' AND ')} ORDER BY id DESC LIMIT ${filter.take}`, values };
}
