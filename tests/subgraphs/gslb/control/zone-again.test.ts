// A zone that is created with the name of a deleted one. Its changes are numbered from the start, without conflict with
// the old ones.
import { expect, test } from '@jest/globals';
import { changeZones, zoneChanges } from '../../../../subgraphs/gslb/control/stores/zone-store.ts';
import { GslbGraph } from '../support/gslb-graph.ts';

test('a zone with the name of a deleted one can change', async () => {
  const graph = await GslbGraph.open();
  try {
    const { db, wake } = graph;
    const zone = 'again.test';
    const change = (times: number) =>
      db.transaction((tx) =>
        changeZones(
          tx,
          wake,
          Array.from({ length: times }, () => ({ zone, fqdn: null, gslbId: null })),
        ),
      );
    const id = await graph.make('dnsZoneCreate', { name: zone });
    await change(3);
    expect((await graph.mutate('dnsZoneDelete', { id })).faults).toEqual([]);
    await graph.make('dnsZoneCreate', { name: zone });
    await change(1);
    expect(await zoneChanges(db, { zone, from: 0, to: 9 })).toMatchObject([{ generation: 1 }]);
  } finally {
    await graph.stop();
  }
});
