// Leaving nodes with real client sessions. A drain lasts until the last session has ended, at most until its deadline.
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { encodeId } from '../../../../../platform/values/ids.ts';
import { usualHealing } from '../../../../../subgraphs/loadbalancer/rules/plan-input.ts';
import type { NodeRow } from '../../../../../subgraphs/loadbalancer/rules/rows.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { LbWorld } from '../../support/lb-world.ts';
import { streamMember } from '../../support/members.ts';
import { timeIsOver } from '../../support/time-is-over.ts';

const nodeDrainMs = 3_600_000;
let world: LbWorld;
let echo: Awaited<ReturnType<typeof streamMember>>;
let balancerId: string;
let node: NodeRow;
let port: number;
let count = 0;
const clients: Client[] = [];

interface Client {
  readonly socket: Socket;
  /** The answer so far. */
  got: string;
  closed: boolean;
}

beforeAll(async () => {
  // Longer than any test, so a node that is gone was gone before its deadline.
  world = await LbWorld.open({ dns: true, settings: { nodeDrainMs } });
  echo = await streamMember((socket) => socket.pipe(socket));
  for (const name of ['host-1', 'host-2']) await world.addHost(name);
  await waitFor('hosts', () => world.link.connected === 2);
}, 60_000);

afterAll(async () => {
  await world.close();
  await echo.stop();
});

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy();
  await world.balancers.delete(world.context, { id: encodeId('LoadBalancer', balancerId) });
  await waitFor('DELETED', async () => (await world.balancer(balancerId)).provisioningStatus === 'DELETED');
}, 60_000);

/** Creates one node that forwards streams. Another one replaces it when `replace` is called. */
async function make(): Promise<void> {
  count += 1;
  port = await freePort();
  balancerId = await world.create(`stream${count}`, 1, port, [], {
    listeners: [{ protocol: 'TCP', port, defaultPool: 'echo', clientTimeoutMs: 600_000, memberTimeoutMs: 600_000 }],
    pools: [{ name: 'echo', memberProtocol: 'TCP', members: [{ host: '127.0.0.1', port: echo.port }] }],
  });
  await world.untilActive(balancerId);
  const [first] = await world.nodes(balancerId);
  if (first === undefined) throw new Error('a node was wanted');
  node = first;
}

async function replace(): Promise<void> {
  const { userErrors } = await world.nodeService.replace(world.context, {
    id: encodeId('LoadBalancerNode', node.id),
  });
  expect(userErrors).toEqual([]);
}

/** Opens a session that has transferred data. */
async function client(): Promise<Client> {
  const socket = connect(port, node.address ?? '');
  const one: Client = { socket, got: '', closed: false };
  clients.push(one);
  socket.on('data', (chunk) => (one.got += String(chunk))).on('error', () => undefined);
  socket.on('close', () => (one.closed = true));
  await says(one, 'hello ');
  return one;
}

async function says(one: Client, word: string): Promise<void> {
  const before = one.got;
  one.socket.write(word);
  await waitFor('the echo', () => one.got === before + word);
}

const present = async () => (await world.nodes(balancerId)).find(({ id }) => id === node.id);

function untilSessions(sessions: number): Promise<unknown> {
  return waitFor(`${sessions} sessions`, async () => (await present())?.sessions === sessions);
}

test('without sessions a drain ends long before its deadline', async () => {
  await make();
  await replace();
  await waitFor('the end of the node', async () => (await present()) === undefined);
  expect((await world.nodes(balancerId)).map(({ state }) => state)).toEqual(['SERVING']);
}, 60_000);

test('a session holds a drain, which ends with the last one', async () => {
  await make();
  const [first, second] = [await client(), await client()];
  await replace();
  await untilSessions(2);
  expect(await present()).toMatchObject({ state: 'DRAINING', deleteAt: expect.any(Date) });
  first.socket.end();
  await untilSessions(1);
  // That report triggers another reconciliation, and the node stays.
  await says(second, 'still here');
  expect(await present()).toMatchObject({ state: 'DRAINING', sessions: 1 });
  second.socket.end();
  await waitFor('the end of the node', async () => (await present()) === undefined);
}, 60_000);

test('a session holds a drain until its deadline, and not longer', async () => {
  await make();
  const [first, second] = [await client(), await client()];
  await replace();
  await untilSessions(2);
  await says(first, 'still here');
  // Its host is not awaited any more, so the deadline is final.
  await waitFor('the deadline', async () => {
    const leftMs = Number((await present())?.deleteAt?.getTime()) - Date.now();
    return leftMs < nodeDrainMs + usualHealing.hostGoneMs / 2;
  });
  // As if the time were over.
  await timeIsOver(world.ground, node);
  second.socket.end();
  await waitFor('the end of the node', async () => (await present()) === undefined);
  await waitFor('the end of its session', () => first.closed);
}, 60_000);

test('found by trial lb-changes: the drain time begins when the host, which was away, drains the node', async () => {
  await make();
  const held = await client();
  const host = world.hostOf(node);
  await world.stopHost(host);
  await replace();
  await waitFor('the drain', async () => (await present())?.deleteAt != null);
  expect(await present()).toMatchObject({ state: 'DRAINING', sessions: null });
  await says(held, 'still here');
  const [{ now } = { now: new Date(0) }] = await world.ground.db.query<{ now: Date }>('SELECT NOW(3) AS now');
  const soonest = now.getTime() + nodeDrainMs;
  await world.addHost(host.name);
  await untilSessions(1);
  const leftAfter = async () => Number((await present())?.deleteAt?.getTime()) - soonest;
  expect(await leftAfter()).toBeGreaterThan(0);
  // Its host is not awaited any more.
  await waitFor('the deadline', async () => (await leftAfter()) < usualHealing.hostGoneMs / 2);
  await says(held, 'and here');
  expect(await leftAfter()).toBeGreaterThan(0);
  held.socket.end();
  await waitFor('the end of the node', async () => (await present()) === undefined);
}, 60_000);
