// The process that name servers connect to creates the keys of zones.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { ZoneKeyRollover } from '../../../../../subgraphs/gslb/control/entities/zone-key-rollover.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { GslbGraph, identity } from '../../support/gslb-graph.ts';

let graph: GslbGraph;
let rollover: ZoneKeyRollover;

beforeAll(async () => {
  graph = await GslbGraph.open();
  const { db, wake, log, sealer } = graph;
  rollover = new ZoneKeyRollover({ db, wake, log, sealer, signs: true, lookMs: 3_600_000 });
  rollover.start();
});
afterAll(async () => {
  await rollover?.stop();
  await graph?.stop();
});

async function keysOf(id: string): Promise<number> {
  const query = 'query ($id: ID!) { dnsZone(id: $id) { keys { keyTag } } }';
  return (await graph.ask<{ dnsZone: { keys: unknown[] } }>(identity('ADMIN'), query, { id })).dnsZone.keys.length;
}

test('a zone has its keys as soon as it is created', async () => {
  // The second zone is created after the first poll.
  for (const name of ['one.test', 'two.test']) {
    const id = await graph.make('dnsZoneCreate', { name, rights: [{ suffix: name }] });
    await waitFor('its keys', async () => (await keysOf(id)) > 0);
    expect(await keysOf(id)).toBe(2);
  }
});
