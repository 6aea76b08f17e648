// SQL of what a project has: for its deletion, and for quotas.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { countHeld, refuseDeletedProject } from '../../../platform/projects.ts';

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

/** Refuses NOT_FOUND a deleted project, QUOTA_EXCEEDED one more. The project's other creations wait until the transaction ends. */
export async function takeQuota(
  tx: Transaction,
  projectId: string,
  type: QuotaType,
  quotas: GslbQuotas,
): Promise<void> {
  await refuseDeletedProject(tx, projectId);
  const sql = 'INSERT INTO gslb_project (project_id) VALUES (?) ON DUPLICATE KEY UPDATE project_id = project_id';
  await tx.execute(sql, [projectId]);
  const [row] = await tx.query<{ count: number }>(counts[type], [projectId]);
  const [used, limit] = [Number(row?.count ?? 0), quotas[type]];
  if (used >= limit)
    refuse(
      'QUOTA_EXCEEDED',
      `the project has ${used} of ${limit} objects of type ${type}: delete one, or ask an administrator to raise gslb.quota`,
    );
}
