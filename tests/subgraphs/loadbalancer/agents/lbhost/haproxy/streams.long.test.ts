// Streams, TLS passthrough, the PROXY protocol, TLS to members, and HTTP/2 to members (gRPC).
import { connect as connectHttp2, createServer as createHttp2, createSecureServer as createHttp2Tls } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { connect as connectTls, createServer as createTls } from 'node:tls';
import { expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { forTest } from '../../../../../support/jest/shared.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember, webMember } from '../../../support/members.ts';

const node = forTest(() => HaproxyNode.make());

function said(port: number, text = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    let heard = '';
    const socket = connect(port, '127.0.0.1', () => void socket.write(text));
    socket.on('data', (chunk) => (heard += chunk));
    socket.on('error', reject).on('close', () => resolve(heard));
  });
}

test('a stream passes both ways, and survives a reload', async () => {
  const echo = await streamMember((socket) => void socket.pipe(socket));
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.monitor(pool, { monitorType: 'TCP' });
  node.member(pool, echo.port);
  const { port } = await node.listener({ protocol: 'TCP', defaultPool: pool.id });
  await node.start();
  const socket = connect(port, '127.0.0.1');
  const echoed = (text: string) =>
    new Promise((resolve) => {
      socket.once('data', (chunk) => resolve(String(chunk)));
      socket.write(text);
    });
  expect(await echoed('one')).toBe('one');
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  expect(await echoed('two')).toBe('two');
  socket.destroy();
  await echo.stop();
}, 30_000);

test('a stream from before a reload also ends in time when its member is drained, removed, or dropped by the reload', async () => {
  for (const how of ['drained', 'removed', 'with the reload']) {
    const echo = await streamMember((socket) => void socket.pipe(socket));
    const pool = node.pool({ memberProtocol: 'TCP', drainMs: 1_000 });
    const member = node.member(pool, echo.port);
    const { port } = await node.listener({ protocol: 'TCP', defaultPool: pool.id });
    if (how === 'drained') await node.start();
    else await node.apply();
    const socket = connect(port, '127.0.0.1');
    const ended = new Promise((resolve) => socket.on('error', () => undefined).on('close', resolve));
    const heard = new Promise((resolve) => socket.once('data', resolve));
    socket.write('one');
    await heard;
    if (how === 'with the reload') node.remove(member);
    await node.listener({ protocol: 'TCP' });
    expect((await node.apply()).reloaded).toBe(true);
    if (how === 'drained') node.drain(member, new Date(Date.now() - 1));
    if (how === 'removed') node.remove(member);
    await node.apply();
    await ended;
    await echo.stop();
  }
}, 60_000);

test("the PROXY protocol passes the client's address to members, in both versions", async () => {
  const heard: Buffer[] = [];
  const member = await streamMember((socket) => {
    let all = Buffer.alloc(0);
    socket.on('data', (chunk) => {
      all = Buffer.concat([all, chunk]);
      // The header and the request may arrive in two pieces.
      if (!/GET [\s\S]*\r\n\r\n$/.test(all.toString('latin1'))) return;
      heard.push(all);
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok');
    });
  });
  const listeners = [];
  for (const proxyProtocol of ['V1', 'V2']) {
    const pool = node.pool({ proxyProtocol, memberProtocol: proxyProtocol === 'V1' ? 'TCP' : 'HTTP' });
    node.member(pool, member.port);
    listeners.push(await node.listener({ protocol: proxyProtocol === 'V1' ? 'TCP' : 'HTTP', defaultPool: pool.id }));
  }
  await node.start();
  for (const { port } of listeners) await ask(port, { localAddress: '127.0.0.77' });
  expect(heard[0]?.toString()).toMatch(/^PROXY TCP4 127\.0\.0\.77 127\.0\.0\.1 \d+ \d+\r\nGET /);
  // PROXY protocol, section 2.2: signature, version 2 and command PROXY, TCP over IPv4, then the addresses.
  expect(heard[1]?.subarray(0, 14).toString('hex')).toBe('0d0a0d0a000d0a515549540a2111');
  expect([...(heard[1]?.subarray(16, 20) ?? [])]).toEqual([127, 0, 0, 77]);
  await member.stop();
}, 30_000);

test('TLS passes through unopened, because the member has the certificate', async () => {
  const own = await makeCertificate({ commonName: 'member', names: ['member.test'] });
  const server = createTls({ cert: own.cert, key: own.key }, (socket) => socket.end('inside'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.monitor(pool, { monitorType: 'TLS_HELLO', hostHeader: 'member.test' });
  node.member(pool, (server.address() as AddressInfo).port);
  const { port } = await node.listener({ protocol: 'HTTPS', defaultPool: pool.id });
  await node.start();
  const text = await new Promise((resolve, reject) => {
    const socket = connectTls({ port, host: '127.0.0.1', ca: own.cert, servername: 'member.test' });
    socket.on('data', (chunk) => resolve(String(chunk))).on('error', reject);
  });
  expect(text).toBe('inside');
  server.close();
}, 30_000);

test('TLS to members: their authority and name are checked, and the node presents its certificate', async () => {
  const authority = await makeCertificate({ commonName: 'Inner', use: 'authority' });
  const right = await makeCertificate({ commonName: 'right', names: ['in.test'], issuer: authority });
  const wrongName = await makeCertificate({ commonName: 'wrong', names: ['out.test'], issuer: authority });
  const unsigned = await makeCertificate({ commonName: 'own', names: ['in.test'] });
  const clientAuthority = await makeCertificate({ commonName: 'Nodes', use: 'authority' });
  const own = await makeCertificate({ commonName: 'node', use: 'client', issuer: clientAuthority });
  const members = await Promise.all(
    [right, wrongName, unsigned].map(({ cert, key }, at) => {
      const tls = { cert, key, ca: clientAuthority.cert, requestCert: true, rejectUnauthorized: true };
      return webMember(['right', 'wrong name', 'unsigned'][at] ?? '', { tls });
    }),
  );
  const given = {
    tls: true,
    authorities: authority.cert,
    clientCertificate: node.certificate(`${own.cert}${own.key}`),
  };
  const ports: number[] = [];
  for (const member of members) {
    const pool = node.pool({ ...given, tlsServerName: 'in.test' });
    node.member(pool, member.port);
    ports.push((await node.listener({ defaultPool: pool.id })).port);
  }
  const checked = node.pool({ ...given, tlsServerName: 'in.test' });
  node.monitor(checked, { monitorType: 'HTTPS', path: '/health', hostHeader: 'in.test' });
  for (const member of members) node.member(checked, member.port);
  ports.push((await node.listener({ defaultPool: checked.id })).port);
  await node.start();
  const answers = await Promise.all(ports.map(async (port) => (await ask(port)).text.slice(0, 8)));
  expect(answers).toEqual([
    'right',
    expect.not.stringContaining('wrong'),
    expect.not.stringContaining('unsigned'),
    'right',
  ]);

  // HAProxy applies another authority to existing servers only on a reload.
  const [, , last] = node.parts.filter(({ kind }) => kind === 'Pool');
  if (last !== undefined) node.change(last, { authorities: unsigned.cert });
  expect((await node.apply()).reloaded).toBe(true);
  expect((await ask(ports[2] ?? 0)).text).toBe('unsigned');
  for (const member of members) await member.stop();
}, 60_000);

test('gRPC passes: HTTP/2 from the client to the member, with trailers and both streams open', async () => {
  const server = createHttp2();
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
    stream.on('data', (chunk) => stream.write(`${headers[':path']} ${chunk}`));
    stream.on('end', () => stream.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const own = await makeCertificate({ commonName: 'grpc', names: ['grpc.test'] });
  const pool = node.pool({ memberProtocol: 'HTTP2' });
  node.monitor(pool, { monitorType: 'TCP' });
  node.member(pool, (server.address() as AddressInfo).port);
  const listener = await node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', defaultPool: pool.id },
    certificates: [node.certificate(`${own.cert}${own.key}`)],
  });
  const plain = await node.listener({ defaultPool: pool.id });
  await node.start();
  for (const origin of [`https://127.0.0.1:${listener.port}`, `http://127.0.0.1:${plain.port}`]) {
    const session = connectHttp2(origin, { rejectUnauthorized: false });
    const call = session.request({
      ':method': 'POST',
      ':path': '/echo.Echo/Say',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    const next = () => new Promise((resolve) => call.once('data', (chunk) => resolve(String(chunk))));
    const trailers = new Promise<Record<string, unknown>>((resolve) => call.once('trailers', resolve));
    call.write('one');
    expect(await next()).toBe('/echo.Echo/Say one');
    call.write('two');
    expect(await next()).toBe('/echo.Echo/Say two');
    call.end();
    call.resume();
    expect((await trailers)['grpc-status']).toBe('0');
    session.close();
  }
  server.close();
}, 30_000);

test('members are checked with the protocol of their traffic, HTTP/2 and TLS, when they are added and over a reload', async () => {
  const own = await makeCertificate({ commonName: 'member', names: ['member.test'] });
  const servers = [createHttp2(), createHttp2Tls({ cert: own.cert, key: own.key, allowHTTP1: true })];
  const heard = new Set<string>();
  const ports: number[] = [];
  for (const server of servers) {
    server.on('stream', (stream, headers) => {
      heard.add(String(headers[':path']));
      stream.respond({ ':status': 200 });
      stream.end('served');
    });
    server.on('request', (request, response) => {
      // Streams are answered above.
      if (request.httpVersion.startsWith('1.')) response.end('served');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports.push((server.address() as AddressInfo).port);
  }
  const [plain = 0, secure = 0] = ports;
  const pools = [
    { tls: false, monitorType: 'HTTP' },
    { tls: false, monitorType: 'HTTPS', monitorPort: secure },
    { tls: true, monitorType: 'HTTP' },
    { tls: true, monitorType: 'HTTP', memberProtocol: 'HTTP' },
    { tls: true, monitorType: 'HTTPS' },
    { tls: false, monitorType: 'TCP' },
    { tls: true, monitorType: 'TCP' },
    { tls: true, monitorType: 'TLS_HELLO' },
  ].map(({ tls, monitorType, monitorPort = null, memberProtocol = 'HTTP2' }) => {
    const pool = node.pool({ memberProtocol, tls });
    const path = monitorType.startsWith('HTTP') ? { path: `/${monitorType}-${tls}` } : {};
    node.monitor(pool, { monitorType, ...path, intervalMs: 2_000, timeoutMs: 2_000 });
    return {
      pool,
      port: tls ? secure : plain,
      monitorPort,
      name: `${monitorType} check, ${memberProtocol}${tls ? ' over TLS' : ''}`,
    };
  });
  const listeners: number[] = [];
  for (const { pool } of pools) listeners.push((await node.listener({ defaultPool: pool.id })).port);
  await node.start();
  const answers = async () => {
    const told: string[] = [];
    for (const [at, port] of listeners.entries())
      told.push(`${pools[at]?.name}: ${(await ask(port)).text.slice(0, 6)}`);
    return told;
  };
  const good = pools.map(({ name }) => `${name}: served`);
  for (const { pool, port, monitorPort } of pools) node.member(pool, port, { monitorPort });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await answers()).toEqual(good);
  expect([...heard]).toEqual(expect.arrayContaining(['/HTTP-false', '/HTTP-true', '/HTTPS-true']));
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  heard.clear();
  await waitFor('checks by the new worker', async () =>
    ['/HTTP-false', '/HTTPS-true'].every((path) => heard.has(path)),
  );
  expect(await answers()).toEqual(good);
  for (const server of servers) server.close();
}, 60_000);

test('it does not matter which side sends first', async () => {
  const member = await streamMember((socket) => socket.end('220 hello\r\n'));
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.member(pool, member.port);
  const { port } = await node.listener({ protocol: 'TCP', defaultPool: pool.id, accessLogPercent: 50 });
  await node.start();
  expect(await said(port)).toBe('220 hello\r\n');
  await member.stop();
}, 30_000);
