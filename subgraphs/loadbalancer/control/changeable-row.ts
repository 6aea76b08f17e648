// Finds the object that a member's mutation changes.

import type { RequestContext } from '../../../platform/caller/identity.ts';
import type { Attempt } from '../../../platform/edge/mutation.ts';
import { requireRole, visibleRow } from '../../../platform/input/authorise.ts';

/** Refuses NOT_FOUND if the caller may not see it, and FORBIDDEN if the caller may not change it. The attempt belongs to its project. */
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
