// A load balancer host's claims about itself count only within the record that administrators gave it. A compromised
// host must not control the members, subnets, listeners and nodes of others.
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import type { HostRecord } from '../../../../../platform/machines/host-record.ts';
import { encodeId, newUuid } from '../../../../../platform/values/ids.ts';
import { HostService } from '../../../../../subgraphs/loadbalancer/control/hosts/host-service.ts';
import { nodesOf } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { reconcile } from '../../../../../subgraphs/loadbalancer/control/reconcile/reconcile-queue.ts';
import {
  beginEpoch,
  endEpoch,
  endHost,
  type HostRow,
  readHosts,
} from '../../../../../subgraphs/loadbalancer/control/stores/host-store.ts';
import { grantOf, type HostClaim, whyNoNodes } from '../../../../../subgraphs/loadbalancer/rules/host-grant.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { recordHost } from '../../support/host-records.ts';

const place = forFile(() => BalancerPlace.open());
let service: HostService;
beforeAll(async () => {
  service = new HostService(place.ground);
});
afterEach(async () => {
  for (const table of ['lb_host', 'host_record']) await place.ground.db.execute(`DELETE FROM ${table}`);
});

const ranges = { publicRange: '198.51.100.0/24', managementRange: '203.0.113.0/24' };
const record: HostRecord = { ...ranges, site: null, provider: 'NETNS', maxNodes: 3, healthPort: 8399 };
const usual: HostClaim = { ...record, ...ranges, tunnelAddress: null, confinementFault: null };
const everything = { publicRange: '0.0.0.0/0', managementRange: '0.0.0.0/0' };

function connect(claim: Partial<HostClaim>, id = newUuid(), name = 'host-1'): Promise<HostRow> {
  const { db, wake } = place.ground;
  return db.transaction((tx) => beginEpoch(tx, wake, { id, name }, { ...usual, ...claim }));
}

/** Creates a machine with a record, and returns its UUID. */
async function recorded(given: Partial<HostRecord> = {}, released = true): Promise<string> {
  const id = newUuid();
  await place.ground.db.transaction((tx) => recordHost(tx, id, { ...record, ...given }, released));
  return id;
}

async function read({ id }: Pick<HostRow, 'id'>): Promise<HostRow> {
  const row = (await readHosts(place.ground.db, [id])).get(id);
  if (row === undefined) throw new Error('the host is not there');
  return row;
}

let count = 0;
const pools = [{ name: 'web', memberProtocol: 'HTTP' }] as never;
/** Creates a load balancer with a pool, and returns its UUID. */
function balancer(nodes = 1): Promise<string> {
  count += 1;
  return place.balancer(`web${count}`, { pools, minNodes: nodes, maxNodes: nodes });
}

/** The faults as `CODE field`. */
async function change(mutation: string, input: object): Promise<readonly string[]> {
  const { userErrors } = await place.parts.change(place.context(), mutation, input as never);
  return userErrors.map(({ code, field }) => `${code} ${field.join('.')}`);
}

async function addMember(balancerId: string, host: string): Promise<readonly string[]> {
  const sql = "SELECT id FROM lb_part WHERE load_balancer_id = ? AND kind = 'Pool'";
  const [pool] = await place.ground.db.query<{ id: string }>(sql, [balancerId]);
  count += 1;
  return change('poolMemberCreate', { poolId: encodeId('Pool', pool?.id ?? ''), host, port: count });
}

const addListener = (balancerId: string, port: number) =>
  change('listenerCreate', { loadBalancerId: encodeId('LoadBalancer', balancerId), protocol: 'HTTP', port });

/** Places the wanted nodes, and returns their hosts. */
async function placed(balancerId: string): Promise<readonly (string | null)[]> {
  const { db, wake } = place.ground;
  while (((await db.transaction((tx) => reconcile(tx, { db, wake }, balancerId))) ?? Infinity) <= 10);
  return ((await nodesOf(db, [balancerId])).get(balancerId) ?? []).map(({ hostId }) => hostId);
}

async function addresses(balancerId: string): Promise<readonly (string | null)[]> {
  const rows = (await nodesOf(place.ground.db, [balancerId])).get(balancerId) ?? [];
  return rows.flatMap(({ address, managementAddress }) => [address, managementAddress]);
}

const hostId = ({ id }: Pick<HostRow, 'id'>) => encodeId('LoadBalancerHost', id);
const release = (host: HostRow) => service.liftCordon(place.context(), { id: hostId(host) });

test.each(['without a record', 'with one'])(
  'a host %s that claims every address blocks no member and no subnet, neither while connected nor after it has left',
  async (which) => {
    const { db, wake } = place.ground;
    const own = await balancer();
    const host = await connect(everything, which === 'with one' ? await recorded() : undefined);
    expect(await addMember(own, '192.0.2.10')).toEqual([]);
    await balancer();
    await db.transaction((tx) => endEpoch(tx, wake, host));
    expect(await addMember(own, '192.0.2.10')).toEqual([]);
    await balancer();
    // The networks that an administrator gave it belong to it.
    const isGiven = which === 'with one';
    for (const address of ['198.51.100.77', '203.0.113.77'])
      expect(await addMember(own, address)).toEqual(isGiven ? ['EGRESS_DENIED input.host'] : []);
  },
);

test('its claims about its health checks and its provider block no port', async () => {
  const own = await balancer();
  const claim = { provider: 'LOOPBACK', healthPort: 443, managementRange: ranges.publicRange } as const;
  await connect(claim, await recorded());
  expect(await addListener(own, 443)).toEqual([]);
  expect(await addMember(own, '10.0.0.77')).toEqual([]);
});

test('a health check port from an administrator is reserved', async () => {
  const own = await balancer();
  await connect({ managementRange: ranges.publicRange }, await recorded({ managementRange: null }));
  expect(await addListener(own, 8399)).toEqual(['IN_USE input.port']);
});

test('a host that claims room for 10,000 nodes gets none without a record or while cordoned, and then the number in its record', async () => {
  const own = await balancer(5);
  const host = await connect({ maxNodes: 10_000, ...everything });
  expect([host.cordoned, whyNoNodes(host)]).toEqual([true, expect.stringContaining('tidegate hosts set host-1')]);
  expect(await placed(own)).toEqual([]);
  await release(host);
  expect(await placed(own)).toEqual([]);
  const cordon = { id: hostId(host) };
  await service.setCordon(place.context(), cordon);
  const given = { ...ranges, maxNodes: 3 };
  expect((await service.update(place.context(), { id: hostId(host), ...given })).userErrors).toEqual([]);
  expect(whyNoNodes(await read(host))).toContain('tidegate hosts release host-1');
  expect(await placed(own)).toEqual([]);
  await release(host);
  expect(whyNoNodes(await read(host))).toBeNull();
  expect(await placed(own)).toEqual([host.id, host.id, host.id]);
  expect((await addresses(own)).join()).toMatch(/^(198\.51\.100\.\d+,203\.0\.113\.\d+,?){3}$/);
});

test('it may claim less, and then gets no more', async () => {
  const claim = { publicRange: '198.51.100.64/26', managementRange: '203.0.113.128/25', maxNodes: 2 };
  const host = await connect(claim, await recorded());
  expect(grantOf(host)).toEqual(claim);
  const own = await balancer(3);
  expect(await placed(own)).toEqual([host.id, host.id]);
  expect(await addresses(own)).toEqual(['198.51.100.66', '203.0.113.130', '198.51.100.67', '203.0.113.131']);
});

test.each<[string, Partial<HostClaim>]>([
  ['provider LOOPBACK', { provider: 'LOOPBACK' }],
  ['site ber', { site: 'ber' }],
  ['health port 443', { healthPort: 443 }],
  ['public range 198.51.101.0/24', { publicRange: '198.51.101.0/24' }],
  ['management range 2001:db8::/64', { managementRange: '2001:db8::/64' }],
])('a host that contradicts its record gets nothing, and this is reported: %s', async (what, claim) => {
  const host = await connect(claim, await recorded({ site: 'fra' }));
  expect([grantOf(host), whyNoNodes(host)]).toEqual([
    undefined,
    expect.stringMatching(
      new RegExp(
        `^it reports the ${what}, and its record has .+: correct its settings, or its record with tidegate hosts set host-1 `,
      ),
    ),
  ]);
  expect(await placed(await balancer())).toEqual([]);
});

test("the host's reason for incomplete confinement is kept unchanged, and takes no nodes from it", async () => {
  const confinementFault = 'nodes have no limits: /sys/fs/cgroup is not a cgroup v2';
  const host = await connect({ confinementFault }, await recorded());
  expect([(await read(host)).claim.confinementFault, whyNoNodes(host)]).toEqual([confinementFault, null]);
  const again = await connect({}, host.id);
  expect([again.claim.confinementFault, again.version]).toEqual([null, host.version + 1]);
});

test('a record is released once: a removed host that comes back is cordoned', async () => {
  const { db, wake } = place.ground;
  const id = await recorded();
  expect((await connect({}, id)).cordoned).toBe(false);
  expect((await connect({}, id)).cordoned).toBe(false);
  await db.transaction((tx) => endHost(tx, wake, id));
  expect((await connect({}, id)).cordoned).toBe(true);
});

test('a change of the record keeps omitted fields, is reported, and moves no node', async () => {
  const host = await connect({}, await recorded({ site: 'fra' }));
  const own = await balancer(2);
  await placed(own);
  const before = await addresses(own);
  const update = { id: hostId(host), publicRange: '198.51.0.0/16', expectedVersion: host.version };
  expect(await service.update(place.context(), update)).toMatchObject({ userErrors: [] });
  const now = await read(host);
  expect(now).toMatchObject({
    record: { ...record, site: 'fra', publicRange: '198.51.0.0/16' },
    version: host.version + 1,
  });
  await placed(own);
  expect(await addresses(own)).toEqual(before);
  // Setting the same values again is not a change.
  await service.update(place.context(), { id: hostId(host), publicRange: '198.51.0.0/16' });
  expect((await read(host)).version).toBe(now.version);
  const same = { id: hostId(host), managementRange: '198.51.0.0/16', site: null };
  await service.update(place.context(), same);
  expect((await read(host)).record).toMatchObject({ managementRange: null, site: null });
  const told = await place.ground.db.query<{ reason: string }>(
    "SELECT reason FROM status_change WHERE subject_id = ? AND kind = 'loadBalancerHost.changed' ORDER BY id",
    [host.id],
  );
  expect(told.map(({ reason }) => reason)).toEqual(['its record was changed', 'its record was changed']);
});

test("found by reading: a host can't get a network of another; existing overlaps are kept", async () => {
  const faults = async (host: HostRow, change: object) =>
    (await service.update(place.context(), { id: hostId(host), ...change })).userErrors.map(
      ({ code, field, message }) => `${code} ${field?.join('.')} ${message.split(':')[0]}`,
    );
  const other = await recorded({ publicRange: '192.0.2.0/25', managementRange: null });
  const host = await connect({}, await recorded());
  expect(await faults(host, { publicRange: '192.0.2.96/27' })).toEqual([
    `INVALID_INPUT input.publicRange publicRange is 192.0.2.96/27, which overlaps 192.0.2.0/25, the public range of the host ${other}, so two load balancers could get one address`,
  ]);
  expect(await faults(host, { managementRange: '192.0.0.0/16' })).toHaveLength(1);
  expect((await read(host)).record).toEqual(record);
  expect(await faults(host, { publicRange: '192.0.2.128/25' })).toEqual([]);
  const { db, wake } = place.ground;
  const named = await connect({}, await recorded({ publicRange: '198.18.1.0/24', managementRange: null }), 'host-2');
  expect(await faults(host, { managementRange: '198.18.0.0/16' })).toEqual([
    'INVALID_INPUT input.managementRange managementRange is 198.18.0.0/16, which overlaps 198.18.1.0/24, the public range of the host host-2, so two load balancers could get one address',
  ]);
  await db.transaction((tx) => endHost(tx, wake, named.id));
  expect(await faults(host, { managementRange: '198.18.0.0/16' })).toEqual([]);
  // An overlap from an earlier version. The other values can be changed, and the ranges can be separated.
  const overlapping = { publicRange: '192.0.2.0/24', managementRange: '192.0.2.0/26' };
  const old = await connect({}, await recorded(overlapping), 'host-3');
  expect(await faults(old, { maxNodes: 2 })).toEqual([]);
  expect(await faults(old, { publicRange: '198.19.0.0/24' })).toEqual([]);
  expect(await faults(old, { managementRange: '192.0.2.0/27' })).toHaveLength(1);
  expect(await faults(old, { managementRange: null })).toEqual([]);
});

test('only administrators change a record', async () => {
  const host = await connect({}, await recorded());
  const { userErrors } = await service.update(place.context('MEMBER'), { id: hostId(host), maxNodes: 1_000 });
  expect(userErrors.map(({ code }) => code)).toEqual(['FORBIDDEN']);
  expect((await read(host)).record).toEqual(record);
});
