// Measures from the rows how long it takes until another process checks, judges or serves in the place of one that was killed.
import { setTimeout as sleep } from 'node:timers/promises';
import { owe } from '../../platform/owed/owed-work.ts';
import { planKind } from '../../subgraphs/gslb/control/stores/touched.ts';
import type { Part, Site } from './site.ts';

const lookMs = 10;
/** Longer times count as this. */
const mostMs = 60_000;

/** Undefined if there is no other process. Call it right after the kill. */
export async function whenDone(
  site: Site,
  group: 'checkers' | 'conductors' | 'workers' | 'nameServers',
  part: Part,
): Promise<number | undefined> {
  const beganMs = performance.now();
  const isDone = await looker(site, group, part);
  if (isDone === undefined) return undefined;
  while (performance.now() - beganMs < mostMs && !(await isDone().catch(() => false))) await sleep(lookMs);
  return performance.now() - beganMs;
}

async function looker(
  { ground, conductors, workers, checkers, memberIds, nameId }: Site,
  group: 'checkers' | 'conductors' | 'workers' | 'nameServers',
  part: Part,
): Promise<(() => Promise<boolean>) | undefined> {
  const { db, wake } = ground;
  const isNone = async (sql: string, values: readonly string[]) => (await db.query(sql, values)).length === 0;
  switch (group) {
    case 'checkers': {
      const [, place = ''] = part.name.split('-');
      if (checkers.filter(({ name }) => name.startsWith(`checker-${place}-`)).length < 2) return undefined;
      // Members without a vote by another checker in the current epoch of the vantage point.
      const sql = `SELECT m.id FROM gslb_pool_member m JOIN gslb_vantage_point p ON p.name = ? LEFT JOIN gslb_vote v ON v.member_id = m.id
          AND v.vantage_point_id = p.id AND v.epoch = p.epoch AND v.checker_id <> ? LEFT JOIN gslb_checker c ON c.id = v.checker_id
          AND c.incarnation = v.incarnation WHERE c.id IS NULL`;
      return async () => memberIds.length > 0 && (await isNone(sql, [place, part.machineId]));
    }
    case 'conductors': {
      if (conductors.length < 2) return undefined;
      const sql = `SELECT id FROM gslb_checker WHERE linked_to = ? OR linked_to IS NULL
        UNION ALL SELECT id FROM gslb_name_server WHERE linked_to = ? OR linked_to IS NULL`;
      return () => isNone(sql, [part.owner, part.owner]);
    }
    case 'workers': {
      if (workers.length < 2) return undefined;
      await db.transaction((tx) => owe(tx, planKind, nameId, {}, wake)).catch(() => undefined);
      return () =>
        isNone('SELECT 1 FROM owed_work WHERE kind = ? AND `key` = ? AND due_at IS NOT NULL', [planKind, nameId]);
    }
    case 'nameServers':
      // The others answer continuously; otherwise `unanswered` shows it.
      return undefined;
  }
}
