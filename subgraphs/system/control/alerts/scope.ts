// The right to change a rule, a channel or an alert: the role in its project, or administrator if it belongs to the installation (null).

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

/** The project of a new object. Null for the installation. Refuses NOT_FOUND or PROJECT_REQUIRED. */
export function scopeOfNew(identity: Identity, projectId: string | null | undefined): string | null {
  return identity.admin && projectId == null ? null : oneProject(identity, projectId);
}

/** Checks that the caller may see the named object. Refuses NOT_FOUND. */
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
