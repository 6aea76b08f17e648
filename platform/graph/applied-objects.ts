// Objects that sources of files made. The edge of mutations writes them (platform/edge/applied-objects.ts).
import { always, type Sql } from '../database/database.ts';
import { isOneOf } from '../database/range-search.ts';
import { marksFor } from '../database/sql.ts';
import type { Page } from '../pages/connection.ts';
import { type ListFilter, type ListTable, pageOfList } from '../pages/entity-list.ts';

export interface AppliedObjectRow {
  /** UUID of the object. */
  readonly id: string;
  readonly subjectType: string;
  /** UUID. */
  readonly projectId: string | null;
  readonly source: string;
  readonly createdAt: Date;
}

const appliedObjects: ListTable = {
  ...{ table: 'applied_object', name: 'source', shown: always },
  all: { time: 'PRIMARY', name: 'applied_object_source_idx' },
  ofProject: { time: 'applied_object_project_idx', name: 'applied_object_project_source_idx' },
};

/** `ids`: UUIDs of objects. */
export function appliedObjectPage(
  sql: Sql,
  {
    sources,
    ids,
    ...filter
  }: Omit<ListFilter, 'names'> & {
    readonly sources?: readonly string[] | null | undefined;
    readonly ids?: readonly string[] | undefined;
  },
): Promise<Page<AppliedObjectRow>> {
  const within = ids === undefined ? undefined : isOneOf('id', ids);
  const read = async (found: readonly string[]): Promise<ReadonlyMap<string, AppliedObjectRow>> => {
    const rows = await sql.query<AppliedObjectRow>(
      `SELECT id, subject_type AS subjectType, project_id AS projectId, source, created_at AS createdAt
      FROM applied_object WHERE id IN (${marksFor(found)})`,
      found,
    );
    return new Map(rows.map((row) => [row.id, row]));
  };
  return pageOfList(sql, appliedObjects, { ...filter, names: sources, within }, read);
}
