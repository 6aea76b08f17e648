// The removal of the only host. Its nodes could not be replaced elsewhere, so the removal would never end.
import { beforeAll, expect, test } from '@jest/globals';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { HostService } from '../../../../../subgraphs/loadbalancer/control/hosts/host-service.ts';
import { reconcile } from '../../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { endEpoch, type HostRow, readHosts } from '../../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { connectHost } from '../../support/host-records.ts';

const place = forFile(() => BalancerPlace.open());
let hosts: HostService;
let count = 0;

beforeAll(async () => {
  hosts = new HostService(place.ground);
});

function connect(maxNodes = 10): Promise<HostRow> {
  const { db, wake } = place.ground;
  count += 1;
  const range = `198.51.${count}.0/24`;
  return db.transaction((tx) =>
    connectHost(...([tx, wake, { id: newUuid(), name: `host-${count}` }] as const), {
      ...{ provider: 'NETNS', site: null, tunnelAddress: null, maxNodes, healthPort: 18_999 },
      ...{ publicRange: range, managementRange: range },
    }),
  );
}

const lose = (host: HostRow) => place.ground.db.transaction((tx) => endEpoch(tx, place.ground.wake, host));

/** The codes and the message. */
async function remove({ id }: HostRow): Promise<readonly string[]> {
  const { userErrors } = await hosts.remove(place.context(), { id: encodeId('LoadBalancerHost', id) });
  return userErrors.map(({ code, message }) => `${code} ${message}`);
}

test('it is refused while a load balancer has nodes there, and no other host can take nodes', async () => {
  const { db, wake } = place.ground;
  const last = await connect();
  const balancer = await place.balancer('web');
  await db.transaction((tx) => reconcile(tx, { db, wake }, balancer));
  expect(await remove(last)).toEqual([expect.stringMatching(/^WRONG_STATE .*evacuate/)]);
  await lose(last);
  const refused = [
    expect.stringMatching(/^IN_USE the nodes of the load balancer web .* no other connected host can take nodes/),
  ];
  expect(await remove(last)).toEqual(refused);
  const full = await connect(0);
  expect(await remove(last)).toEqual(refused);
  expect((await readHosts(db, [last.id])).get(last.id)).toMatchObject({ removing: false, cordoned: false });
  await lose(full);
  expect(await remove(full)).toEqual([]);
  await connect();
  expect(await remove(last)).toEqual([]);
});

test('a load balancer that is being deleted needs no other host', async () => {
  const { db, wake } = place.ground;
  await db.execute('DELETE FROM lb_host');
  const last = await connect();
  const balancer = await place.balancer('gone');
  await db.transaction((tx) => reconcile(tx, { db, wake }, balancer));
  await lose(last);
  await place.balancers.delete(place.context(), { id: encodeId('LoadBalancer', balancer) });
  expect(await remove(last)).toEqual([]);
});
