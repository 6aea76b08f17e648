// The relay's backends as a tenant of the check engine: log in, ask for version and serial.

import type { CheckTarget, CheckTenant } from '../../../platform/checks/check-tenant.ts';
import type { Database } from '../../../platform/database/database.ts';
import type { Sealer } from '../../../platform/secrets/seal.ts';
import type { Wake } from '../../../platform/wake.ts';
import {
  type BackendCheckDetail,
  BackendChecker,
  type BackendCheckerOptions,
  listCheckTargets,
  recordCheckResults,
} from './backend-checker.ts';

export interface BackendChecksOptions {
  readonly db: Database;
  readonly wake: Wake;
  readonly sealer: Sealer;
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** For tests; default: the relay's own. */
  readonly checker?: Pick<BackendCheckerOptions, 'drivers' | 'transports'>;
}

export function createBackendChecks(options: BackendChecksOptions): CheckTenant<CheckTarget, BackendCheckDetail> {
  const { db, wake, sealer, intervalMs, timeoutMs } = options;
  const checker = new BackendChecker({ db, sealer, ...options.checker });
  return {
    name: 'backends',
    listTargets: async () => (await listCheckTargets(db)).map((target) => ({ ...target, intervalMs, timeoutMs })),
    check: (target, { signal }) => checker.check(target, { signal }),
    retain: (ids) => checker.retain(ids),
    record: (batch, lease) => recordCheckResults(db, wake, batch, lease),
  };
}
