// Deletes old history: changes of verdicts, past plans, the names that changed in each generation of a zone, and deleted objects once their
// history is gone and no event mentions them.
import type { Database } from '../../../platform/database/database.ts';
import { isToldSql } from '../../../platform/events/history.ts';
import { oldRowsStep } from '../../../platform/owed/old-rows.ts';
import type { OldRows, RetentionStep } from '../../../platform/owed/retention-step.ts';

const dayMs = 86_400_000;
/** A name server that was away for longer gets its zones whole. */
const zoneChangeMs = 7 * dayMs;

/** The newest plan of a name is its current answer, however old. */
const isPast = `generation < (SELECT g.generation FROM gslb g WHERE g.id = gslb_plan.gslb_id)
  OR NOT EXISTS (SELECT 1 FROM gslb g WHERE g.id = gslb_plan.gslb_id)`;

export function retentionSteps(db: Database, historyDays: number): readonly RetentionStep[] {
  return oldRows(historyDays * dayMs).map((rows) => oldRowsStep(db, rows));
}

function oldRows(keptMs: number): readonly OldRows[] {
  const deleted = (name: string, type: string, table: string, unused: string | undefined, parts: OldRows['parts']) => ({
    ...{ name, table, column: 'deleted_at', keptMs },
    where: [`NOT ${isToldSql(type, `${table}.id`)}`, ...(unused === undefined ? [] : [`NOT EXISTS (${unused})`])].join(
      ' AND ',
    ),
    ...(parts === undefined ? {} : { parts }),
  });
  return [
    { name: 'verdicts of GSLB members', table: 'gslb_flip', column: 'at', keptMs },
    { ...{ name: 'past answers of GSLBs', table: 'gslb_plan', key: 'gslb_id' }, column: 'at', where: isPast, keptMs },
    { name: 'changes of GSLB zones', table: 'gslb_zone_change', key: 'zone', column: 'at', keptMs: zoneChangeMs },
    // Before what they use.
    deleted('deleted GSLBs', 'Gslb', 'gslb', undefined, { gslb_pool_use: 'gslb_id' }),
    deleted('deleted members of GSLB pools', 'GslbPoolMember', 'gslb_pool_member', undefined, {
      ...{ gslb_monitor_use: 'member_id', gslb_vote: 'member_id', gslb_verdict: 'member_id' },
      gslb_member_address: 'member_id',
    }),
    deleted(
      ...(['deleted GSLB pools', 'GslbPool', 'gslb_pool'] as const),
      `SELECT 1 FROM gslb_pool_member m WHERE m.pool_id = gslb_pool.id
        UNION ALL SELECT 1 FROM gslb_pool_use u WHERE u.pool_id = gslb_pool.id`,
      { gslb_monitor_use: 'pool_id', gslb_pool_targets: 'pool_id' },
    ),
    deleted(
      ...(['deleted GSLB monitors', 'GslbMonitor', 'gslb_monitor'] as const),
      'SELECT 1 FROM gslb_monitor_use u WHERE u.monitor_id = gslb_monitor.id',
      { gslb_vote: 'monitor_id', gslb_verdict: 'monitor_id' },
    ),
    deleted(
      ...(['deleted flavors of GSLB', 'GslbFlavor', 'gslb_flavor'] as const),
      'SELECT 1 FROM gslb g WHERE g.flavor_id = gslb_flavor.id',
      undefined,
    ),
    deleted(
      ...(['deleted vantage points', 'GslbVantagePoint', 'gslb_vantage_point'] as const),
      'SELECT 1 FROM gslb_checker c WHERE c.vantage_point_id = gslb_vantage_point.id',
      { gslb_vote: 'vantage_point_id' },
    ),
  ];
}
