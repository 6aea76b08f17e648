// Deleted objects of GSLB: their rows stay for as long as the history and the readers of changes need them, and then go with all their parts.
import { expect, test } from '@jest/globals';
import { retentionSteps } from '../../../../subgraphs/gslb/control/retention.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { deletedRows } from '../../../support/product/deleted-rows.ts';
import { GslbGraph, makeWorld } from '../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
const deletable = ['gslb', 'gslb_pool', 'gslb_pool_member', 'gslb_monitor', 'gslb_flavor', 'gslb_vantage_point'];

test('rows of deleted objects are deleted after the history, users before what they use', async () => {
  await makeWorld(graph);
  const age = (days: number) =>
    Promise.all(
      deletable.map((table) =>
        graph.db.execute(`UPDATE ${table} SET deleted_at = NOW(3) - INTERVAL ? DAY WHERE deleted_at IS NOT NULL`, [
          days,
        ]),
      ),
    );
  const run = async () => {
    const deleted = Object.entries(await deletedRows(retentionSteps(graph.db, 90)));
    return Object.fromEntries(deleted.filter(([, rows]) => rows > 0));
  };
  await graph.db.execute(
    'INSERT INTO gslb_vote (member_id, monitor_id, vantage_point_id, checker_id, incarnation, epoch, noted_at) SELECT m.id, o.id, v.id, UUID(), 1, 1, NOW(3) FROM gslb_pool_member m, gslb_monitor o, gslb_vantage_point v',
  );
  await graph.db.execute('UPDATE gslb SET deleted_at = NOW(3), live_fqdn = NULL');
  expect(await run()).toEqual({});
  await age(91);
  // Events still mention the name.
  expect(await run()).toEqual({});
  await graph.db.execute('DELETE FROM status_change');
  expect(await run()).toEqual({ 'deleted GSLBs': 1 });
  await graph.db.execute('UPDATE gslb_pool SET deleted_at = NOW(3), live_name = NULL');
  await age(91);
  // The pool has a member.
  expect(await run()).toEqual({});
  for (const table of deletable)
    await graph.db.execute(`UPDATE ${table} SET deleted_at = NOW(3) - INTERVAL 91 DAY WHERE deleted_at IS NULL`);
  expect(await run()).toEqual({
    ...{ 'deleted members of GSLB pools': 1, 'deleted GSLB pools': 1, 'deleted GSLB monitors': 1 },
    ...{ 'deleted flavors of GSLB': 1, 'deleted vantage points': 1 },
  });
  for (const table of ['gslb_monitor_use', 'gslb_pool_use', 'gslb_pool_targets', 'gslb_vote', 'gslb_member_address'])
    expect([table, await graph.db.query(`SELECT COUNT(*) AS n FROM ${table}`)]).toEqual([table, [{ n: 0 }]]);
});
