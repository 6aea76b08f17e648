// The check plugins against real servers, with their results as text.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2, createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterEach, expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { egressFrom } from '../../../../../../platform/net/egress.ts';
import type { JsonObject } from '../../../../../../platform/values/json.ts';
import { dnsPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/dns.ts';
import { grpcPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/grpc.ts';
import { httpPlugin, httpsPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/http.ts';
import { sshPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/ssh.ts';
import { tcpPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/tcp.ts';
import { udpPlugin } from '../../../../../../subgraphs/gslb/agents/checker/plugins/udp.ts';
import { checkTypes } from '../../../../../../subgraphs/gslb/spec/check-types.ts';
import { member, namePlan, zone, zonePlan } from '../../../../../dns/answerer/support/plans.ts';
import { testServer } from '../../../../../dns/answerer/support/server.ts';
import { freePort } from '../../../../../support/machine/free-port.ts';
import { RealSshd } from '../../../../../support/servers/real-sshd.ts';
import { checkOnce } from '../support/check-once.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

async function listen(server: Server): Promise<number> {
  ends.push(() => server.close());
  // Each check ends with a reset.
  server.on('connection', (socket) => socket.on('error', () => undefined));
  server.on('session', (session) => session.on('error', () => undefined));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const down = (message: unknown) => ({ up: false, message });

test('TCP: an accepted connection is up; expected data must arrive', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined).write('220 ready')));
  expect(await checkOnce(tcpPlugin, { port })).toMatchObject({ up: true });
  expect(await checkOnce(tcpPlugin, { port, parameters: { expect: '220' } })).toMatchObject({ up: true });
  expect(await checkOnce(tcpPlugin, { port: await freePort() })).toMatchObject(down('the connection was refused'));
});

test('a denied address is never dialled, even when a name resolves to it', async () => {
  let dialled = 0;
  const port = await listen(createServer(() => (dialled += 1)));
  const egress = egressFrom({});
  expect(await checkOnce(tcpPlugin, { port }, { egress })).toMatchObject(down(expect.stringContaining('loopback')));
  const named = { port, hosts: ['rebound.example'] };
  const addresses = { 'rebound.example': ['127.0.0.1'] };
  expect(await checkOnce(tcpPlugin, named, { egress, addresses })).toMatchObject(
    down(expect.stringContaining('loopback')),
  );
  expect(dialled).toBe(0);
  expect(await checkOnce(tcpPlugin, named, { addresses })).toMatchObject({ up: true });
});

test('all hosts of a target must be up; for a name, one address is enough', async () => {
  const port = await listen(createServer((socket) => socket.on('error', () => undefined)));
  expect(await checkOnce(tcpPlugin, { port, hosts: ['127.0.0.1', '127.0.0.2'] })).toMatchObject(
    down('127.0.0.2: the connection was refused'),
  );
  const addresses = { 'web.example': ['127.0.0.2', '127.0.0.1'], 'none.example': [] };
  expect(await checkOnce(tcpPlugin, { port, hosts: ['web.example'] }, { addresses })).toMatchObject({ up: true });
  expect(await checkOnce(tcpPlugin, { port, hosts: ['none.example'] }, { addresses })).toMatchObject(
    down('none.example has no address'),
  );
  // A name server failure says nothing about the member.
  await expect(checkOnce(tcpPlugin, { port, hosts: ['other.example'] }, { addresses })).rejects.toThrow('name server');
});

test('UDP: an expected answer must arrive; without one, silence is up and a refusal is down', async () => {
  const echo = createSocket('udp4');
  echo.on('message', (datagram, { port, address }) => {
    if (String(datagram) !== 'hush') echo.send(`re: ${datagram}`, port, address);
  });
  echo.bind(0, '127.0.0.1');
  await once(echo, 'listening');
  ends.push(() => echo.close());
  const { port } = echo.address();
  expect(await checkOnce(udpPlugin, { port, parameters: { send: 'a', expect: 're: a' } })).toMatchObject({ up: true });
  const wrong = { port, parameters: { send: 'a', expect: 'b' } };
  expect(await checkOnce(udpPlugin, wrong, { timeoutMs: 300 })).toMatchObject({ up: false });
  expect(await checkOnce(udpPlugin, { port, parameters: { send: 'hush' } }, { timeoutMs: 300 })).toMatchObject({
    up: true,
  });
  expect(await checkOnce(udpPlugin, { port: await freePort() })).toMatchObject(down('nobody listens at the port'));
  const denied = await checkOnce(udpPlugin, { port }, { egress: egressFrom({}) });
  expect(denied).toMatchObject(down(expect.stringContaining('loopback')));
});

test('HTTP: the name is sent as the host, and credentials are sent', async () => {
  const port = await listen(
    createHttp(({ headers }, response) => {
      if (headers.authorization === undefined) response.statusCode = 401;
      response.end(`${headers.host} ${headers.authorization}`);
    }),
  );
  const addresses = { 'web.example': ['127.0.0.1'] };
  const target = { port, hosts: ['web.example'] };
  expect(await checkOnce(httpPlugin, target, { addresses })).toMatchObject(down('it answered with status 401'));
  const basic = { username: 'eve', password: 'x' };
  for (const [secret, expected] of [
    [basic, `web.example:${port} Basic ${Buffer.from('eve:x').toString('base64')}`],
    [{ token: 'a\r\nb' }, 'Bearer ab'],
  ] as const)
    expect(
      await checkOnce(httpPlugin, { ...target, secret, parameters: { expect: expected } }, { addresses }),
    ).toMatchObject({
      up: true,
    });
});

test('HTTPS: the check covers trust, name and days left', async () => {
  const { cert, key } = await makeCertificate({ commonName: 'web.example', names: ['web.example'], use: 'server' });
  const port = await listen(createHttps({ cert, key }, (_, response) => response.end('alive')));
  const target = { port, hosts: ['web.example'] };
  const addresses = { 'web.example': ['127.0.0.1'] };
  const ask = (parameters: object) =>
    checkOnce(httpsPlugin, { ...target, parameters: { ...parameters } }, { addresses });
  expect(await ask({ caCertificates: cert, expect: 'alive' })).toMatchObject({ up: true });
  expect(await ask({})).toMatchObject({ up: false });
  expect(await ask({ verify: false })).toMatchObject({ up: true });
  expect(await ask({ caCertificates: cert, serverName: 'other.example' })).toMatchObject({ up: false });
  expect(await ask({ caCertificates: cert, minDaysLeft: 3_650 })).toMatchObject(
    down(expect.stringContaining('more days')),
  );
});

test('SSH: OpenSSH identifies itself and begins a key exchange; another server does not', async () => {
  const sshd = await RealSshd.start();
  ends.push(() => sshd.stop());
  const { port } = sshd;
  expect(await checkOnce(sshPlugin, { port })).toMatchObject({ up: true });
  expect(await checkOnce(sshPlugin, { port, parameters: { expect: 'OpenSSH' } })).toMatchObject({ up: true });
  expect(await checkOnce(sshPlugin, { port, parameters: { expect: 'dropbear' } })).toMatchObject(
    down(expect.stringContaining('OpenSSH')),
  );
  const say = (text: string) => listen(createServer((socket) => socket.on('error', () => undefined).end(text)));
  expect(await checkOnce(sshPlugin, { port: await say('HTTP/1.1 400 no\r\n') })).toMatchObject({ up: false });
  const named = { port: await say('welcome\r\nSSH-2.0-x\r\n') };
  expect(await checkOnce(sshPlugin, named)).toMatchObject(down('it closed the connection before its key exchange'));
  expect(await checkOnce(sshPlugin, { ...named, parameters: { keyExchange: false } })).toMatchObject({ up: true });
});

/** Serves grpc.health.v1 with the given status of each service. */
function health(stream: ServerHttp2Stream, status: Readonly<Record<string, number>>): void {
  let got = Buffer.alloc(0);
  stream.on('error', () => undefined);
  stream.on('data', (bytes: Buffer) => {
    got = Buffer.concat([got, bytes]);
  });
  stream.on('end', () => {
    const service = got.length > 5 ? got.toString('utf8', 7) : '';
    const found = status[service];
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': found === undefined ? '5' : '0' }));
    if (found === undefined) stream.end();
    else stream.end(Buffer.from([0, 0, 0, 0, 2, 8, found]));
  });
}

test('gRPC health: SERVING is up, for the server or one service, with and without TLS', async () => {
  const status = { '': 1, shop: 1, cart: 2 };
  const server = createHttp2();
  server.on('stream', (stream) => health(stream, status));
  const port = await listen(server as unknown as Server);
  expect(await checkOnce(grpcPlugin, { port })).toMatchObject({ up: true });
  expect(await checkOnce(grpcPlugin, { port, parameters: { service: 'shop' } })).toMatchObject({ up: true });
  expect(await checkOnce(grpcPlugin, { port, parameters: { service: 'cart' } })).toMatchObject(
    down('its health is NOT_SERVING'),
  );
  expect(await checkOnce(grpcPlugin, { port, parameters: { service: 'none' } })).toMatchObject(
    down('it answered with gRPC status 5'),
  );
  const web = await listen(createHttp((_, response) => response.end('no')));
  expect(await checkOnce(grpcPlugin, { port: web })).toMatchObject({ up: false });

  const { cert, key } = await makeCertificate({ commonName: 'localhost', names: ['grpc.example'], use: 'server' });
  const secure = createSecureServer({ cert, key });
  secure.on('stream', (stream) => health(stream, status));
  const securePort = await listen(secure as unknown as Server);
  const parameters = { tls: true, serverName: 'grpc.example', caCertificates: cert };
  expect(await checkOnce(grpcPlugin, { port: securePort, parameters })).toMatchObject({ up: true });
  expect(await checkOnce(grpcPlugin, { port: securePort, parameters: { tls: true } })).toMatchObject({ up: false });
});

test('DNS: the check compares code and records, over UDP and TCP', async () => {
  const server = await testServer(zonePlan([namePlan('shop')]));
  ends.push(() => server.close());
  const { port } = server;
  const name = `shop.${zone}`;
  const ask = (parameters: JsonObject) => checkOnce(dnsPlugin, { port, parameters });
  for (const transport of ['UDP', 'TCP'] as const) {
    expect(await ask({ name, transport, expect: ['192.0.2.1'] })).toMatchObject({ up: true, message: null });
    expect(await ask({ name, transport, expect: ['192.0.2.99'] })).toMatchObject(down('its answer lacks "192.0.2.99"'));
  }
  const none = `none.${zone}`;
  expect(await ask({ name: none })).toMatchObject(down('it answered with NXDOMAIN'));
  expect(await ask({ name: none, expectedCode: 'NXDOMAIN' })).toMatchObject({ up: true });
  expect(await ask({ name: 'elsewhere.example' })).toMatchObject(down('it answered with REFUSED'));
  expect(await ask({ name: zone, type: 'NS', expect: ['elsewhere.example.'] })).toMatchObject(
    down('its answer lacks "elsewhere.example."'),
  );
  expect(await checkOnce(dnsPlugin, { port: await freePort(), parameters: { name } })).toMatchObject({ up: false });
});

test('DNS: the target of a CNAME is compared as a name', async () => {
  const alias = namePlan('alias', { members: [member('m1', { cname: 'target.example.net.' })] });
  const server = await testServer(zonePlan([alias]));
  ends.push(() => server.close());
  const ask = (expected: string) =>
    checkOnce(dnsPlugin, {
      port: server.port,
      parameters: { name: `alias.${zone}`, type: 'CNAME', expect: [expected] },
    });
  expect(await ask('Target.example.net.')).toMatchObject({ up: true, message: null });
  expect(await ask('other.example.net')).toMatchObject(down('its answer lacks "other.example.net"'));
});

test('the parameter schemas are strict', () => {
  const ajv = new Ajv({ strict: true });
  for (const { name, parameters } of Object.values(checkTypes)) {
    const validate = ajv.compile(parameters);
    expect([name, validate({ unknown: 1 })]).toEqual([name, false]);
  }
  const exec = ajv.compile(checkTypes.EXEC.parameters);
  expect(exec({ program: 'check', arguments: ['a b'] })).toBe(true);
  expect(exec({ program: 'check', arguments: ['--output=/etc/passwd'] })).toBe(false);
  expect(exec({ program: '/bin/sh' })).toBe(false);
});
