// Nodes that fail, come back, or are lost with their hosts, with real HAProxies, checks and name server.
import { afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld } from '../../support/lb-world.ts';
import { timeIsOver } from '../../support/time-is-over.ts';

const world = forFile(() => LbWorld.open({ dns: true, settings: { nodeDrainMs: 500, hostGoneMs: 3_000 } }));
let balancerId: string;
let count = 0;

beforeAll(async () => {
  for (const name of ['host-1', 'host-2', 'host-3']) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 3);
}, 60_000);

/** Nothing remains after each test. */
afterEach(async () => {
  await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancerId) });
  await waitFor('DELETED', async () => (await world.balancer(balancerId)).provisioningStatus === 'DELETED');
  const left = await world.ground.db.query<{ n: number }>(
    `SELECT COUNT(*) AS n FROM lb_address WHERE freed_at IS NULL UNION ALL SELECT COUNT(*) FROM lb_decision UNION ALL SELECT COUNT(*) FROM lb_member_status
    UNION ALL SELECT COUNT(*) FROM lb_node WHERE state <> 'DELETED'`,
  );
  expect(left.map(({ n }) => Number(n))).toEqual([0, 0, 0, 0]);
  expect(await world.answer(balancerId)).toEqual([]);
  expect([...world.hosts.values()].map(({ host }) => host?.nodeCount ?? 0)).toEqual([0, 0, 0]);
}, 60_000);

async function make(nodes: number): Promise<readonly NodeRow[]> {
  count += 1;
  balancerId = await world.create(`web${count}`, nodes, await freePort());
  await world.untilActive(balancerId);
  return world.nodes(balancerId);
}

const states = async () => (await world.nodes(balancerId)).map(({ state }) => state);
const addresses = (nodes: readonly NodeRow[]) => nodes.map(({ address }) => address ?? '').sort();

async function eventsOf(subjectId: string, kind: string): Promise<readonly string[]> {
  const sql = 'SELECT to_status AS `to` FROM status_change WHERE subject_id = ? AND kind = ? ORDER BY id';
  return (await world.ground.db.query<{ to: string }>(sql, [subjectId, kind])).map(({ to }) => to);
}

/** The texts about a node that a user reads: each status with its reason. */
async function storyOf(subjectId: string): Promise<readonly string[]> {
  const sql =
    'SELECT to_status AS `to`, reason FROM status_change WHERE subject_id = ? AND reason IS NOT NULL ORDER BY id';
  const rows = await world.ground.db.query<{ to: string; reason: string }>(sql, [subjectId]);
  return rows.map(({ to, reason }) => `${to}: ${reason}`);
}

test('a node is created step by step; its address is in DNS before it counts as serving', async () => {
  const nodes = await make(2);
  expect(new Set(nodes.map(({ hostId }) => hostId)).size).toBe(2);
  for (const { id } of nodes) {
    const steps = await eventsOf(id, 'loadBalancerNode.step');
    expect(steps).toEqual(['PLACED', 'MADE', 'CONFIGURED', 'CHECKED', 'IN_DNS']);
    expect(await eventsOf(id, 'loadBalancerNode.state')).toEqual(['BUILDING', 'SERVING']);
  }
  expect(await world.answer(balancerId)).toEqual(addresses(nodes));
}, 60_000);

test('a node that hangs is replaced; if it recovers in time it takes its place back, and the new one is removed', async () => {
  const [first, second] = await make(2);
  if (first === undefined || second === undefined) throw new Error('two nodes were wanted');
  await world.signal(first, 'SIGSTOP');
  await waitFor('the replacement', async () => {
    const now = await states();
    return now.filter((state) => state === 'SERVING').length === 2 && now.includes('REPLACED');
  });
  const [, , third] = await world.nodes(balancerId);
  expect(third).toMatchObject({ state: 'SERVING', replacesId: first.id });
  expect(third?.hostId).not.toBe(first.hostId);
  expect(await world.answer(balancerId)).toEqual(addresses([second, third as NodeRow]));
  await world.signal(first, 'SIGCONT');
  await waitFor('the old node', async () => (await world.nodes(balancerId)).length === 2);
  expect((await world.nodes(balancerId)).map(({ id, state }) => [id, state])).toEqual([
    [first.id, 'SERVING'],
    [second.id, 'SERVING'],
  ]);
  await world.untilActive(balancerId);
  expect(await world.answer(balancerId)).toEqual(addresses([first, second]));
  expect(await eventsOf(first.id, 'loadBalancerNode.decision')).toEqual(['REPLACE', 'TAKE_BACK']);
  const { hostName } = await world.balancer(balancerId);
  await waitFor('it is in DNS again', async () => (await storyOf(first.id)).at(-1)?.startsWith('IN:'));
  expect(await storyOf(first.id)).toEqual([
    ...[`PLACED: its address is ${first.address}`, `IN_DNS: ${first.address} added to ${hostName}`],
    ...[expect.stringMatching(/^ERROR: no answer within \d+ ms$/), 'REPLACE: its health checks fail'],
    ...['REPLACED: its health checks fail', `OUT: ${first.address} removed from ${hostName}`],
    ...['TAKE_BACK: it is healthy again', 'SERVING: it is healthy again', `IN: ${first.address} added to ${hostName}`],
  ]);
  expect(await storyOf(third?.id ?? '')).toEqual([
    ...[`BUILDING: it replaces ${first.name}`, `PLACED: its address is ${third?.address}`],
    ...[
      `IN_DNS: ${third?.address} added to ${hostName}`,
      `DRAINING: ${first.name}, which it replaced, is healthy again`,
    ],
    ...[`OUT: ${third?.address} removed from ${hostName}`, 'DRAINING: out of DNS; its sessions may last 0.5 s longer'],
    `DELETING: ${first.name}, which it replaced, is healthy again`,
  ]);
}, 60_000);

test('when half of all nodes are gone, nothing is replaced, DNS keeps its answer, and this is reported', async () => {
  const nodes = await make(4);
  const [first] = nodes;
  const other = nodes.find(({ hostId }) => hostId !== first?.hostId);
  const gone = [first, other].filter((node) => node !== undefined);
  await world.signal(gone, 'SIGSTOP');
  await waitFor('the breaker', async () =>
    /down together/.test((await world.balancer(balancerId)).provisioningReason ?? ''),
  );
  expect(await world.answer(balancerId)).toEqual(addresses(nodes));
  expect(await states()).toEqual(['SERVING', 'SERVING', 'SERVING', 'SERVING']);
  await world.signal(gone, 'SIGCONT');
  await world.untilActive(balancerId);
  expect((await world.nodes(balancerId)).map(({ id }) => id)).toEqual(nodes.map(({ id }) => id));
  const told = async () => {
    const sql = "SELECT to_status AS `to` FROM status_change WHERE kind = 'loadBalancerHealing.state' ORDER BY id";
    return (await world.ground.db.query<{ to: string }>(sql)).map(({ to }) => to).join();
  };
  await waitFor('the end of the breaker', async () => (await told()) === 'STOPPED,WORKING');
}, 60_000);

test('when a host is lost for good, its nodes are created elsewhere, and are reported gone when it comes back', async () => {
  const [first, second] = await make(2);
  if (first === undefined || second === undefined) throw new Error('two nodes were wanted');
  const host = world.hostOf(first);
  await world.loseHost(host);
  await waitFor('the replacement', async () => {
    const now = await states();
    return now.filter((state) => state === 'SERVING').length === 2 && now.includes('REPLACED');
  });
  const [, , third] = await world.nodes(balancerId);
  expect(third?.hostId).not.toBe(first.hostId);
  // As if it had been away longer than the wait.
  await timeIsOver(world.ground, first);
  await waitFor('the end of the old node', async () => (await world.nodes(balancerId)).length === 2);
  await world.addHost(host.name);
  await waitFor('the host', () => world.link.connected === 3);
  await waitFor('nothing of it is left', () => host.host?.nodeCount === 0);
}, 60_000);

test('a load balancer can be deleted while its nodes are created, and while its host is away', async () => {
  count += 1;
  balancerId = await world.create(`web${count}`, 3, await freePort());
}, 60_000);

test('when a host restarts, its nodes keep serving, and nothing is replaced', async () => {
  const [first, second] = await make(2);
  if (first === undefined || second === undefined) throw new Error('two nodes were wanted');
  const host = world.hostOf(first);
  await world.stopHost(host);
  await waitFor('the lost connection', async () => {
    const [row] = await world.ground.db.query<{ presence: string }>('SELECT presence FROM lb_host WHERE id = ?', [
      first.hostId,
    ]);
    return row?.presence === 'ABSENT';
  });
  await world.addHost(host.name);
  await waitFor('the host', () => world.link.connected === 3);
  expect((await world.nodes(balancerId)).map(({ id, state }) => [id, state])).toEqual([
    [first.id, 'SERVING'],
    [second.id, 'SERVING'],
  ]);
}, 60_000);

test('all nodes are replaced on request one after the other, with the same number serving all the time', async () => {
  const before = await make(2);
  const outcome = await world.nodeService.failover(world.context, { id: encodeId('LoadBalancer', balancerId) });
  expect(outcome.userErrors).toEqual([]);
  const old = new Set(before.map(({ id }) => id));
  await waitFor('new nodes', async () => {
    const now = await world.nodes(balancerId);
    expect(now.filter(({ state }) => state === 'SERVING').length).toBeGreaterThanOrEqual(2);
    return now.length === 2 && now.every(({ id }) => !old.has(id));
  });
  await world.untilActive(balancerId);
  expect(await world.answer(balancerId)).toEqual(addresses(await world.nodes(balancerId)));
  for (const id of old) expect(await eventsOf(id, 'loadBalancerNode.decision')).toEqual(['REPLACE']);
}, 60_000);

test('an evacuated host has no nodes left, and one node can be replaced alone', async () => {
  const [first, second] = await make(2);
  if (first === undefined || second === undefined) throw new Error('two nodes were wanted');
  const id = encodeId('LoadBalancerHost', first.hostId ?? '');
  const cordon = { id, evacuate: true };
  expect((await world.hostService.setCordon(world.context, cordon)).userErrors).toEqual([]);
  await waitFor('the evacuation', async () => {
    const now = await world.nodes(balancerId);
    return now.length === 2 && now.every(({ hostId }) => hostId !== first.hostId);
  });
  await world.hostService.liftCordon(world.context, { id });
  const one = encodeId('LoadBalancerNode', second.id);
  expect((await world.nodeService.replace(world.context, { id: one })).userErrors).toEqual([]);
  await waitFor('the replacement', async () => {
    const now = await world.nodes(balancerId);
    return now.length === 2 && now.every((node) => node.id !== second.id);
  });
  expect((await world.nodeService.replace(world.context, { id: one })).userErrors).toMatchObject([
    { code: 'NOT_FOUND' },
  ]);
}, 60_000);
