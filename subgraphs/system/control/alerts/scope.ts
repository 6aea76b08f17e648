// Who may change a rule, a channel or an alert: whoever has the role in its project; administrators, if it is the installation's (null).

import type { Identity, Role } from '../../../../platform/caller/identity.ts';
import { unknownId } from '../../../../platform/errors/errors.ts';
import { oneProject, requireAdmin, requireRole } from '../../../../platform/input/authorise.ts';
import type { InputCheck } from '../../../../platform/input/input.ts';
import { seesScope } from '../stores/alert-scope.ts';

interface Owned {
  /** UUID. */
  readonly projectId: string | null;
}

/** Refuses FORBIDDEN. */
export function requireRoleIn(identity: Identity | null, { projectId }: Owned, role: Role, what: string): void {
  if (projectId !== null) requireRole(identity, projectId, role, what);
  else if (identity !== null) requireAdmin(identity);
}

/** The project of something new. Null: it is the installation's. Refuses NOT_FOUND or PROJECT_REQUIRED. */
export function scopeOfNew(identity: Identity, projectId: string | null | undefined): string | null {
  return identity.admin && projectId == null ? null : oneProject(identity, projectId);
}

/** What a mutation names. Refuses NOT_FOUND. */
export function requireSeen<Row extends Owned>(
  identity: Identity,
  check: InputCheck,
  named: { readonly type: string; readonly id: string; readonly field?: string },
  row: Row | undefined,
): Row {
  if (row !== undefined && seesScope(identity, row.projectId)) return row;
  check.fault(named.field ?? 'id', unknownId(named.type, named.id), 'NOT_FOUND');
  check.throwIfAny();
  throw new Error('unreachable: a fault was added');
}
