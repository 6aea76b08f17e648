// SQL of past plans of names: the answers at a past time, and the change that caused them.
import type { NamePlan } from '../../../../dns/policy/plan.ts';
import type { Sql, SqlValue, Transaction } from '../../../../platform/database/database.ts';
import { inPages } from '../stores/vote-store.ts';

export interface PastPlan {
  readonly gslbId: string;
  readonly generation: number;
  readonly plan: NamePlan;
  /** The change of a member's verdict that caused it. Null for another cause. */
  readonly flipId: string | null;
}

export async function storePlans(tx: Transaction, plans: readonly PastPlan[]): Promise<void> {
  await inPages(
    plans,
    async (page) => {
      const values = page.flatMap(({ gslbId, generation, plan, flipId }): SqlValue[] => [
        ...[gslbId, generation, JSON.stringify(plan), flipId],
      ]);
      const rows = page.map(() => '(?, ?, ?, ?)').join(', ');
      await tx.execute(`INSERT INTO gslb_plan (gslb_id, generation, plan, flip_id) VALUES ${rows}`, values);
      return [];
    },
    100,
  );
}

/** The one that was wanted at that moment. Undefined if there was none, or it is no longer kept. */
export async function planAt(
  db: Sql,
  gslbId: string,
  at: Date,
): Promise<(PastPlan & { readonly at: Date }) | undefined> {
  type Row = Omit<PastPlan, 'plan'> & { readonly plan: string; readonly at: Date };
  const [row] = await db.query<Row>(
    `SELECT gslb_id AS gslbId, generation, at, plan, flip_id AS flipId FROM gslb_plan WHERE gslb_id = ? AND at <= ?
    ORDER BY at DESC, generation DESC LIMIT 1`,
    [gslbId, at],
  );
  return row === undefined ? undefined : { ...row, plan: JSON.parse(row.plan) };
}

/** Null if it is no longer stored, or never existed. */
export async function planOfGeneration(db: Sql, gslbId: string, generation: number): Promise<NamePlan | null> {
  const sql = 'SELECT plan FROM gslb_plan WHERE gslb_id = ? AND generation = ?';
  const [row] = await db.query<{ plan: string }>(sql, [gslbId, generation]);
  return row === undefined ? null : JSON.parse(row.plan);
}
