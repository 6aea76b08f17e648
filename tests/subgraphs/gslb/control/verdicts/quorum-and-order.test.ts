// The effects of a changed number of vantage points, the order of histories, and the regions that a release affects.
import { afterEach, expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { releaseMember } from '../../../../../subgraphs/gslb/control/entities/entity-store.ts';
import type { PoolSpec } from '../../../../../subgraphs/gslb/spec/specs.ts';
import { GslbPlace } from '../../support/gslb-place.ts';

let place: GslbPlace;
let [member, name] = ['', ''];
afterEach(() => place.close());

async function open(pool: Partial<PoolSpec> = {}): Promise<void> {
  place = await GslbPlace.open(pool);
  member = await place.member('one');
  name = await place.name('shop');
}

test('after a vantage point that never voted is removed, the votes of the others are enough', async () => {
  await open();
  const [eu, us, ap] = [await place.vantagePoint('eu'), await place.vantagePoint('us'), await place.vantagePoint('ap')];
  await place.vantagePointWithout('sa');
  for (const checker of [eu, us, ap]) await place.say(checker, { [member]: 'UP' });
  for (const checker of [eu, us]) await place.say(checker, { [member]: 'DOWN' });
  expect(await place.up(name)).toEqual([member]);
  const { db } = place.ground;
  const [gone] = await db.query<{ id: string }>("SELECT id FROM gslb_vantage_point WHERE name = 'sa'");
  await db.execute('UPDATE gslb_vantage_point SET live_name = NULL, deleted_at = NOW(3) WHERE id = ?', [
    gone?.id ?? '',
  ]);
  await place.work('gslb-vantage-change', gone?.id ?? '');
  expect(await place.up(name)).toEqual([]);
});

test("a member's history is in the order of its changes, whatever clock wrote the earlier entry", async () => {
  await open();
  const eu = await place.vantagePoint('eu');
  const { db } = place.ground;
  const ahead = newUuid(Date.now() + 3_600_000);
  await db.execute(
    `INSERT INTO gslb_flip (id, project_id, pool_id, member_id, verdict_before, verdict_after, reason)
    VALUES (?, ?, ?, ?, NULL, 'DOWN', 'by a process whose clock is ahead')`,
    [ahead, place.projectId, place.poolId, member],
  );
  for (const verdict of ['UP', 'DOWN', 'UP'] as const) await place.say(eu, { [member]: verdict });
  const flips = await db.query<{ after: string }>('SELECT verdict_after AS after FROM gslb_flip ORDER BY id');
  expect(flips.map(({ after }) => after)).toEqual(['DOWN', 'UP', 'DOWN', 'UP']);
  const answers = await db.query<{ flip: string | null }>(
    'SELECT flip_id AS flip FROM gslb_plan ORDER BY generation DESC',
  );
  expect(answers[0]?.flip).toBe((await db.query<{ id: string }>('SELECT MAX(id) AS id FROM gslb_flip'))[0]?.id);
});

test('a release lets a member serve again in each region that waits for it', async () => {
  await open({ scope: 'REGION', failback: { mode: 'MANUAL' } });
  const [eu, us] = [await place.vantagePoint('eu'), await place.vantagePoint('us')];
  for (const checker of [eu, us]) await place.say(checker, { [member]: 'UP' });
  await place.say(eu, { [member]: 'DOWN' });
  await place.say(eu, { [member]: 'UP' });
  const { db } = place.ground;
  const shown = async () => (await place.plan(name)).plan.members[0];
  expect(await shown()).toMatchObject({ up: true, upIn: { eu: false, us: true } });
  const [row] = await db.query<{ why: string }>('SELECT status_message AS why FROM gslb_pool_member');
  expect(row?.why).toBe('it does not serve for clients in eu: it waits for its release');
  expect(await db.transaction((tx) => releaseMember(tx, member))).toBe(true);
  await place.work('gslb-judge', member);
  expect(await shown()).toMatchObject({ up: true, upIn: { eu: true, us: true } });
  expect(await db.transaction((tx) => releaseMember(tx, member))).toBe(false);
});
