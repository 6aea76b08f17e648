// Connections to the endpoint are limited, in total and per network. Connections in use by a logged-in user stay open.
// needs: processes
import { createConnection, type Socket } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import type { GatewayOptions } from '../../../gateway/gateway.ts';
import { until } from '../../support/machine/temporary-folder.ts';
import { Collector, TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let opened: Socket[] = [];

afterEach(async () => {
  for (const socket of opened) socket.destroy();
  opened = [];
  await gateway.stop();
});

async function start(options: Partial<GatewayOptions> = {}): Promise<void> {
  gateway = await new TestGateway('in-process').start({
    connectionLimits: { most: 30, mostOfNetwork: 10 },
    ...options,
  });
}

/** Opens this many connections, one after another, and sends the first line on each. */
async function connect(count: number, firstLine = ''): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  for (let n = 0; n < count; n += 1) {
    const socket = createConnection({ host: '127.0.0.1', port: gateway.gateway.port });
    socket.on('error', () => {}).resume();
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write(firstLine);
    sockets.push(socket);
  }
  opened.push(...sockets);
  return sockets;
}

/** Indexes of the sockets that were closed without an answer. A slow socket still gets an answer. */
const cutOff = (sockets: readonly Socket[]) =>
  sockets.flatMap(({ closed, bytesRead }, place) => (closed && bytesRead === 0 ? [place] : []));
const first = (count: number) => Array.from({ length: count }, (_item, place) => place);

test('of one network: the oldest is closed, and a user is served', async () => {
  await start();
  const silent = await connect(25);
  await until(() => cutOff(silent).length >= 15 || silent.some(({ bytesRead }) => bytesRead > 0));
  expect(cutOff(silent)).toEqual(first(15));
  expect((await gateway.query('{ caller }')).body.data).toEqual({ caller: 'ann' });
});

test('of a trusted proxy, which has many clients: only the total is limited', async () => {
  await start({ trustedProxies: ['127.0.0.1'] });
  const silent = await connect(40);
  await until(() => cutOff(silent).length >= 10 || silent.some(({ bytesRead }) => bytesRead > 0));
  expect(cutOff(silent)).toEqual(first(10));
  expect((await gateway.query('{ caller }')).body.data).toEqual({ caller: 'ann' });
});

test('of a network behind a proxy with the PROXY protocol', async () => {
  await start({ trustedProxies: ['127.0.0.1'], proxyProtocol: true });
  const header = (address: string) => `PROXY TCP4 ${address} 192.0.2.100 40000 4000\r\n`;
  const other = await connect(1, header('192.0.2.2'));
  const silent = await connect(15, header('192.0.2.1'));
  await until(() => cutOff(silent).length >= 5 || silent.some(({ bytesRead }) => bytesRead > 0));
  expect([cutOff(silent), cutOff(other)]).toEqual([first(5), []]);
});

test('in use by a logged-in user stay open, however many others arrive', async () => {
  await start();
  const socket = new Collector(gateway.client(), 'subscription { thingChanges { cursor thing { id } } }');
  await until(() => socket.items.length > 0);
  const slow = gateway.query('{ slow }');
  await until(() => gateway.world.calls.get('slow') === 1);
  const silent = await connect(50);
  await until(() => cutOff(silent).length >= 40 || silent.some(({ bytesRead }) => bytesRead > 0));
  expect(cutOff(silent)).toEqual(first(40));
  gateway.world.release();
  expect((await slow).status).toBe(200);
  gateway.world.log.append('a');
  await until(() => socket.ids.length === 1);
  expect(socket.done).toBe(false);
});

test('when users need all of them, a further one is closed at once', async () => {
  await start({ connectionLimits: { most: 2, mostOfNetwork: 10 } });
  for (const bearer of ['token-ann', 'token-bob']) {
    const socket = new Collector(gateway.client(bearer), 'subscription { thingChanges { cursor } }');
    await until(() => socket.items.length > 0);
  }
  const [late] = await connect(1);
  await until(() => late?.closed === true);
  expect(late?.bytesRead).toBe(0);
});

test('a client that does not read its answers is disconnected', async () => {
  await start({ connectionLimits: { readWithinMs: 2_000, slowestBytesPerSecond: 1e9 } });
  // The answer has about 2 MB.
  const query = `{ things(first: 9000) { nodes { ${'x'.repeat(200)}: id } } }`;
  const search = new URLSearchParams({ query }).toString();
  const headers = 'Host: x\r\nAuthorization: Bearer token-ann\r\nApollo-Require-Preflight: 1\r\n';
  // The answer exceeds the kernel buffers of both ends. Otherwise it would be sent completely.
  const [client] = await connect(1);
  client?.pause();
  for (let n = 0; n < 20; n += 1) client?.write(`GET /graphql?${search} HTTP/1.1\r\n${headers}\r\n`);
  expect((await gateway.query(query)).body.errors).toBeUndefined();
  // The client notices the end only when it sends something.
  await until(() => {
    client?.write('\r\n');
    return client?.closed !== false;
  });
  expect((await gateway.query('{ caller }')).status).toBe(200);
});
