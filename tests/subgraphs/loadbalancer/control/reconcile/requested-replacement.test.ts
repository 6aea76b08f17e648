// A node whose replacement was requested and which fails: both lead to one replacement, and it leaves.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { nodesOf } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { reconcile } from '../../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { connectHost } from '../../support/host-records.ts';

let place: BalancerPlace;

beforeAll(async () => {
  place = await BalancerPlace.open();
  const { db, wake } = place.ground;
  await db.transaction((tx) =>
    connectHost(...([tx, wake, { id: newUuid(), name: 'host' }] as const), {
      ...{ provider: 'NETNS', site: null, tunnelAddress: null, maxNodes: 20, healthPort: 18_999 },
      ...{ publicRange: '198.51.100.0/24', managementRange: '203.0.113.0/24' },
    }),
  );
});
afterAll(() => place.close());

/** Until nothing follows at once. */
async function look(id: string): Promise<void> {
  const { db, wake } = place.ground;
  while (((await db.transaction((tx) => reconcile(tx, { db, wake }, id))) ?? Infinity) <= 10);
}

test('a node that was down when its replacement was requested leaves as soon as the checks have judged it', async () => {
  const { db } = place.ground;
  const id = await place.balancer('web', { minNodes: 1, maxNodes: 1 });
  const nodes = async () => (await nodesOf(db, [id])).get(id) ?? [];
  await look(id);
  const [failed] = await nodes();
  await db.execute(
    `UPDATE lb_node SET state = 'SERVING', operating_status = 'ERROR', round = 1, down_since = NOW(3), judge_at = NOW(3) + INTERVAL 1 MINUTE,
      replace_reason = 'its replacement was requested' WHERE id = ?`,
    [failed?.id ?? ''],
  );
  await look(id);
  expect((await nodes()).map(({ state, replacesId }) => [state, replacesId])).toEqual([
    ['SERVING', null],
    ['BUILDING', failed?.id],
  ]);
  await db.execute('UPDATE lb_node SET judge_at = NOW(3) - INTERVAL 1 SECOND WHERE id = ?', [failed?.id ?? '']);
  await look(id);
  expect((await nodes()).map(({ state }) => state)).toEqual(['DELETING', 'BUILDING']);
  const decisions = await db.query<{ kind: string }>(
    'SELECT kind FROM lb_decision WHERE node_id = ? ORDER BY created_at',
    [failed?.id ?? ''],
  );
  expect(decisions.map(({ kind }) => kind)).toEqual(['REPLACE', 'DELETE']);
});
