// SQL of a project's GSLB entities: for its deletion, and for quotas.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { countHeld, refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';

export function heldBy(sql: Sql, projectId: string): Promise<readonly string[]> {
  return countHeld(sql, projectId, {
    GSLBs: 'SELECT COUNT(*) AS count FROM gslb WHERE project_id = ? AND live_fqdn IS NOT NULL',
    'GSLB pools': 'SELECT COUNT(*) AS count FROM gslb_pool WHERE project_id = ? AND live_name IS NOT NULL',
    'GSLB monitors': 'SELECT COUNT(*) AS count FROM gslb_monitor WHERE project_id = ? AND live_name IS NOT NULL',
  });
}

const counts = {
  Gslb: 'SELECT COUNT(*) AS count FROM gslb WHERE project_id = ? AND live_fqdn IS NOT NULL',
  GslbPool: 'SELECT COUNT(*) AS count FROM gslb_pool WHERE project_id = ? AND live_name IS NOT NULL',
  GslbPoolMember: 'SELECT COUNT(*) AS count FROM gslb_pool_member WHERE project_id = ? AND deleted_at IS NULL',
  GslbMonitor: 'SELECT COUNT(*) AS count FROM gslb_monitor WHERE project_id = ? AND live_name IS NOT NULL',
} as const;
export type QuotaType = keyof typeof counts;
export type GslbQuotas = Readonly<Record<QuotaType, number>>;

export interface GslbQuota {
  readonly kind: 'NAMES' | 'POOLS' | 'MEMBERS' | 'MONITORS';
  readonly limit: number;
  readonly used: number;
}

const quotaKinds = { NAMES: 'Gslb', POOLS: 'GslbPool', MEMBERS: 'GslbPoolMember', MONITORS: 'GslbMonitor' } as const;

/** Reads all kinds of each project with one statement. */
export async function readQuotas(
  sql: Sql,
  projectIds: readonly string[],
  quotas: GslbQuotas,
): Promise<ReadonlyMap<string, readonly GslbQuota[]>> {
  const own = `project_id IN (${marksFor(projectIds)})`;
  const rows = await sql.query<{ projectId: string; kind: string; used: number }>(
    `SELECT project_id AS projectId, 'NAMES' AS kind, COUNT(*) AS used FROM gslb
      WHERE ${own} AND live_fqdn IS NOT NULL GROUP BY project_id
    UNION ALL SELECT project_id, 'POOLS', COUNT(*) FROM gslb_pool WHERE ${own} AND live_name IS NOT NULL GROUP BY project_id
    UNION ALL SELECT project_id, 'MEMBERS', COUNT(*) FROM gslb_pool_member WHERE ${own} AND deleted_at IS NULL GROUP BY project_id
    UNION ALL SELECT project_id, 'MONITORS', COUNT(*) FROM gslb_monitor WHERE ${own} AND live_name IS NOT NULL GROUP BY project_id`,
    Array.from({ length: 4 }, () => projectIds).flat(),
  );
  const used = new Map(rows.map((row) => [`${row.projectId} ${row.kind}`, Number(row.used)]));
  const kinds = Object.entries(quotaKinds) as [GslbQuota['kind'], QuotaType][];
  return new Map(
    projectIds.map((id) => [
      id,
      kinds.map(([kind, type]) => ({ kind, limit: quotas[type], used: used.get(`${id} ${kind}`) ?? 0 })),
    ]),
  );
}

/** Refuses NOT_FOUND for a deleted project, and QUOTA_EXCEEDED beyond the quota. The project's other creations wait until the transaction ends. */
export async function takeQuota(
  tx: Transaction,
  projectId: string,
  type: QuotaType,
  quotas: GslbQuotas,
): Promise<void> {
  await refuseDeletedProject(tx, projectId);
  await lockProject(tx, projectId);
  const [row] = await tx.query<{ count: number }>(counts[type], [projectId]);
  const [used, limit] = [Number(row?.count ?? 0), quotas[type]];
  if (used >= limit)
    refuse(
      'QUOTA_EXCEEDED',
      `the project has ${used} of ${limit} objects of type ${type}: delete one, or ask an administrator to raise gslb.quota`,
    );
}

/** Locks the project before a count against a limit. Creations in the project wait until the transaction ends. */
export async function lockProject(tx: Transaction, projectId: string): Promise<void> {
  const sql = 'INSERT INTO gslb_project (project_id) VALUES (?) ON DUPLICATE KEY UPDATE project_id = project_id';
  await tx.execute(sql, [projectId]);
}
