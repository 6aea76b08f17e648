// SQL of the counters that increase with each change of a pool's targets. They are read before the targets, so a later change
// shows as a different number at the next read.
import type { Sql, Transaction } from '../../../../platform/database/database.ts';
import { marksFor } from '../../../../platform/database/sql.ts';
import { inPages } from './vote-store.ts';

/** Keyed by pool. */
export async function poolVersions(db: Sql): Promise<ReadonlyMap<string, number>> {
  const rows = await db.query<{ id: string; version: number }>('SELECT pool_id AS id, version FROM gslb_pool_targets');
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** Called before work is owed for the members, so that all writers lock in the same order. */
export async function poolsOfMembersTouched(tx: Transaction, memberIds: readonly string[]): Promise<void> {
  const pools = await inPages([...new Set(memberIds)], (page) =>
    tx.query<{ id: string }>(
      `SELECT DISTINCT pool_id AS id FROM gslb_pool_member WHERE id IN (${marksFor(page)})`,
      page,
    ),
  );
  await touch(tx, pools);
}

/** The flavors of the names that use a pool decide who watches its members. */
export async function poolsOfNamesTouched(tx: Transaction, gslbIds: readonly string[]): Promise<void> {
  const pools = await inPages([...new Set(gslbIds)], (page) =>
    tx.query<{ id: string }>(
      `SELECT DISTINCT pool_id AS id FROM gslb_pool_use WHERE gslb_id IN (${marksFor(page)})`,
      page,
    ),
  );
  await touch(tx, pools);
}

async function touch(tx: Transaction, pools: readonly { readonly id: string }[]): Promise<void> {
  const ids = [...new Set(pools.map(({ id }) => id))].sort();
  const sql = 'INSERT INTO gslb_pool_targets (pool_id) VALUES (?) ON DUPLICATE KEY UPDATE version = version + 1';
  for (const id of ids) await tx.execute(sql, [id]);
}
