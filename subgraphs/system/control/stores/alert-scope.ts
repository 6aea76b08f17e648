// Whose a rule, a channel or an alert is: a project's, or the installation's (null), which administrators alone see.

import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { maySee } from '../../../../platform/input/authorise.ts';

/** In place of a project: names are unique in it. */
const installationScope = '00000000-0000-0000-0000-000000000000';

/** `projectId`: UUID. */
export function scopeOf(projectId: string | null): string {
  return projectId ?? installationScope;
}

/**
 * For a count with a bound. Other transactions with the lock wait until this one ends. Take it before locks of rules and channels.
 * `projectId`: UUID.
 */
export async function lockScope(tx: Transaction, projectId: string | null): Promise<void> {
  const sql = 'INSERT INTO alert_scope (scope) VALUES (?) ON DUPLICATE KEY UPDATE scope = scope';
  await tx.execute(sql, [scopeOf(projectId)]);
}

export function seesScope(identity: Identity, projectId: string | null): boolean {
  return projectId === null ? identity.admin : maySee(identity, projectId);
}
