// A plan that name servers would refuse stays out of its zone. The zone's other names are answered, and the refused
// name gives the reason.
import { beforeEach, expect, test } from '@jest/globals';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbPlace, type TestChecker } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());
let checker: TestChecker;
let member: string;
beforeEach(async () => {
  checker = await place.vantagePoint('eu');
  member = await place.member('one', { addresses: ['192.0.2.1'] });
});

const generation = () => place.count('SELECT generation AS n FROM gslb_zone');

test('a name with a refused plan is an ERROR, and its zone keeps working', async () => {
  const shop = await place.name('shop');
  const before = await generation();
  const long = await place.name('long', { ttlSeconds: 700_000 });
  expect(await place.plan(long)).toMatchObject({ plan: null, status: 'ERROR' });
  const [row] = await place.ground.db.query<{ why: string }>('SELECT status_message AS why FROM gslb WHERE id = ?', [
    long,
  ]);
  expect(row?.why).toContain('ttlSeconds');
  expect(await generation()).toBe(before);
  await place.say(checker, { [member]: 'UP' });
  expect(await place.up(shop)).toEqual([member]);
});

test('a latency above the limit of name servers is published as that limit', async () => {
  const shop = await place.name('shop', { policy: { preset: 'LATENCY', steps: [] } });
  await place.ground.db.execute('UPDATE gslb_pool_member SET latency = ? WHERE id = ?', [
    JSON.stringify({ eu: { told: 5_000_000 } }),
    member,
  ]);
  await place.work('gslb-plan', shop);
  expect((await place.plan(shop)).plan.members[0]?.latencyMs).toEqual({ eu: 3_600_000 });
});
