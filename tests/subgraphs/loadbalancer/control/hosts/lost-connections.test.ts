// Connections whose process was killed, so that their end was not recorded.
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { HostWatcher } from '../../../../../subgraphs/loadbalancer/control/hosts/host-watcher.ts';
import { readHosts } from '../../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { connectHost } from '../../support/host-records.ts';
import { LbWorld } from '../../support/lb-world.ts';

const world = forFile(() => LbWorld.open());

const presenceOf = async (id: string) => (await readHosts(world.ground.db, [id])).get(id)?.presence;

test('lost connections are ended; a live one that was taken for lost counts again', async () => {
  const { db, wake, log } = world.ground;
  const held = (await world.addHost('host-1')).machine.id;
  await waitFor('the host', async () => (await presenceOf(held)) === 'PRESENT');
  const lost = newUuid();
  const offer = { publicRange: '127.78.9.0/28', managementRange: '127.78.9.0/28', tunnelAddress: null, site: null };
  await db.transaction((tx) =>
    connectHost(tx, wake, { id: lost, name: 'host-2' }, { ...offer, provider: 'LOOPBACK', maxNodes: 1, healthPort: 1 }),
  );
  // The watcher polls faster than connections are confirmed.
  const watcher = new HostWatcher({ db, wake, log, lookMs: 20 });
  watcher.start();
  await waitFor('both to be lost', async () => {
    return (await presenceOf(lost)) === 'ABSENT' && (await presenceOf(held)) === 'ABSENT';
  });
  await watcher.stop();
  await waitFor('the one that stands', async () => (await presenceOf(held)) === 'PRESENT');
  expect(await presenceOf(lost)).toBe('ABSENT');
}, 120_000);
