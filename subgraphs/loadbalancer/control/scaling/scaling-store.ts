// SQL of autoscaling: the policy of each load balancer that has one, and its decisions. Written under the lock of the load balancer.
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { countsOfParents, rowsOfParents } from '../../../../platform/database/parent-rows.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { owe } from '../../../../platform/owed/owed-work.ts';
import type { PageRequest } from '../../../../platform/pages/connection.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { NodeFigure } from '../../rules/scale.ts';
import {
  mostChanges,
  mostInHistory,
  type ScalingAction,
  type ScalingPolicy,
  type ScheduleWindow,
} from '../../rules/scaling-policy.ts';

/** Owed for each policy (UUID of its load balancer) when its next decision is due. */
export const scalingKind = 'lb-scaling';

export interface PolicyRow extends ScalingPolicy {
  readonly loadBalancerId: string;
  readonly decidedAt: Date | null;
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

const policyColumns = `load_balancer_id AS loadBalancerId, enabled, dry_run AS dryRun, \`signal\`, collectd_value AS collectdValue,
  requests_per_node AS requestsPerNode, target_percent AS targetPercent, tolerance_percent AS tolerancePercent, period_ms AS periodMs,
  warm_up_ms AS warmUpMs, cooldown_ms AS cooldownMs, down_window_ms AS downWindowMs, time_zone AS timeZone, schedule,
  decided_at AS decidedAt, version, created_at AS createdAt, updated_at AS updatedAt`;

type RawPolicy = Omit<PolicyRow, 'enabled' | 'dryRun' | 'schedule'> & {
  readonly enabled: number;
  readonly dryRun: number;
  readonly schedule: string;
};

function toPolicy({ enabled, dryRun, schedule, ...raw }: RawPolicy): PolicyRow {
  return { ...raw, enabled: enabled === 1, dryRun: dryRun === 1, schedule: JSON.parse(schedule) as ScheduleWindow[] };
}

/** By load balancer. */
export async function readPolicies(db: Sql, balancerIds: readonly string[]): Promise<ReadonlyMap<string, PolicyRow>> {
  if (balancerIds.length === 0) return new Map();
  const sql = `SELECT ${policyColumns} FROM lb_scaling_policy WHERE load_balancer_id IN (${marksFor(balancerIds)})`;
  return new Map((await db.query<RawPolicy>(sql, balancerIds)).map((raw) => [raw.loadBalancerId, toPolicy(raw)]));
}

export async function readPolicy(db: Sql, balancerId: string): Promise<PolicyRow | undefined> {
  return (await readPolicies(db, [balancerId])).get(balancerId);
}

/** Enabled policies that use a value from collectd, by load balancer; at most 10,000. */
export function collectdPolicies(db: Sql): Promise<{ readonly loadBalancerId: string; readonly value: string }[]> {
  return db.query(
    `SELECT load_balancer_id AS loadBalancerId, collectd_value AS value FROM lb_scaling_policy
    WHERE enabled = 1 AND \`signal\` = 'COLLECTD' AND collectd_value IS NOT NULL ORDER BY load_balancer_id LIMIT 10000`,
  );
}

/** Sets or replaces the policy of a load balancer; its next decision is due at once. */
export async function setPolicy(tx: Transaction, wake: Wake, balancerId: string, policy: ScalingPolicy): Promise<void> {
  const values: Readonly<Record<string, SqlValue>> = {
    enabled: policy.enabled,
    dry_run: policy.dryRun,
    '`signal`': policy.signal,
    collectd_value: policy.collectdValue,
    requests_per_node: policy.requestsPerNode,
    target_percent: policy.targetPercent,
    tolerance_percent: policy.tolerancePercent,
    period_ms: policy.periodMs,
    warm_up_ms: policy.warmUpMs,
    cooldown_ms: policy.cooldownMs,
    down_window_ms: policy.downWindowMs,
    time_zone: policy.timeZone,
    schedule: JSON.stringify(policy.schedule),
  };
  const names = Object.keys(values);
  await tx.execute(
    `INSERT INTO lb_scaling_policy (load_balancer_id, ${names.join(', ')}) VALUES (?, ${marksFor(names)})
    ON DUPLICATE KEY UPDATE ${names.map((name) => `${name} = VALUES(${name})`).join(', ')}, version = version + 1,
      updated_at = NOW(3)`,
    [balancerId, ...Object.values(values)],
  );
  if (policy.enabled) await owe(tx, scalingKind, balancerId, {}, wake);
}

/** Ends autoscaling; its decisions remain until they are old. */
export async function removePolicy(tx: Transaction, balancerId: string): Promise<void> {
  await tx.execute('DELETE FROM lb_scaling_policy WHERE load_balancer_id = ?', [balancerId]);
}

export interface DecisionRow {
  readonly id: string;
  readonly loadBalancerId: string;
  readonly decidedAt: Date;
  readonly action: ScalingAction;
  readonly fromNodes: number;
  readonly toNodes: number;
  readonly recommended: number;
  readonly reason: string;
  readonly dryRun: boolean;
  /** Empty where they were not read. */
  readonly figures: readonly NodeFigure[];
}

const decisionColumns = `id, load_balancer_id AS loadBalancerId, at AS decidedAt, action, from_nodes AS fromNodes, to_nodes AS toNodes, recommended,
  reason, dry_run AS dryRun`;

type RawDecision = Omit<DecisionRow, 'dryRun' | 'figures'> & { readonly dryRun: number; readonly inputs?: string };

function toDecision({ dryRun, inputs, ...raw }: RawDecision): DecisionRow {
  return { ...raw, dryRun: dryRun === 1, figures: inputs === undefined ? [] : (JSON.parse(inputs) as NodeFigure[]) };
}

/** By load balancer, newest first. */
export async function pagesOfDecisions(
  db: Sql,
  balancerIds: readonly string[],
  { after, take }: PageRequest,
  changed: boolean,
): Promise<ReadonlyMap<string, DecisionRow[]>> {
  const found = await rowsOfParents<RawDecision>(db, balancerIds, {
    ...{ ...decisionsOf(changed), columns: `${decisionColumns}, inputs`, key: 'id', order: 'DESC', take },
    ...{ after: after?.[0] },
  });
  const newestFirst = (one: DecisionRow, other: DecisionRow) => (one.id < other.id ? 1 : -1);
  return new Map([...found].map(([id, raws]) => [id, raws.map(toDecision).sort(newestFirst).slice(0, take)]));
}

/** By load balancer. */
export function countDecisions(
  db: Sql,
  balancerIds: readonly string[],
  changed: boolean,
): Promise<ReadonlyMap<string, number | null>> {
  return countsOfParents(db, balancerIds, decisionsOf(changed));
}

function decisionsOf(changed: boolean) {
  return {
    table: 'lb_scaling_decision',
    index: changed ? 'lb_scaling_decision_action_idx' : 'lb_scaling_decision_load_balancer_idx',
    ranges: (balancer: string) =>
      changed
        ? ['GROW', 'SHRINK'].map((action) => ({
            ...{ sql: 'load_balancer_id = ? AND action = ?', values: [balancer, action] },
          }))
        : [{ sql: 'load_balancer_id = ?', values: [balancer] }],
  };
}

/** Oldest first, without their figures: those of the last `historyMs`, the last one before, and the last changes (`historyOf`). */
export async function pastDecisions(db: Sql, balancerId: string, historyMs: number): Promise<DecisionRow[]> {
  const rows = await db.query<RawDecision>(
    `(SELECT ${decisionColumns} FROM lb_scaling_decision WHERE load_balancer_id = ? AND at > NOW(3) - INTERVAL ? MICROSECOND
        ORDER BY id DESC LIMIT ${mostInHistory})
    UNION (SELECT ${decisionColumns} FROM lb_scaling_decision WHERE load_balancer_id = ? AND at <= NOW(3) - INTERVAL ? MICROSECOND
        ORDER BY id DESC LIMIT 1)
    UNION (SELECT ${decisionColumns} FROM lb_scaling_decision WHERE load_balancer_id = ? AND action IN ('GROW', 'SHRINK')
        ORDER BY id DESC LIMIT ${mostChanges})
    ORDER BY decidedAt, id`,
    [balancerId, historyMs * 1000, balancerId, historyMs * 1000, balancerId],
  );
  return rows.map(toDecision);
}

/** Timed by the database's clock. `changed`: increments the policy's version, for its event. */
export async function insertDecision(
  tx: Transaction,
  row: Omit<DecisionRow, 'decidedAt' | 'figures'> & { readonly figures: readonly NodeFigure[] },
  changed: boolean,
): Promise<void> {
  const { id, loadBalancerId, action, fromNodes, toNodes, recommended, reason, dryRun, figures } = row;
  await tx.execute(
    `INSERT INTO lb_scaling_decision (id, load_balancer_id, at, action, from_nodes, to_nodes, recommended, reason, dry_run, inputs)
    VALUES (?, ?, NOW(3), ?, ?, ?, ?, ?, ?, ?)`,
    [
      id,
      loadBalancerId,
      action,
      fromNodes,
      toNodes,
      recommended,
      reason.slice(0, 1024),
      dryRun,
      JSON.stringify(figures),
    ],
  );
  await tx.execute(
    `UPDATE lb_scaling_policy SET decided_at = NOW(3), version = version + ?, updated_at = IF(?, NOW(3), updated_at)
    WHERE load_balancer_id = ?`,
    [changed ? 1 : 0, changed, loadBalancerId],
  );
}
