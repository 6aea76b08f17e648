// Our own name servers always accept the zone head, however many servers there are.
import { expect, test } from '@jest/globals';
import { planBounds, zonePlanFault } from '../../../../../dns/policy/plan-schema.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { zoneNews } from '../../../../../subgraphs/gslb/control/plans/zone-plans.ts';
import { forTest } from '../../../../support/jest/shared.ts';
import { GslbPlace, zone } from '../../support/gslb-place.ts';

const place = forTest(() => GslbPlace.open());

async function nameServer(name: string, addresses: readonly string[]): Promise<void> {
  const id = newUuid();
  const facts = { name, addresses: [{ address: '0.0.0.0', port: 53 }], zones: {}, version: '1' };
  await place.ground.db.execute('INSERT INTO gslb_name_server (id, name, facts, epoch) VALUES (?, ?, ?, 1)', [
    ...[id, name, JSON.stringify(facts)],
  ]);
  await place.recordServer(id, addresses);
}

test('a zone lists as many name servers as fit, those with addresses first', async () => {
  await place.member('one');
  await place.name('shop');
  for (let at = 0; at <= planBounds.nameServers; at += 1) await nameServer(`a${at}`, []);
  await nameServer('z', ['192.0.2.53']);
  const news = await zoneNews(place.ground.db, place.ground.sealer, { zone, has: undefined, ownMaps: false });
  const plan = news?.kind === 'WHOLE' ? news.plan : undefined;
  expect(zonePlanFault(plan)).toBeUndefined();
  expect(plan?.nameServers).toHaveLength(planBounds.nameServers);
  expect(plan?.nameServers[0]).toEqual({ name: `z.${zone}.`, addresses: ['192.0.2.53'] });
});
