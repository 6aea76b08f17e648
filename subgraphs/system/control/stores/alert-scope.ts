// The owner of a rule, a channel or an alert: a project, or the installation (null), whose objects only administrators see.

import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { maySee } from '../../../../platform/input/authorise.ts';

/** Stands for a project, so that names are unique in the installation. */
const installationScope = '00000000-0000-0000-0000-000000000000';

/** `projectId`: UUID. */
export function scopeOf(projectId: string | null): string {
  return projectId ?? installationScope;
}

/**
 * Locks the scope before a count against a limit. Other transactions with the lock wait until this one ends. Take it before locks of rules and
 * channels. `projectId`: UUID.
 */
export async function lockScope(tx: Transaction, projectId: string | null): Promise<void> {
  const sql = 'INSERT INTO alert_scope (scope) VALUES (?) ON DUPLICATE KEY UPDATE scope = scope';
  await tx.execute(sql, [scopeOf(projectId)]);
}

export function seesScope(identity: Identity, projectId: string | null): boolean {
  return projectId === null ? identity.admin : maySee(identity, projectId);
}
