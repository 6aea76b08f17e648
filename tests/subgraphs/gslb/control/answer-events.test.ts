// Each change of a name's answer makes one event. Changes of measurements make none.
import { beforeAll, expect, test } from '@jest/globals';
import { decodeUuid } from '../../../../platform/values/ids.ts';
import { planNames } from '../../../../subgraphs/gslb/control/plans/planning.ts';
import { forFile } from '../../../support/jest/shared.ts';
import { GslbGraph, identity, makeWorld, type World } from '../support/gslb-graph.ts';

const graph = forFile(() => GslbGraph.open());
let world: World;
const owner = identity('MEMBER');

beforeAll(async () => {
  world = await makeWorld(graph, owner);
  await plan();
});

const uuid = () => decodeUuid('Gslb', world.gslb) ?? '';
const plan = () => graph.db.transaction((tx) => planNames(tx, { wake: graph.wake }, [uuid()]));
const reasons = async () =>
  (
    await graph.db.query<{ reason: string }>(
      "SELECT reason FROM status_change WHERE kind = 'gslb.answer' AND subject_id = ? ORDER BY subject_version",
      [uuid()],
    )
  ).map(({ reason }) => reason);
const generation = async () =>
  (await graph.db.query<{ generation: number }>('SELECT generation FROM gslb WHERE id = ?', [uuid()]))[0]?.generation;

test('a changed latency is planned without an event, even if the answer depends on it', async () => {
  await graph.make('gslbUpdate', { id: world.gslb, policy: 'LATENCY' }, owner);
  await plan();
  const before = [await reasons(), await generation()] as const;
  await graph.db.execute('UPDATE gslb_pool_member SET latency = ? WHERE id = ?', [
    ...[JSON.stringify({ eu: { told: 40 } }), decodeUuid('GslbPoolMember', world.member) ?? ''],
  ]);
  await plan();
  expect(await reasons()).toEqual(before[0]);
  expect(await generation()).toBe((before[1] ?? 0) + 1);
});

test('a changed weight makes an event about the answer', async () => {
  const before = await reasons();
  await graph.make('gslbPoolMemberUpdate', { id: world.member, weight: 7 }, owner);
  await plan();
  expect((await reasons()).slice(before.length)).toEqual([
    '0 of 1 members serve, as before; how they are answered changed',
  ]);
});
