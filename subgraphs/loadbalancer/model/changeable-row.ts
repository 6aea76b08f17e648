// The object that a mutation of a member changes.
import { requireRole, visibleRow } from '../../../platform/authorise.ts';
import type { RequestContext } from '../../../platform/identity.ts';
import type { Attempt } from '../../../platform/mutation.ts';

/** Refuses NOT_FOUND what the caller may not see, and FORBIDDEN what the caller may not change. The attempt is of its project. */
export async function changeableRow<Row extends { readonly projectId: string }>(
  attempt: Attempt,
  { identity }: RequestContext,
  named: { readonly type: string; readonly id: string },
  read: (uuid: string) => Promise<Row | undefined>,
): Promise<Row> {
  const row = await visibleRow(identity, attempt.check, named, read);
  attempt.projectId = row.projectId;
  requireRole(identity, row.projectId, 'MEMBER', 'this');
  return row;
}
