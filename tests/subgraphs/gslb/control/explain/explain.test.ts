// The selection of an answer for a client, now and at past times, with the current answers of each name server.
import { expect, test } from '@jest/globals';
import { gslbExplain } from '../../../../../subgraphs/gslb/control/explain/explain.ts';
import { databaseNow } from '../../../../../subgraphs/gslb/control/stores/checker-store.ts';
import { connectNameServer, recordState } from '../../../../../subgraphs/gslb/control/stores/name-server-store.ts';
import { zonePositions } from '../../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { GslbPlace, zone } from '../../support/gslb-place.ts';

const place = forFile(() => GslbPlace.open());

test('it follows the plan of that time, with the excluded members and the data of each server', async () => {
  const { db } = place.ground;
  const checker = await place.vantagePoint('eu');
  const one = await place.member('one', { addresses: ['192.0.2.1'] });
  const two = await place.member('two', { addresses: ['192.0.2.2'] });
  await place.name('shop', { policy: { preset: 'ROUND_ROBIN', steps: [] } });
  await place.say(checker, { [one]: 'UP', [two]: 'UP' });
  const before = new Date(await databaseNow(db));
  const generation = await place.count('SELECT generation AS n FROM gslb_zone WHERE name = ?', [zone]);
  const has = (await zonePositions(db)).find(({ name }) => name === zone)?.position ?? { history: '', number: -1 };
  const machine = { id: checker.id, name: 'ns1' };
  const facts = { name: 'ns1', addresses: [], zones: {}, version: 'test' };
  const { epoch, history } = await db.transaction((tx) => connectNameServer(tx, { machine, facts, linkedTo: 'here' }));
  const state = { refused: {}, heardAgoMs: 0, queries: 0, connections: 0 };
  await recordState(db, { id: checker.id, epoch, history }, { ...state, zones: { [`${zone}.`]: has } });
  // The two changes need different times.
  await new Promise((resolve) => setTimeout(resolve, 20));
  await place.say(checker, { [one]: 'DOWN' });
  const question = { fqdn: `shop.${zone}`, type: 'A', client: '198.51.100.7' };
  const now = await gslbExplain(db, question);
  expect(now?.answer.records.map(({ data }) => data)).toEqual(['192.0.2.2']);
  expect(now?.answer.ttlSeconds).toBe(5);
  expect(now?.answer.trail.flatMap(({ left }) => left).map(({ memberId }) => memberId)).toContain(one);
  expect(now?.servers).toMatchObject([{ name: 'ns1', zoneGeneration: generation, behind: 1 }]);
  expect(now?.servers[0]?.answer?.records).toHaveLength(2);
  const then = await gslbExplain(db, { ...question, at: before });
  expect(then?.answer.records.map(({ data }) => data).sort()).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(then).toMatchObject({ generation: (now?.generation ?? 0) - 1, servers: [] });
  expect(await gslbExplain(db, { ...question, fqdn: `other.${zone}` })).toBeUndefined();
});
