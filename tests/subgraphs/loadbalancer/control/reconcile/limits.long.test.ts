// The limits of healing: a HAProxy that ends again and again, a flapping node, a host that returns in time or too late,
// and a breaker that closes while a node is still down. With real HAProxies, checks and name server.
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld } from '../../support/lb-world.ts';
import { timeIsOver } from '../../support/time-is-over.ts';

let world: LbWorld;
let balancerId: string;
let count = 0;

beforeAll(async () => {
  world = await LbWorld.open({
    dns: true,
    settings: { nodeDrainMs: 500, hostGoneMs: 3_000, mostTakeBacks: 1 },
  });
  for (const name of ['host-1', 'host-2', 'host-3']) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 3);
}, 60_000);

afterAll(() => world.close());

afterEach(async () => {
  await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancerId) });
  await waitFor('DELETED', async () => (await world.balancer(balancerId)).provisioningStatus === 'DELETED');
}, 60_000);

async function make(nodes: number): Promise<readonly [NodeRow, NodeRow, ...NodeRow[]]> {
  count += 1;
  balancerId = await world.create(`web${count}`, nodes, await freePort());
  await world.untilActive(balancerId);
  return (await world.nodes(balancerId)) as [NodeRow, NodeRow, ...NodeRow[]];
}

const now = async ({ id }: NodeRow) => (await world.nodes(balancerId)).find((node) => node.id === id);
const serving = async () => (await world.nodes(balancerId)).filter(({ state }) => state === 'SERVING');
const addresses = (nodes: readonly NodeRow[]) => nodes.map(({ address }) => address ?? '').sort();

/** The reasons of the decisions about a node, oldest first. */
async function decisionsOf({ id }: NodeRow): Promise<readonly string[]> {
  const sql = 'SELECT kind, reason FROM lb_decision WHERE node_id = ? ORDER BY round, created_at';
  const rows = await world.ground.db.query<{ kind: string; reason: string }>(sql, [id]);
  return rows.map(({ kind, reason }) => `${kind}: ${reason}`);
}

async function untilReplaced(node: NodeRow): Promise<void> {
  await waitFor('the replacement', async () => {
    const [one, others] = [await now(node), await serving()];
    return one?.state === 'REPLACED' && others.length === 2;
  });
}

async function untilBack(node: NodeRow): Promise<void> {
  await waitFor('the old node', async () => {
    const nodes = await world.nodes(balancerId);
    return nodes.length === 2 && nodes.some(({ id, state }) => id === node.id && state === 'SERVING');
  });
}

test('a HAProxy that its host could not keep up counts as down at once, and is replaced', async () => {
  const [first] = await make(2);
  await waitFor('its end', async () => {
    await world.signal(first, 'SIGKILL');
    return (await now(first))?.state === 'REPLACED';
  });
  expect(await decisionsOf(first)).toEqual([
    expect.stringMatching(/^REPLACE: (its HAProxy ended|its health checks fail)/),
  ]);
  await waitFor('the report', async () => {
    await world.signal(first, 'SIGKILL');
    return (await now(first))?.givenUp;
  });
  await waitFor('the new node', async () => (await serving()).length === 2);
  await waitFor(
    'the answer',
    async () => (await world.answer(balancerId)).join() === addresses(await serving()).join(),
  );
}, 90_000);

test('a flapping node is let back once, and then no more, even when healthy', async () => {
  const [first] = await make(2);
  await world.signal(first, 'SIGSTOP');
  await untilReplaced(first);
  await world.signal(first, 'SIGCONT');
  await untilBack(first);
  await world.signal(first, 'SIGSTOP');
  await untilReplaced(first);
  await world.signal(first, 'SIGCONT');
  await waitFor('its health', async () => (await now(first))?.operatingStatus === 'ONLINE');
  // The plan for a healthy node that may not return has nothing to do.
  await world.untilActive(balancerId);
  expect(await now(first)).toMatchObject({ state: 'REPLACED', operatingStatus: 'ONLINE' });
  expect(await world.answer(balancerId)).not.toContain(first.address);
  await timeIsOver(world.ground, first);
  await waitFor('its end', async () => (await now(first)) === undefined);
  expect(await decisionsOf(first)).toEqual([
    ...['REPLACE: its health checks fail', 'TAKE_BACK: it is healthy again', 'REPLACE: its health checks fail'],
    'DELETE: it failed too often to be taken back',
  ]);
}, 90_000);

test('if a host is back in time, its node takes its place again, and the new one is removed', async () => {
  const [first, second] = await make(2);
  const host = world.hostOf(first);
  await world.loseHost(host);
  await untilReplaced(first);
  await world.addHost(host.name);
  await untilBack(first);
  await world.untilActive(balancerId);
  expect(await world.answer(balancerId)).toEqual(addresses([first, second]));
  expect((await decisionsOf(first)).map((text) => text.split(':')[0])).toEqual(['REPLACE', 'TAKE_BACK']);
}, 90_000);

test('if a host is back too late, its node is deleted there too', async () => {
  const [first] = await make(2);
  const host = world.hostOf(first);
  await world.loseHost(host);
  await untilReplaced(first);
  await timeIsOver(world.ground, first);
  await waitFor('the decision', async () => (await now(first))?.state !== 'REPLACED');
  await world.addHost(host.name);
  await waitFor('its end', async () => (await now(first)) === undefined);
  await waitFor('nothing of it is left', () => host.host?.nodeCount === 0);
  expect((await decisionsOf(first)).map((text) => text.split(':')[0])).toEqual(['REPLACE', 'DELETE']);
  expect(await world.answer(balancerId)).toEqual(addresses(await serving()));
}, 90_000);

test('the breaker closes when fewer nodes are down, and then the one still down is replaced', async () => {
  const nodes = await make(4);
  const [first] = nodes;
  const other = nodes.find(({ hostId }) => hostId !== first.hostId) as NodeRow;
  await world.signal([first, other], 'SIGSTOP');
  await waitFor('the breaker', async () =>
    /down together/.test((await world.balancer(balancerId)).provisioningReason ?? ''),
  );
  expect(await world.answer(balancerId)).toEqual(addresses(nodes));
  expect((await serving()).map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
  await world.signal(other, 'SIGCONT');
  await waitFor('the replacement', async () => {
    const all = await serving();
    return all.length === 4 && (await now(first))?.state === 'REPLACED';
  });
  expect(await now(other)).toMatchObject({ state: 'SERVING', operatingStatus: 'ONLINE' });
  await waitFor(
    'the answer',
    async () => (await world.answer(balancerId)).join() === addresses(await serving()).join(),
  );
  await world.signal(first, 'SIGCONT');
}, 90_000);
