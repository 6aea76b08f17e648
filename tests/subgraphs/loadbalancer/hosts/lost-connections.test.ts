// Connections whose process was killed: nobody could record their end.
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { newUuid } from '../../../../platform/ids.ts';
import { HostKeeper } from '../../../../subgraphs/loadbalancer/hosts/host-keeper.ts';
import { beginEpoch, readHosts } from '../../../../subgraphs/loadbalancer/stores/host-store.ts';
import { waitFor } from '../../../support/temporary-folder.ts';
import { LbWorld } from '../support/lb-world.ts';

let world: LbWorld;
beforeAll(async () => {
  world = await LbWorld.open();
}, 60_000);
afterAll(() => world.close());

const statusOf = async (id: string) => (await readHosts(world.ground.db, [id])).get(id)?.status;

test('they end; one that stands, and was taken for lost, counts again', async () => {
  const { db, wake, log } = world.ground;
  const held = (await world.addHost('host-1')).machine.id;
  await waitFor('the host', async () => (await statusOf(held)) === 'ONLINE');
  const lost = newUuid();
  const offer = { publicRange: '127.78.9.0/28', managementRange: '127.78.9.0/28', tunnelAddress: null, site: null };
  await db.transaction((tx) =>
    beginEpoch(tx, wake, { id: lost, name: 'host-2' }, { ...offer, provider: 'LOOPBACK', maxNodes: 1, healthPort: 1 }),
  );
  // It looks faster than connections are confirmed.
  const keeper = new HostKeeper({ db, wake, log, lookMs: 20 });
  keeper.start();
  await waitFor('both to be lost', async () => {
    return (await statusOf(lost)) === 'OFFLINE' && (await statusOf(held)) === 'OFFLINE';
  });
  await keeper.stop();
  await waitFor('the one that stands', async () => (await statusOf(held)) === 'ONLINE');
  expect(await statusOf(lost)).toBe('OFFLINE');
}, 120_000);
