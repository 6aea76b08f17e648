// Freed node addresses rest before another load balancer gets them, because clients may still have them cached.
import { beforeEach, expect, test } from '@jest/globals';
import type { LoadBalancerCreateInput } from '../../../../../generated/graph/loadbalancer.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { endNode, nodesOf, nodesUnderLock } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { reconcile } from '../../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import { readBalancer } from '../../../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { endHost } from '../../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import { usualHealing } from '../../../../../subgraphs/loadbalancer/rules/plan-input.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { connectHost } from '../../support/host-records.ts';

const place = forFile(() => BalancerPlace.open());
let count = 0;
const restMs = usualHealing.addressRestMs;

beforeEach(async () => {
  for (const table of ['lb_host', 'lb_address']) await place.ground.db.execute(`DELETE FROM ${table}`);
});

/** A connected host with five public addresses: 198.51.100.2 to .6. */
async function host(managementRange = '198.51.100.0/29'): Promise<string> {
  const { db, wake } = place.ground;
  const id = newUuid();
  await db.transaction((tx) =>
    connectHost(...([tx, wake, { id, name: 'host' }] as const), {
      ...{ provider: 'NETNS', site: null, tunnelAddress: null, maxNodes: 20, healthPort: 18_999 },
      ...{ publicRange: '198.51.100.0/29', managementRange },
    }),
  );
  return id;
}

async function balancer(
  nodes: number,
  topology: 'SPREAD' | 'ACTIVE_STANDBY' = 'SPREAD',
  more: Partial<LoadBalancerCreateInput> = {},
): Promise<string> {
  count += 1;
  const id = await place.balancer(`web${count}`, { minNodes: nodes, maxNodes: nodes, topology, ...more });
  await look(id);
  return id;
}

/** Reconciles until nothing is left to do at once. */
async function look(id: string): Promise<void> {
  const { db, wake } = place.ground;
  while (((await db.transaction((tx) => reconcile(tx, { db, wake }, id))) ?? Infinity) <= 10);
}

async function addresses(id: string): Promise<readonly (string | null)[]> {
  return ((await nodesOf(place.ground.db, [id])).get(id) ?? []).map(({ address }) => address);
}

async function reason(id: string): Promise<string | null | undefined> {
  return (await readBalancer(place.ground.db, id))?.provisioningReason;
}

/** Ends nodes as their host would report it. */
async function endNodes(id: string, most = 64): Promise<void> {
  const { db, wake } = place.ground;
  await db.transaction(async (tx) => {
    for (const node of (await nodesUnderLock(tx, id)).slice(0, most)) await endNode(tx, wake, node, null);
  });
}

/** Pretends that all resting addresses were freed this much earlier. */
async function age(ms: number): Promise<void> {
  await place.ground.db.execute('UPDATE lb_address SET freed_at = freed_at - INTERVAL ? MICROSECOND', [ms * 1_000]);
}

const all = [2, 3, 4, 5, 6].map((last) => `198.51.100.${last}`);

test('a freed address rests; its own load balancer may reuse it earlier if there is no other, and others only afterwards', async () => {
  await host();
  const first = await balancer(2);
  expect(await addresses(first)).toEqual(all.slice(0, 2));
  await endNodes(first);
  const second = await balancer(3);
  expect(await addresses(second)).toEqual(all.slice(2));
  // Its own address, because clients that have it cached still use it.
  await look(first);
  expect(await addresses(first)).toEqual(all.slice(0, 2));
  await endNodes(first);
  const third = await balancer(1);
  await age(restMs - 1_000);
  await look(third);
  expect(await addresses(third)).toEqual([]);
  expect(await reason(third)).toMatch(
    /^1 of 1 nodes have no host: NO_FREE_ADDRESS: of the 5 addresses of a host 3 are in use, and 2 are resting after their last use; wait, or give it a larger lbhost.publicRange, also in its record \(tidegate hosts set\)$/,
  );
  await age(20_000); // The trusted time may lag by some seconds.
  await look(third);
  expect(await addresses(third)).toEqual(all.slice(0, 1));
});

test('a management address is not cached by clients, and does not rest', async () => {
  await host('203.0.113.0/29');
  const first = await balancer(5);
  await endNodes(first);
  const rows = await place.ground.db.query<{ address: string }>('SELECT address FROM lb_address ORDER BY address');
  expect(rows.map(({ address }) => address)).toEqual(all);
  const second = await balancer(1);
  expect(await reason(second)).toContain(
    'NO_FREE_ADDRESS: of the 5 addresses of a host 0 are in use, and 5 are resting',
  );
});

test('a shared address rests too when the load balancer is deleted', async () => {
  await host();
  const shared = await balancer(2, 'ACTIVE_STANDBY');
  const floating = (await readBalancer(place.ground.db, shared))?.floatingAddress;
  expect([floating, ...(await addresses(shared))].sort()).toEqual(all.slice(0, 3));
  await endNodes(shared);
  await place.ground.db.execute("UPDATE lb_load_balancer SET provisioning_status = 'DELETING' WHERE id = ?", [shared]);
  await look(shared);
  expect(await readBalancer(place.ground.db, shared)).toMatchObject({ provisioningStatus: 'DELETED' });
  const other = await balancer(3);
  expect(await addresses(other)).toEqual(all.slice(3));
  expect(await reason(other)).toContain('2 are in use, and 3 are resting');
});

test('a deletion ends the operating status, and is not an outage', async () => {
  const { db } = place.ground;
  await host();
  const id = await balancer(1);
  await db.execute(
    "UPDATE lb_load_balancer SET operating_status = 'ONLINE', provisioning_status = 'DELETING' WHERE id = ?",
    [id],
  );
  await look(id);
  const changes = await db.query<{ kind: string; to: string; reason: string | null }>(
    "SELECT kind, to_status AS `to`, reason FROM status_change WHERE subject_id = ? AND kind LIKE '%.operatingStatus' ORDER BY id",
    [id],
  );
  expect(changes).toEqual([{ kind: 'loadBalancer.operatingStatus', to: 'UNKNOWN', reason: 'it is being deleted' }]);
});

test('when its host is removed, a shared address stays taken and others rest, even for a host with the same range', async () => {
  const { db, wake } = place.ground;
  const old = await host();
  const shared = await balancer(2, 'ACTIVE_STANDBY');
  const floating = (await readBalancer(db, shared))?.floatingAddress;
  await endNodes(shared);
  await db.transaction((tx) => endHost(tx, wake, old));
  await host();
  const other = await balancer(3);
  const given = await addresses(other);
  expect(given).toHaveLength(2);
  expect(given).not.toContain(floating);
  expect(await reason(other)).toContain('3 are in use, and 2 are resting');
  await age(restMs + 20_000);
  await look(other);
  expect((await addresses(other)).length).toBe(3);
  expect(await addresses(other)).not.toContain(floating);
});

test('a load balancer with a shared address starts only where two addresses are free', async () => {
  await host();
  await balancer(4);
  const shared = await balancer(2, 'ACTIVE_STANDBY');
  expect(await addresses(shared)).toEqual([]);
  expect(await reason(shared)).toContain('4 are in use, and 0 are resting');
});

test('a listener at the health check port gets no node where both would share an address, even if the host is added later', async () => {
  const listeners = [{ protocol: 'HTTP', port: 18_999 }] as unknown as NonNullable<
    LoadBalancerCreateInput['listeners']
  >;
  const taken = await balancer(1, 'SPREAD', { listeners });
  const other = await balancer(1);
  await host();
  for (const id of [taken, other]) await look(id);
  expect([await addresses(taken), await addresses(other)]).toEqual([[], all.slice(0, 1)]);
  expect(await reason(taken)).toBe(
    '1 of 1 nodes have no host: IN_USE: a listener has the port 18999, at which nodes of a host answer health checks: delete the listener, or give the host a management range of its own (tidegate hosts set)',
  );
  await place.ground.db.execute('DELETE FROM lb_host');
  await host('203.0.113.0/29');
  await look(taken);
  expect(await addresses(taken)).toHaveLength(1);
});
