// The rules and settings of a listener: clients, connections, times, headers, WebSocket, IPv6, and the access log.
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { LogReader } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/log-reader.ts';
import { configurationText } from '../../../../../../subgraphs/loadbalancer/rules/haproxy/model.ts';
import { stays, waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember, type TestMember, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let web: TestMember;

beforeEach(async () => {
  node = await HaproxyNode.make();
  web = await webMember('web');
});
afterEach(async () => {
  await node.stop();
  await web.stop();
});

test('allowed blocks of clients change without a reload', async () => {
  const pool = node.pool();
  node.member(pool, web.port);
  const listener = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect((await ask(listener.port)).status).toBe(200);
  for (const [allowedCidrs, admitted] of [
    [['10.0.0.0/8', '2001:db8::/32'], false],
    [['10.0.0.0/8', '127.0.0.0/8'], true],
    [['127.0.0.2/32'], false],
    [[], true],
  ] as const) {
    node.change(listener, { allowedCidrs });
    expect((await node.apply()).reloaded).toBe(false);
    const answer = await ask(listener.port).then(
      ({ status }) => status,
      () => 'closed',
    );
    expect([allowedCidrs, answer]).toEqual([allowedCidrs, admitted ? 200 : 'closed']);
  }
}, 60_000);

test('connections beyond the limit wait', async () => {
  const pool = node.pool();
  node.member(pool, web.port);
  const { port } = await node.listener({ defaultPool: pool.id, connectionLimit: 1 });
  await node.start();
  const first = connect(port, '127.0.0.1');
  first.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\n');
  await waitFor('the first request', async () => web.asked.length === 1);
  const second = ask(port, { path: '/second' });
  // HAProxy forwards an accepted request within a few milliseconds.
  await stays('the second one waits', 300, () => web.asked.length === 1);
  expect(web.asked.map(({ url }) => url)).toEqual(['/first']);
  first.destroy();
  expect((await second).status).toBe(200);
}, 30_000);

test('a member that is silent for too long gives 504, one that does not accept gives 503, and a silent client is closed', async () => {
  const silent = await streamMember(() => undefined);
  const pool = node.pool();
  node.member(pool, silent.port);
  const { port } = await node.listener({ defaultPool: pool.id, memberTimeoutMs: 300, clientTimeoutMs: 500 });
  const nobody = node.pool();
  const empty = await node.listener({ defaultPool: nobody.id });
  await node.start();
  expect((await ask(port, { method: 'POST', body: 'x' })).status).toBe(504);
  expect((await ask(empty.port)).status).toBe(503);
  const client = connect(port, '127.0.0.1');
  client.write('GET / HT');
  const closed = new Promise<string>((resolve) => {
    let text = '';
    client.on('data', (chunk) => (text += chunk)).on('close', () => resolve(text));
  });
  expect(await closed).toMatch(/^HTTP\/1.1 408/);
  await silent.stop();
}, 30_000);

test('a stream with a client or member that is silent for too long is closed; an active one stays', async () => {
  const echo = await streamMember((socket) => socket.pipe(socket));
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.member(pool, echo.port);
  const times = { memberTimeoutMs: 1_500, clientTimeoutMs: 1_500 };
  const { port } = await node.listener({ protocol: 'TCP', defaultPool: pool.id, ...times });
  await node.start();
  const stream = () => {
    const socket = connect(port, '127.0.0.1').on('error', () => undefined);
    const state = { closed: false, echoed: 0, socket };
    socket.on('data', ({ length }) => (state.echoed += length)).on('close', () => (state.closed = true));
    socket.write('x');
    return state;
  };
  const [silent, used] = [stream(), stream()];
  const beat = setInterval(() => used.socket.write('x'), 100);
  try {
    await waitFor('the end of the silent one', () => silent.closed);
    expect([silent.echoed, used.closed]).toEqual([1, false]);
    expect(used.echoed).toBeGreaterThan(5);
  } finally {
    clearInterval(beat);
    used.socket.destroy();
    await echo.stop();
  }
}, 30_000);

test('a client may be silent between two requests for as long as its listener says', async () => {
  const pool = node.pool();
  node.member(pool, web.port);
  // The timeout for a request to arrive is ten seconds.
  const { port } = await node.listener({ defaultPool: pool.id, clientTimeoutMs: 12_000 });
  await node.start();
  const client = connect(port, '127.0.0.1').on('error', () => undefined);
  let [answers, closedAfterMs] = [0, 0];
  client.on('data', (chunk) => (answers += String(chunk).split('HTTP/1.1 200').length - 1));
  client.write('GET / HTTP/1.1\r\nHost: test\r\n\r\n');
  await waitFor('the first answer', () => answers === 1);
  const sinceMs = performance.now();
  client.on('close', () => (closedAfterMs = performance.now() - sinceMs));
  await waitFor('the end', () => closedAfterMs > 0);
  expect(closedAfterMs).toBeGreaterThan(11_500);
}, 40_000);

test('no request sets a timeout if all listeners share the same one for members; different ones work in the same pool', async () => {
  const silent = await streamMember(() => undefined);
  const pool = node.pool();
  node.member(pool, silent.port);
  const [one, two] = [
    await node.listener({ defaultPool: pool.id, memberTimeoutMs: 300 }),
    await node.listener({ defaultPool: pool.id, memberTimeoutMs: 300 }),
  ];
  await node.start();
  expect(configurationText(node.model())).not.toContain('member_timeout');
  for (const { port } of [one, two]) expect((await ask(port, { method: 'POST' })).status).toBe(504);
  node.change(two, { memberTimeoutMs: 600_000 });
  await node.apply();
  let longer: number | undefined;
  void ask(two.port, { method: 'POST' }).then(
    ({ status }) => (longer = status),
    () => undefined,
  );
  for (let n = 0; n < 3; n += 1) expect((await ask(one.port, { method: 'POST' })).status).toBe(504);
  expect(longer).toBeUndefined();
  await silent.stop();
}, 30_000);

test("inserted headers belong to the load balancer: a client can't forge them", async () => {
  const pool = node.pool();
  node.member(pool, web.port);
  const { port } = await node.listener({
    defaultPool: pool.id,
    insertHeaders: ['X_FORWARDED_FOR', 'X_FORWARDED_PORT', 'X_FORWARDED_PROTO'],
  });
  await node.start();
  await ask(port, {
    headers: {
      ...{
        'x-forwarded-for': '6.6.6.6',
        'X-FORWARDED-PORT': '1',
        'x-forwarded-proto': 'https',
      },
      x_forwarded_for: '6.6.6.6',
      'x-forwarded_for': '6.6.6.6',
      'X_Forwarded-Proto': '6.6.6.6',
      'x-forwarded-host': 'kept',
    },
  });
  const headers = web.asked[0]?.headers ?? {};
  expect(headers).toMatchObject({
    'x-forwarded-for': '127.0.0.1',
    'x-forwarded-port': String(port),
    'x-forwarded-proto': 'http',
    'x-forwarded-host': 'kept',
  });
  expect(JSON.stringify(headers)).not.toMatch(/6\.6\.6\.6/);
}, 30_000);

test('a WebSocket passes, and survives a reload', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  sockets.on('connection', (socket) => socket.on('message', (text) => socket.send(`echo ${text}`)));
  await new Promise((resolve) => sockets.once('listening', resolve));
  const pool = node.pool();
  node.member(pool, (sockets.address() as { port: number }).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  await new Promise((resolve, reject) => client.once('open', resolve).once('error', reject));
  const echoed = (text: string) =>
    new Promise<string>((resolve) => {
      client.once('message', (data) => resolve(String(data)));
      client.send(text);
    });
  expect(await echoed('one')).toBe('echo one');
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  expect(await echoed('two')).toBe('echo two');
  client.terminate();
  sockets.close();
}, 30_000);

test('IPv6 works for clients and members', async () => {
  await node.stop();
  node = await HaproxyNode.make({ address: '::1' });
  const six = await webMember('six', { host: '::1' });
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  node.member(pool, six.port, { host: '::1' });
  const listener = await node.listener({ defaultPool: pool.id, insertHeaders: ['X_FORWARDED_FOR'] });
  const stream = await streamMember((socket) => socket.end('six'), '::1');
  const tcp = node.pool({ memberProtocol: 'TCP' });
  node.member(tcp, stream.port, { host: '::1' });
  const raw = await node.listener({ protocol: 'TCP', defaultPool: tcp.id, allowedCidrs: ['::1/128'] });
  await node.start();
  expect((await ask(listener.port, { origin: `http://[::1]:${listener.port}` })).text).toBe('six');
  expect(six.asked[0]?.headers['x-forwarded-for']).toBe('::1');
  const text = await new Promise((resolve) => connect(raw.port, '::1').on('data', (chunk) => resolve(String(chunk))));
  expect(text).toBe('six');
  await six.stop();
  await stream.stop();
}, 30_000);

test('the access log has a JSON object for each sampled request, whatever the request contains', async () => {
  const lines: string[] = [];
  const log = new LogReader({
    path: join(node.folder, 'run.sock'),
    transition: () => undefined,
    access: (line) => lines.push(line),
  });
  log.start();
  const pool = node.pool();
  const member = node.member(pool, web.port);
  const listener = await node.listener({ defaultPool: pool.id, accessLogPercent: 100 });
  await node.start();
  const client = connect(listener.port, '127.0.0.1');
  client.write('GET /a"b\\c]d}{%20?secret=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  await new Promise((resolve) => client.on('close', resolve).resume());
  await waitFor('a line', async () => lines.length === 1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({
    ...{ client: '127.0.0.1', listener: `l_${listener.id}`, pool: `p_${pool.id}`, member: `m_${member.id}` },
    ...{ method: 'GET', status: 200, path: expect.stringMatching(/^\/a.*c\]d/) },
  });
  expect(lines[0]).not.toContain('secret');
  node.change(listener, { accessLogPercent: 0 });
  await node.apply();
  await ask(listener.port);
  node.change(listener, { accessLogPercent: 100 });
  await node.apply();
  await ask(listener.port, { path: '/last' });
  await waitFor('a line', async () => lines.length >= 2);
  expect(lines.map((line) => JSON.parse(line).path)).toEqual([expect.anything(), '/last']);
  await log.stop();
}, 30_000);
