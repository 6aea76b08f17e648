// A node that is full of clients is not down. It answers its health checks, whichever listeners the clients use.
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember } from '../../../support/members.ts';

const most = 20;
let node: HaproxyNode;
let echo: Awaited<ReturnType<typeof streamMember>>;
let clients: Client[];

beforeEach(async () => {
  node = await HaproxyNode.make({ size: { connections: most, threads: 1 } });
  echo = await streamMember((socket) => socket.pipe(socket));
  clients = [];
});
afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await node.stop();
  await echo.stop();
});

interface Client {
  readonly socket: Socket;
  served: boolean;
  closed: boolean;
}

function client(port: number): Client {
  const made: Client = { socket: connect(port, '127.0.0.1'), served: false, closed: false };
  made.socket.on('error', () => undefined).on('close', () => (made.closed = true));
  made.socket.on('data', () => (made.served = true)).write('x');
  clients.push(made);
  return made;
}

const isHealthy = async () => (await ask(node.healthPort, { path: '/health' })).status === 200;
const served = () => clients.filter((each) => each.served && !each.closed).length;

async function streams(count: number): Promise<readonly number[]> {
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.member(pool, echo.port);
  const ports: number[] = [];
  for (let n = 0; n < count; n += 1) ports.push((await node.listener({ protocol: 'TCP', defaultPool: pool.id })).port);
  await node.start();
  return ports;
}

test('with one listener, further clients wait until others have left', async () => {
  const [port = 0] = await streams(1);
  for (let n = 0; n < most + 5; n += 1) client(port);
  await waitFor('all that fit', () => served() === most);
  for (let n = 0; n < 5; n += 1) expect(await isHealthy()).toBe(true);
  expect(served()).toBe(most);
  for (const each of clients.slice(0, 5)) each.socket.destroy();
  await waitFor('those that waited', () => clients.every((each) => each.served));
}, 30_000);

test('several listeners share the connections of the node', async () => {
  const [one = 0, two = 0] = await streams(2);
  for (let n = 0; n < most - 5; n += 1) client(one);
  await waitFor('the first ones', () => served() === most - 5);
  const more = Array.from({ length: 10 }, () => client(two));
  await waitFor('their answers', () => more.every((each) => each.served || each.closed));
  expect(more.map(({ closed }) => closed).filter(Boolean)).toHaveLength(5);
  expect(served()).toBe(most);
  for (let n = 0; n < 5; n += 1) expect(await isHealthy()).toBe(true);
  for (const each of clients.slice(0, 5)) each.socket.destroy();
  await waitFor('room', async () => {
    const next = client(two);
    await waitFor('its answer', () => next.served || next.closed);
    return next.served;
  });
}, 30_000);
