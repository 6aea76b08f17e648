// Bounds that are counted over several objects hold when those objects change at the same moment.

import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type Connection, createConnection } from 'mariadb';
import { lockProject } from '../../../../../subgraphs/gslb/control/entities/project-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbGraph, identity, makeWorld, projectA } from '../../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open({ quotas: 20 }));
const world = forFile(() => makeWorld(graph, owner));
const owner = identity('MEMBER');

test('a project that creates objects concurrently never exceeds its quota', async () => {
  const made = await Promise.all(
    Array.from({ length: 30 }, (_, at) => graph.mutate('gslbPoolCreate', { name: `pool-${at}` }, owner)),
  );
  expect(made.filter(({ faults }) => faults.length === 0)).toHaveLength(20 - 1);
  expect(new Set(made.flatMap(({ faults }) => faults))).toEqual(new Set(['QUOTA_EXCEEDED ']));
  await graph.db.execute("DELETE FROM gslb_pool WHERE name LIKE 'pool-%'");
});

test("a name gets no pool whose members, including one being created, exceed its flavor's bound", async () => {
  const { db } = graph;
  const second = await graph.make('gslbPoolCreate', { name: 'second' }, owner);
  await graph.make('gslbPoolMemberCreate', { poolId: second, name: 'two', addresses: ['203.0.113.8'] }, owner);
  await graph.make('gslbFlavorUpdate', { id: world.flavor, mostMembers: 2 });
  const wish = { id: world.gslb, poolIds: [world.pool, second] };
  let update: ReturnType<GslbGraph['mutate']> | undefined;
  let hasEnded = false;
  const root = await createConnection({ ...graph.place.rootConnection });
  // Like the creation of a member: lock the project first, and then the row.
  await db.transaction(async (tx) => {
    await lockProject(tx, projectA);
    await tx.execute(
      `INSERT INTO gslb_pool_member (id, project_id, pool_id, name, unique_key, spec)
        SELECT UUID(), project_id, pool_id, 'three', 'three', spec FROM gslb_pool_member WHERE name = 'one'`,
    );
    update ??= graph.mutate('gslbUpdate', wish, owner).finally(() => {
      hasEnded = true;
    });
    await waitFor('its end, or its wait for the lock', async () => hasEnded || isSomeoneWaiting(root));
  });
  await root.end();
  expect((await update)?.faults).toEqual(['LIMIT_REACHED input.poolIds']);
});

/** True if a transaction waits for a lock. This table is refreshed only if it was not read for 100 ms. */
async function isSomeoneWaiting(root: Connection): Promise<boolean> {
  await sleep(150);
  const rows = await root.query("SELECT trx_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'");
  return rows.length > 0;
}
