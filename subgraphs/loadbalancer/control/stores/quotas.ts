// How many objects a project may have: its own quota, or otherwise the installation's default.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { refuseDeletedProject } from '../../../../platform/edge/projects.ts';
import { refuse } from '../../../../platform/errors/errors.ts';
import { type QuotaKind, quotaKinds } from '../../rules/states.ts';
import type { PartName } from '../../spec/part-kind.ts';

export type QuotaDefaults = Readonly<Record<QuotaKind, number>>;

const counts: Readonly<Record<QuotaKind, string>> = {
  LOAD_BALANCERS: 'SELECT COUNT(*) AS used FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
  NODES:
    'SELECT COALESCE(SUM(max_nodes), 0) AS used FROM lb_load_balancer WHERE project_id = ? AND live_name IS NOT NULL',
  CERTIFICATES: 'SELECT COUNT(*) AS used FROM lb_certificate WHERE project_id = ? AND live_name IS NOT NULL',
  SUBNETS: 'SELECT COUNT(*) AS used FROM lb_subnet WHERE project_id = ? AND live_name IS NOT NULL',
  LISTENERS: partCount('Listener'),
  POOLS: partCount('Pool'),
  MEMBERS: partCount('PoolMember'),
  L7_POLICIES: partCount('L7Policy'),
};

function partCount(kind: PartName): string {
  return `SELECT COUNT(*) AS used FROM lb_part WHERE project_id = ? AND kind = '${kind}' AND deleted = 0`;
}

/** The quota for parts of this kind. Undefined if there is none. */
export const quotaOfPart: Readonly<Partial<Record<PartName, QuotaKind>>> = {
  Listener: 'LISTENERS',
  Pool: 'POOLS',
  PoolMember: 'MEMBERS',
  L7Policy: 'L7_POLICIES',
};

const partCases = Object.entries(quotaOfPart)
  .map(([kind, quota]) => `WHEN '${kind}' THEN '${quota}'`)
  .join(' ');
const partKindNames = Object.keys(quotaOfPart)
  .map((kind) => `'${kind}'`)
  .join(', ');

export interface Quota {
  readonly kind: QuotaKind;
  readonly limit: number;
  /** That was set for the project. Null: the installation's applies. */
  readonly ownLimit: number | null;
  readonly used: number;
}

export class Quotas {
  readonly #defaults: QuotaDefaults;

  constructor(defaults: QuotaDefaults) {
    this.#defaults = defaults;
  }

  /**
   * Refuses QUOTA_EXCEEDED if the project may not have this many more, and NOT_FOUND if it is deleted. The project's other creations wait
   * until the transaction ends.
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

  /** Refuses NOT_FOUND if the project is deleted. The project's other creations wait until the transaction ends. */
  async lock(tx: Transaction, projectId: string): Promise<void> {
    await refuseDeletedProject(tx, projectId);
    const sql = 'INSERT INTO lb_project (project_id) VALUES (?) ON DUPLICATE KEY UPDATE project_id = project_id';
    await tx.execute(sql, [projectId]);
  }

  /** Null restores the installation's default. `isNew`: that was its limit before. */
  async set(
    tx: Transaction,
    projectId: string,
    kind: QuotaKind,
    limit: number | null,
  ): Promise<{ readonly isNew: boolean }> {
    await this.lock(tx, projectId);
    const before = await tx.query('SELECT kind FROM lb_quota WHERE project_id = ? AND kind = ?', [projectId, kind]);
    if (limit === null) await tx.execute('DELETE FROM lb_quota WHERE project_id = ? AND kind = ?', [projectId, kind]);
    else {
      const sql =
        'INSERT INTO lb_quota (project_id, kind, `limit`) VALUES (?, ?, ?) ON DUPLICATE KEY UPDATE `limit` = VALUES(`limit`)';
      await tx.execute(sql, [projectId, kind, limit]);
    }
    return { isNew: before.length === 0 };
  }

  /** All kinds, by project. */
  async readAll(db: Sql, projectIds: readonly string[]): Promise<ReadonlyMap<string, Quota[]>> {
    if (projectIds.length === 0) return new Map();
    const marks = marksFor(projectIds);
    const live = `project_id IN (${marks}) AND live_name IS NOT NULL GROUP BY project_id`;
    const used = await db.query<{ projectId: string; kind: QuotaKind; used: number }>(
      `SELECT project_id AS projectId, 'LOAD_BALANCERS' AS kind, COUNT(*) AS used FROM lb_load_balancer WHERE ${live}
      UNION ALL SELECT project_id, 'NODES', SUM(max_nodes) FROM lb_load_balancer WHERE ${live}
      UNION ALL SELECT project_id, 'CERTIFICATES', COUNT(*) FROM lb_certificate WHERE ${live}
      UNION ALL SELECT project_id, 'SUBNETS', COUNT(*) FROM lb_subnet WHERE ${live}
      UNION ALL SELECT project_id, CASE kind ${partCases} END, COUNT(*) FROM lb_part
        WHERE project_id IN (${marks}) AND kind IN (${partKindNames}) AND deleted = 0 GROUP BY project_id, kind`,
      Array.from({ length: 5 }, () => projectIds).flat(),
    );
    const own = await db.query<{ projectId: string; kind: QuotaKind; limit: number }>(
      `SELECT project_id AS projectId, kind, \`limit\` FROM lb_quota WHERE project_id IN (${marks})`,
      projectIds,
    );
    const key = (projectId: string, kind: QuotaKind) => `${projectId} ${kind}`;
    const counts = new Map(used.map((row) => [key(row.projectId, row.kind), Number(row.used)]));
    const limits = new Map(own.map((row) => [key(row.projectId, row.kind), row.limit]));
    return new Map(
      projectIds.map((id) => [
        id,
        quotaKinds.map((kind) =>
          this.#quota(kind, { own: limits.get(key(id, kind)), used: counts.get(key(id, kind)) ?? 0 }),
        ),
      ]),
    );
  }

  async read(db: Sql, projectId: string, kind: QuotaKind): Promise<Quota> {
    const [row] = await db.query<{ used: number }>(counts[kind], [projectId]);
    const sql = 'SELECT `limit` FROM lb_quota WHERE project_id = ? AND kind = ?';
    const [own] = await db.query<{ limit: number }>(sql, [projectId, kind]);
    return this.#quota(kind, { own: own?.limit, used: Number(row?.used ?? 0) });
  }

  #quota(kind: QuotaKind, { own, used }: { readonly own: number | undefined; readonly used: number }): Quota {
    return { kind, limit: own ?? this.#defaults[kind], ownLimit: own ?? null, used };
  }
}
