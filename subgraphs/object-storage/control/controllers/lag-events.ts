// Emits an event of a cluster when it lacks changes that another cluster made over a minute ago, and when it has caught up.
import type { Database, Transaction } from '../../../../platform/database/database.ts';
import { appendStatus } from '../../../../platform/events/append.ts';
import type { Wake } from '../../../../platform/work/wake.ts';
import type { ControllerState } from '../../wire/controller-wire.ts';
import { objectEvents } from '../events.ts';
import { controllersOf } from '../stores/controller-store.ts';

/** A shorter lag is usual while much is written. It has caught up when it lags less than half of this. */
const lagsMs = 60_000;

interface Row {
  readonly id: string;
  readonly behind: number;
}

/** Does nothing if another process has already done so. */
export async function tellLags(db: Database, wake: Wake): Promise<void> {
  const rows = await db.query<Row>('SELECT id, behind FROM object_cluster WHERE live_name IS NOT NULL');
  const controllers = await controllersOf(
    db,
    rows.map(({ id }) => id),
  );
  for (const { id, behind } of rows) {
    // All controllers of a cluster report the same. Nothing is known about a silent cluster.
    const state = controllers.get(id)?.find(({ present }) => present)?.state;
    const lagMs = state == null ? undefined : worstLagMs(state.links);
    if (lagMs === undefined || isBehind(lagMs, behind === 1) === (behind === 1)) continue;
    await db.transaction((tx) => tell(tx, wake, id, lagMs));
  }
}

async function tell(tx: Transaction, wake: Wake, id: string, lagMs: number): Promise<void> {
  const [row] = await tx.query<Row & { readonly name: string; readonly version: number }>(
    'SELECT id, name, behind, version FROM object_cluster WHERE id = ? AND live_name IS NOT NULL FOR UPDATE',
    [id],
  );
  if (row === undefined) return;
  const was = row.behind === 1;
  const is = isBehind(lagMs, was);
  if (is === was) return;
  await tx.execute('UPDATE object_cluster SET behind = ? WHERE id = ?', [is, id]);
  const subject = { projectId: null, subjectId: id, subjectVersion: row.version, requestId: null };
  const reason = is ? `${row.name}: it lacks changes that are ${Math.round(lagMs / 1_000)} s old` : row.name;
  const event = { ...subject, kind: 'objectCluster.lag' as const, from: stateOf(was), to: stateOf(is), reason };
  await appendStatus(tx, objectEvents, [event], wake);
}

/** Undefined if no link tells it. */
function worstLagMs(links: ControllerState['links']): number | undefined {
  // A link without changes to copy has no lag; one whose lag is not known says nothing.
  const known = links.flatMap(({ behindPartitions, lagMs }) => (behindPartitions === null ? [] : [lagMs ?? 0]));
  return known.length === 0 ? undefined : Math.max(...known);
}

function isBehind(lagMs: number, was: boolean): boolean {
  return lagMs >= (was ? lagsMs / 2 : lagsMs);
}

function stateOf(behind: boolean): 'BEHIND' | 'IN_STEP' {
  return behind ? 'BEHIND' : 'IN_STEP';
}
