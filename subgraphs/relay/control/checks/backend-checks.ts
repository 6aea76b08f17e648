// The relay's backends as a tenant of the check engine: log in, read version and serial.
import { changedSubjects, subjectCursor } from '../../../../platform/checks/changed-subjects.ts';
import type { CheckTarget, CheckTenant } from '../../../../platform/checks/check-tenant.ts';
import type { Probe } from '../../../../platform/checks/probe.ts';
import { shardOf } from '../../../../platform/checks/shards.ts';
import type { Database } from '../../../../platform/database/database.ts';
import type { Sealer } from '../../../../platform/secrets/seal.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
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
  /** See RelaySettings. */
  readonly sourceAddress?: string | undefined;
  /** For tests; default: the relay's own. */
  readonly checker?: Pick<BackendCheckerOptions, 'drivers' | 'transports'>;
}

const subjectType = 'Backend';
/** Each check may be a login, so their number is bounded. */
const slots = 256;

export function createBackendChecks(options: BackendChecksOptions): CheckTenant<BackendCheckDetail> {
  const { db, wake, sealer, intervalMs, timeoutMs, sourceAddress } = options;
  const checker = new BackendChecker({ db, sealer, sourceAddress, ...options.checker });
  const probe = backendProbe(checker);
  const list = async (which: Parameters<typeof listCheckTargets>[1]): Promise<CheckTarget[]> =>
    (await listCheckTargets(db, which)).map((each) => ({
      ...each,
      ...{ probe: probe.name, parameters: {}, intervalMs, timeoutMs },
    }));
  return {
    name: 'backends',
    probes: [probe],
    slots,
    usedShards: (count) => usedShards(db, count),
    async listTargets(shards) {
      const cursor = await subjectCursor(db);
      return { cursor, targets: await list(shards) };
    },
    async changesAfter(after) {
      const changed = await changedSubjects(db, subjectType, after);
      if (changed === undefined) return undefined;
      const targets = await list(changed);
      const known = new Set(targets.map(({ id }) => id));
      return { targets, gone: changed.ids.filter((id) => !known.has(id)), cursor: changed.cursor };
    },
    retain: (ids) => checker.retain(ids),
    record: (batch, lease) => recordCheckResults(db, wake, batch, lease, options.checker?.drivers),
  };
}

/** With more backends, each shard probably has one. */
const mostOfFew = 32;

async function usedShards(db: Database, count: number): Promise<ReadonlySet<number> | undefined> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM backend WHERE provisioning_status = 'ENABLED' LIMIT ${mostOfFew + 1}`,
  );
  return rows.length > mostOfFew ? undefined : new Set(rows.map(({ id }) => shardOf(id, count)));
}

/** Logs in and reads version and serial. It needs only the target's id: address and credentials stay in the database. */
function backendProbe(checker: BackendChecker): Probe<object, BackendCheckDetail> {
  return {
    name: 'backend',
    parameters: { type: 'object', additionalProperties: false },
    check: (_parameters, { targetId: id, revision, timeoutMs, signal, egress }) =>
      checker.check({ id, revision, timeoutMs }, { signal, egress }),
  };
}
