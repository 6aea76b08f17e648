// Emits events when a cluster has lost the data of its replica, and when it has recovered it.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import { objectEvents } from '../events.ts';
import { controllersOf } from '../stores/controller-store.ts';

const mostRingsNamed = 10;

/** Does nothing if another process has already done so. Skips silent clusters, about which nothing is known. */
export async function tellReplicas(db: Database, wake: Wake): Promise<void> {
  const rows = await db.query<{ id: string; lost: number }>(
    'SELECT id, lost FROM object_cluster WHERE live_name IS NOT NULL',
  );
  const controllers = await controllersOf(
    db,
    rows.map(({ id }) => id),
  );
  for (const { id, lost } of rows) {
    const rings = controllers.get(id)?.find(({ present }) => present)?.state?.lostRings;
    if (rings === undefined || rings.length > 0 === (lost === 1)) continue;
    await db.transaction((tx) => tell(tx, wake, id, rings));
  }
}

async function tell(tx: Transaction, wake: Wake, id: string, rings: readonly number[]): Promise<void> {
  const isLost = rings.length > 0;
  const [row] = await tx.query<{ name: string; version: number }>(
    'SELECT name, version FROM object_cluster WHERE id = ? AND live_name IS NOT NULL AND lost <> ? FOR UPDATE',
    [id, isLost],
  );
  if (row === undefined) return;
  await tx.execute('UPDATE object_cluster SET lost = ? WHERE id = ?', [isLost, id]);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version, requestId: null } as const;
  const [from, to] = isLost ? ([null, 'LOST'] as const) : (['LOST', 'RECOVERING'] as const);
  const some = rings.toSorted((one, other) => one - other).slice(0, mostRingsNamed);
  const more = rings.length > some.length ? ` and ${rings.length - some.length} more` : '';
  const reason = isLost
    ? `rings ${some.join(', ')}${more}: stop its servers, run "tidegate rings change --recover ${row.name}", start them`
    : null;
  await appendStatus(tx, objectEvents, [{ ...subject, kind: 'objectCluster.replica', from, to, reason }], wake);
}
