// TLS sessions. A session of one listener, client or authority never replaces a certificate elsewhere.
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connect, type SecureVersion } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { WebSocket, WebSocketServer } from 'ws';
import { type CertificateAndKey, makeCertificate } from '../../../../../../platform/net/certificates.ts';
import type { JsonObject } from '../../../../../../platform/values/json.ts';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, type TestMember, webMember } from '../../../support/members.ts';
import { revocations } from '../../../support/revocations.ts';
import { visit } from '../../../support/tls-visit.ts';

const versions: readonly SecureVersion[] = ['TLSv1.2', 'TLSv1.3'];
let web: TestMember;
let node: HaproxyNode;
let pool: WantedPart;
let certificate: string;
let own: CertificateAndKey;
let authority: CertificateAndKey;
let other: CertificateAndKey;
let client: CertificateAndKey;

beforeAll(async () => {
  own = await makeCertificate({ commonName: 'a', names: ['a.test'] });
  authority = await makeCertificate({ commonName: 'Clients', use: 'authority' });
  other = await makeCertificate({ commonName: 'Others', use: 'authority' });
  client = await makeCertificate({ commonName: 'alice', use: 'client', issuer: authority });
});
beforeEach(async () => {
  web = await webMember('web');
  node = await HaproxyNode.make();
  pool = node.pool();
  node.member(pool, web.port);
  certificate = node.certificate(`${own.cert}${own.key}`);
});
afterEach(async () => {
  await node.stop();
  await web.stop();
});

function secure(given: JsonObject = {}) {
  return node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', certificates: [certificate], defaultPool: pool.id, ...given },
  });
}

const refused = expect.stringMatching(/^refused/);

test('a session of a listener without client certificates does not pass one that requires them', async () => {
  const plain = await secure();
  const optional = await secure({ clientAuthentication: 'OPTIONAL', clientAuthorities: authority.cert });
  const closed = await secure({ clientAuthentication: 'MANDATORY', clientAuthorities: authority.cert });
  await node.start();
  for (const version of versions)
    for (const { port } of [plain, optional]) {
      const first = await visit(port, version);
      expect(first.answer).toBe('HTTP/1.1 200 OK');
      const second = await visit(closed.port, version, { session: first.session });
      expect([version, second.answer]).toEqual([version, refused]);
    }
}, 60_000);

test('a session of clients of one authority is not valid at a listener with another', async () => {
  const one = await secure({ clientAuthentication: 'MANDATORY', clientAuthorities: authority.cert });
  const two = await secure({ clientAuthentication: 'MANDATORY', clientAuthorities: other.cert });
  await node.start();
  for (const version of versions) {
    const first = await visit(one.port, version, { shown: client });
    expect(first.answer).toBe('HTTP/1.1 200 OK');
    const second = await visit(two.port, version, { shown: client, session: first.session });
    expect([version, second.answer]).toEqual([version, refused]);
  }
}, 60_000);

test("a client that is revoked, or whose authority is removed, can't continue with its session", async () => {
  const given = { clientAuthentication: 'MANDATORY', clientAuthorities: authority.cert };
  const listener = await secure({ ...given, clientRevocations: await revocations(authority, []) });
  await node.start();
  const { port } = listener;
  const sessions = async () =>
    Promise.all(versions.map(async (version) => ({ version, ...(await visit(port, version, { shown: client })) })));
  const before = await sessions();
  expect(before.map(({ answer }) => answer)).toEqual(['HTTP/1.1 200 OK', 'HTTP/1.1 200 OK']);
  const again = () =>
    Promise.all(
      before.map(async ({ version, session }) => (await visit(port, version, { session, shown: client })).answer),
    );
  node.change(listener, { clientRevocations: await revocations(authority, [client]) });
  await node.apply();
  expect(await again()).toEqual([refused, refused]);
  node.change(listener, { clientRevocations: null, clientAuthorities: other.cert });
  await node.apply();
  expect(await again()).toEqual([refused, refused]);
}, 60_000);

test("a listener without client certificates resumes no session either, because the next one's ciphers and versions may differ", async () => {
  const { port } = await secure();
  await node.start();
  for (const version of versions) {
    const { session } = await visit(port, version);
    const second = await visit(port, version, { session });
    expect([version, second.answer, second.resumed]).toEqual([version, 'HTTP/1.1 200 OK', false]);
  }
}, 60_000);

test('a new connection to a member checks its certificate against the current authorities', async () => {
  const shown = await makeCertificate({ commonName: 'member', names: ['in.test'], issuer: authority });
  for (const version of versions) {
    const answer = (_: IncomingMessage, response: ServerResponse) =>
      void response.writeHead(200, { connection: 'close' }).end('inside');
    const member = await webMember('inside', {
      ...{ answer, tls: { cert: shown.cert, key: shown.key, minVersion: version, maxVersion: version } },
    });
    const inner = node.pool({ tls: true, authorities: authority.cert, tlsServerName: 'in.test' });
    node.member(inner, member.port);
    const { port } = await node.listener({ defaultPool: inner.id });
    if (version === 'TLSv1.2') await node.start();
    else await node.apply();
    for (let n = 0; n < 3; n += 1) expect((await ask(port)).status).toBe(200);
    node.change(inner, { authorities: other.cert });
    await node.apply();
    expect([version, (await ask(port)).status]).toEqual([version, 503]);
    await member.stop();
  }
}, 60_000);

/** A connection that stays open and repeats requests until it is closed. */
async function keptConnection(port: number, shown?: CertificateAndKey) {
  const socket = connect({
    ...{ port, host: '127.0.0.1', servername: 'a.test', rejectUnauthorized: false },
    ...(shown === undefined ? {} : { cert: shown.cert, key: shown.key }),
  });
  socket.on('error', () => undefined).resume();
  const closed = new Promise<'closed'>((resolve) => socket.on('close', () => resolve('closed')));
  const ask = async () => {
    const status = new Promise<string>((resolve) =>
      socket.once('data', (chunk: Buffer) => resolve(String(chunk).split('\r\n')[0] ?? '')),
    );
    socket.write('GET /kept HTTP/1.1\r\nHost: a.test\r\n\r\n');
    return Promise.race([status, closed]);
  };
  return { ask, closed, write: (text: string) => socket.write(text), close: () => socket.destroy() };
}

/** An HTTP/2 connection with one request after another. */
function http2Connection(port: number, shown: CertificateAndKey) {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    ...{ rejectUnauthorized: false, cert: shown.cert, key: shown.key },
  });
  session.on('error', () => undefined);
  const closed = new Promise<'closed'>((resolve) => session.on('close', () => resolve('closed')));
  const ask = () =>
    new Promise<string>((resolve) => {
      const request = session.request({ ':path': '/kept' });
      request.on('response', (headers) => resolve(String(headers[':status'])));
      request.on('error', () => resolve('closed')).on('close', () => resolve('closed'));
      request.resume().end();
    });
  return { ask, closed, close: () => session.destroy() };
}

function socketTo(port: number, shown?: CertificateAndKey) {
  const client = new WebSocket(`wss://127.0.0.1:${port}/socket`, {
    ...{ rejectUnauthorized: false },
    ...(shown === undefined ? {} : { cert: shown.cert, key: shown.key }),
  });
  const opened = once(client, 'open');
  const closed = new Promise((resolve) => client.on('error', () => undefined).on('close', () => resolve('closed')));
  return { client, opened, closed };
}

test('a change of authorities, revocations or required certificates ends the rights of earlier connections', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(sockets, 'listening');
  const streams = node.pool();
  node.member(streams, (sockets.address() as AddressInfo).port);
  const listener = await secure({
    ...{ clientAuthentication: 'MANDATORY', clientAuthorities: authority.cert },
    clientRevocations: await revocations(authority, []),
  });
  node.policy(
    listener,
    { action: 'REDIRECT_TO_POOL', redirectPool: streams.id },
    { ruleType: 'PATH', compareType: 'EQUAL_TO', value: '/socket' },
  );
  const untouched = await secure({ clientAuthentication: 'MANDATORY', clientAuthorities: authority.cert });
  await node.start();
  const none = await revocations(authority, []);
  const changes: readonly (readonly [string, JsonObject, boolean])[] = [
    ['revoked', { clientRevocations: await revocations(authority, [client]) }, false],
    ['another authority', { clientAuthorities: other.cert, clientRevocations: await revocations(other, []) }, false],
    ['required', { clientAuthentication: 'MANDATORY' }, true],
  ];
  for (const isEarlier of [false, true])
    for (const [what, change, reloads] of changes) {
      const open = reloads ? 'NONE' : 'MANDATORY';
      const rest =
        open === 'NONE'
          ? { clientAuthorities: authority.cert, clientRevocations: null }
          : { clientAuthorities: authority.cert, clientRevocations: none };
      node.change(listener, { clientAuthentication: open, ...rest });
      await node.apply();
      const shown = open === 'NONE' ? undefined : client;
      const kept = await keptConnection(listener.port, shown);
      const multiplexed = http2Connection(listener.port, client);
      const stream = socketTo(listener.port, shown);
      const same = await keptConnection(untouched.port, client);
      await stream.opened;
      expect([what, await kept.ask(), await multiplexed.ask(), await same.ask()]).toEqual([
        ...[what, 'HTTP/1.1 200 OK', '200', 'HTTP/1.1 200 OK'],
      ]);
      if (isEarlier) {
        // The connections stay with a worker that a reload replaced.
        await node.listener({ protocol: 'TCP' });
        expect((await node.apply()).reloaded).toBe(true);
      }
      const asked = web.asked.length;
      node.change(listener, change);
      expect([what, (await node.apply()).reloaded]).toEqual([what, reloads]);
      expect([what, await kept.ask(), await multiplexed.ask(), await stream.closed]).toEqual([
        ...[what, 'closed', 'closed', 'closed'],
      ]);
      await multiplexed.closed;
      expect(web.asked.length).toBe(asked);
      expect([what, await same.ask()]).toEqual([what, 'HTTP/1.1 200 OK']);
      for (const each of [kept, multiplexed, same]) each.close();
    }
  sockets.close();
}, 120_000);

test('a change of the proof required from members ends earlier connections to members, also in earlier workers', async () => {
  const shown = await makeCertificate({ commonName: 'member', names: ['in.test'], issuer: authority });
  const answered: string[] = [];
  const member = await webMember('inside', {
    tls: { cert: shown.cert, key: shown.key },
    answer: (asked, response) => {
      answered.push(asked.url ?? '');
      // A stream that does not end.
      if (asked.url === '/stream') response.writeHead(200).write('begun');
      else response.writeHead(200, { 'content-length': 2 }).end('ok');
    },
  });
  const inner = node.pool({ tls: true, drainMs: 60_000 });
  node.member(inner, member.port);
  const listener = await secure({ defaultPool: inner.id });
  await node.start();
  const changes: readonly JsonObject[] = [
    { authorities: other.cert },
    { authorities: authority.cert, tlsServerName: 'in.test' },
    { authorities: authority.cert, tlsServerName: 'out.test' },
  ];
  for (const change of changes) {
    const kept = await keptConnection(listener.port);
    const stream = await keptConnection(listener.port);
    expect(await kept.ask()).toBe('HTTP/1.1 200 OK');
    stream.write('GET /stream HTTP/1.1\r\nHost: a.test\r\n\r\n');
    await waitFor('the stream begins', () => answered.includes('/stream'));
    answered.length = 0;
    node.change(inner, change);
    await node.apply();
    await stream.closed;
    await kept.ask();
    expect([change, answered]).toEqual([change, []]);
    const isTrusted = change.tlsServerName === 'in.test';
    expect([change, (await visit(listener.port, 'TLSv1.3')).answer]).toEqual([
      change,
      isTrusted ? 'HTTP/1.1 200 OK' : expect.stringMatching(/ 503 /),
    ]);
    kept.close();
    node.change(inner, { authorities: null, tlsServerName: null });
    await node.apply();
  }
  await member.stop();
}, 120_000);
