// For mutations that give access: checks inside their transaction whether the caller is still an administrator.

import type { Identity } from '../../../../platform/caller/identity.ts';
import type { Transaction } from '../../../../platform/database/database.ts';
import { requireAdmin } from '../../../../platform/input/authorise.ts';
import type { CredentialStore } from './credential-store.ts';

/**
 * Refuses FORBIDDEN. The gateway caches a credential's answer for a second. Otherwise a former administrator could use that second to give
 * the rights to another user, or to create a machine or change a password.
 */
export async function requireAdminNow(
  tx: Transaction,
  credentials: CredentialStore,
  identity: Identity,
): Promise<void> {
  requireAdmin((await credentials.recheck(identity, tx)) ?? { ...identity, admin: false });
}
