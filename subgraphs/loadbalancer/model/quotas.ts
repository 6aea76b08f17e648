// How many objects a project may have: the quota set for it, else the installation's.
import type { Sql, Transaction } from '../../../platform/database/database.ts';
import { refuse } from '../../../platform/errors.ts';
import { refuseDeletedProject } from '../../../platform/projects.ts';
import type { PartName } from '../parts/part-kind.ts';
import type { QuotaKind } from './states.ts';

export type QuotaDefaults = Readonly<Record<QuotaKind, number>>;

const counts: Readonly<Record<QuotaKind, string>> = {
  LOAD_BALANCERS: 'SELECT COUNT(*) AS used FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
  NODES:
    'SELECT COALESCE(SUM(max_nodes), 0) AS used FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
  CERTIFICATES: 'SELECT COUNT(*) AS used FROM lb_certificate WHERE project_id = ? AND live_name IS NOT NULL',
  SUBNETS: 'SELECT COUNT(*) AS used FROM lb_subnet WHERE project_id = ? AND live_name IS NOT NULL',
  LISTENERS: partCount('Listener'),
  POOLS: partCount('Pool'),
  MEMBERS: partCount('Member'),
  L7_POLICIES: partCount('L7Policy'),
};

function partCount(kind: PartName): string {
  return `SELECT COUNT(*) AS used FROM lb_part WHERE project_id = ? AND kind = '${kind}' AND deleted = 0`;
}

/** The quota that parts of a kind count against; undefined: none. */
export const quotaOfPart: Readonly<Partial<Record<PartName, QuotaKind>>> = {
  Listener: 'LISTENERS',
  Pool: 'POOLS',
  Member: 'MEMBERS',
  L7Policy: 'L7_POLICIES',
};

export interface Quota {
  readonly kind: QuotaKind;
  readonly limit: number;
  readonly used: number;
}

export class Quotas {
  readonly #defaults: QuotaDefaults;

  constructor(defaults: QuotaDefaults) {
    this.#defaults = defaults;
  }

  /**
   * Refuses QUOTA_EXCEEDED unless so many more are allowed, and NOT_FOUND a project that is deleted. The project's other creations
   * wait until the transaction ends.
   */
  async take(tx: Transaction, projectId: string, wanted: Readonly<Partial<Record<QuotaKind, number>>>): Promise<void> {
    const adding = Object.entries(wanted).filter(([, count]) => count > 0) as [QuotaKind, number][];
    if (adding.length === 0) return;
    await this.lock(tx, projectId);
    for (const [kind, count] of adding) {
      const { limit, used } = await this.read(tx, projectId, kind);
      if (used + count > limit)
        refuse(
          'QUOTA_EXCEEDED',
          `the project has ${used} of ${limit} ${kind}; ${count} more are not allowed: delete some, or ask an administrator to raise the quota`,
        );
    }
  }

  /** Refuses NOT_FOUND a project that is deleted. The project's other creations wait until the transaction ends. */
  async lock(tx: Transaction, projectId: string): Promise<void> {
    await refuseDeletedProject(tx, projectId);
    const sql = 'INSERT INTO lb_project (project_id) VALUES (?) ON DUPLICATE KEY UPDATE project_id = project_id';
    await tx.execute(sql, [projectId]);
  }

  /** Null: the installation's. */
  async set(tx: Transaction, projectId: string, kind: QuotaKind, limit: number | null): Promise<void> {
    await this.lock(tx, projectId);
    if (limit === null) await tx.execute('DELETE FROM lb_quota WHERE project_id = ? AND kind = ?', [projectId, kind]);
    else {
      const sql =
        'INSERT INTO lb_quota (project_id, kind, `limit`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE `limit` = VALUES(`limit`)';
      await tx.execute(sql, [projectId, kind, limit]);
    }
  }

  async read(db: Sql, projectId: string, kind: QuotaKind): Promise<Quota> {
    const [row] = await db.query<{ used: number }>(counts[kind], [projectId]);
    const sql = 'SELECT `limit` FROM lb_quota WHERE project_id = ? AND kind = ?';
    const [own] = await db.query<{ limit: number }>(sql, [projectId, kind]);
    return { kind, limit: own?.limit ?? this.#defaults[kind], used: Number(row?.used ?? 0) };
  }
}
