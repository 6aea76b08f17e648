// TLS that ends at the node: certificates by name, versions, ciphers, ALPN, client certificates with revocations, and
// HSTS. Every change that is possible without a reload is made without one.
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectSocket, createServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { request } from 'undici';
import { type CertificateAndKey, makeCertificate } from '../../../../../../platform/net/certificates.ts';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { type TestMember, webMember } from '../../../support/members.ts';
import { revocations } from '../../../support/revocations.ts';

let web: TestMember;
let node: HaproxyNode;
let pool: WantedPart;
let authority: CertificateAndKey;
let certificates: Readonly<Record<'a' | 'b' | 'c', CertificateAndKey>>;

beforeAll(async () => {
  authority = await makeCertificate({ commonName: 'Clients', use: 'authority' });
  const make = (name: string) => makeCertificate({ commonName: name, names: [`${name}.test`] });
  const [a, b, c] = await Promise.all(['a', 'b', 'c'].map(make));
  if (a === undefined || b === undefined || c === undefined) throw new Error('unreachable');
  certificates = { a, b, c };
});
beforeEach(async () => {
  web = await webMember('web');
  node = await HaproxyNode.make();
  pool = node.pool();
  node.member(pool, web.port);
});
afterEach(async () => {
  await node.stop();
  await web.stop();
});

function pem({ cert, key }: CertificateAndKey): string {
  return `${cert}${key}`;
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** The name in the certificate that the node shows for the requested name. */
async function shownFor(port: number, servername: string): Promise<string> {
  const socket = await handshake(port, { servername });
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return String(CN);
}

/**
 * The answer to one request, or the reason why there is none. With TLS 1.3 a client learns only then that its
 * certificate was refused.
 */
function answerOf(port: number, options: ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, servername: 'a.test', ...options });
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n'));
    socket.on('data', (chunk) => (text += chunk));
    socket.on('error', (error) => (text ||= `refused: ${error.message}`));
    socket.on('close', () => resolve(text || 'refused: closed'));
  });
}

test('certificates by requested name: renewing, adding, removing one and replacing the first need no reload', async () => {
  const a = node.certificate(pem(certificates.a));
  const b = node.certificate(pem(certificates.b));
  const listener = await node.listener({ protocol: 'TERMINATED_HTTPS', certificates: [a, b], defaultPool: pool.id });
  const { port } = listener;
  await node.start();
  const shown = async () =>
    Promise.all(['a.test', 'b.test', 'c.test', 'other.test'].map((name) => shownFor(port, name)));
  expect(await shown()).toEqual(['a', 'b', 'a', 'a']);

  const renewed = await makeCertificate({ commonName: 'b renewed', names: ['b.test'] });
  node.certificates = node.certificates.map((each) =>
    each.id === b ? { ...each, version: 2, pem: pem(renewed) } : each,
  );
  expect((await node.apply()).reloaded).toBe(false);
  expect(await shown()).toEqual(['a', 'b renewed', 'a', 'a']);

  const c = node.certificate(pem(certificates.c));
  node.change(listener, { certificates: [a, b, c] });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await shown()).toEqual(['a', 'b renewed', 'c', 'a']);

  node.certificates = node.certificates.filter(({ id }) => id !== a);
  node.change(listener, { certificates: [c, b] });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await shown()).toEqual(['c', 'b renewed', 'c', 'c']);
  expect(await node.haproxy.runtime.ask('show ssl cert')).not.toContain(a);

  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  expect(await shown()).toEqual(['c', 'b renewed', 'c', 'c']);
}, 60_000);

test('found by trial lb-changes: while lists change, each name has either its old or its new certificate', async () => {
  const a = node.certificate(pem(certificates.a));
  const b = node.certificate(pem(certificates.b));
  const c = node.certificate(pem(certificates.c));
  const listener = await node.listener({ protocol: 'TERMINATED_HTTPS', certificates: [a, b], defaultPool: pool.id });
  await node.start();
  const names = ['a.test', 'b.test', 'c.test', 'other.test'];
  const shown = () => Promise.all(names.map((name) => shownFor(listener.port, name)));

  // A relay in place of HAProxy's socket. Clients check after each command that changes something.
  const [path, moved] = [join(node.folder, 'run.sock'), join(node.folder, 'moved.sock')];
  await rename(path, moved);
  const between: string[][] = [];
  const proxy = createServer({ allowHalfOpen: true }, async (socket) => {
    const [command] = (await once(socket, 'data')) as [Buffer];
    const upstream = connectSocket(moved);
    upstream.write(command);
    const answer = await text(upstream);
    if (/^(set|commit|add|del) /.test(command.toString())) between.push(await shown());
    socket.end(answer);
  });
  proxy.listen(path);
  await once(proxy, 'listening');
  try {
    const renewed = await makeCertificate({ commonName: 'b renewed', names: ['b.test'] });
    const changes = [
      () => node.change(listener, { certificates: [b, c] }),
      () => {
        node.certificates = node.certificates.map((each) =>
          each.id === b ? { ...each, version: 2, pem: pem(renewed) } : each,
        );
        node.change(listener, { certificates: [a, b] });
      },
      () => node.change(listener, { certificates: [c, a] }),
    ];
    for (const change of changes) {
      const before = await shown();
      between.length = 0;
      change();
      expect((await node.apply()).reloaded).toBe(false);
      const after = await shown();
      expect(between.length).toBeGreaterThan(2);
      for (const seen of between)
        for (const [at, name] of seen.entries()) expect([before[at], after[at]]).toContain(name);
    }
  } finally {
    proxy.close();
    await rename(moved, path);
  }
}, 60_000);

test('only accepted versions and ciphers work, and ALPN gives HTTP/2', async () => {
  const a = node.certificate(pem(certificates.a));
  const given = { protocol: 'TERMINATED_HTTPS', certificates: [a], defaultPool: pool.id };
  const cipher = 'ECDHE-ECDSA-AES256-GCM-SHA384';
  const old = await node.listener({
    ...given,
    tlsVersions: ['TLS_1_2'],
    tlsCiphers: cipher,
    alpnProtocols: ['HTTP_1_1'],
  });
  const modern = await node.listener({
    ...given,
    tlsVersions: ['TLS_1_3'],
    hstsMaxAgeSeconds: 600,
    hstsIncludeSubdomains: true,
    hstsPreload: true,
  });
  await node.start();
  const offered = { ALPNProtocols: ['h2', 'http/1.1'] };
  const first = await handshake(old.port, offered);
  expect([first.getProtocol(), first.getCipher().name, first.alpnProtocol]).toEqual(['TLSv1.2', cipher, 'http/1.1']);
  first.destroy();
  await expect(
    handshake(old.port, { ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256', maxVersion: 'TLSv1.2' }),
  ).rejects.toThrow();
  await expect(handshake(old.port, { minVersion: 'TLSv1.3' })).rejects.toThrow();
  await expect(handshake(modern.port, { maxVersion: 'TLSv1.2' })).rejects.toThrow();
  const second = await handshake(modern.port, offered);
  expect([second.getProtocol(), second.alpnProtocol]).toEqual(['TLSv1.3', 'h2']);
  second.destroy();

  const session = connectHttp2(`https://127.0.0.1:${modern.port}`, { rejectUnauthorized: false });
  const headers = await new Promise<Record<string, unknown>>((resolve, reject) => {
    session.once('error', reject);
    session.request({ ':path': '/' }).once('response', resolve).resume().end();
  });
  session.close();
  expect(headers[':status']).toBe(200);
  expect(headers['strict-transport-security']).toBe('max-age=600; includeSubDomains; preload');
}, 60_000);

test("headers that describe a client certificate can't be forged at any listener next to the one that sets them", async () => {
  const a = node.certificate(pem(certificates.a));
  const plain = await node.listener({ defaultPool: pool.id });
  const forged = async () => {
    const headers = { 'x-ssl-client-cn': 'alice', X_SSL_Client_CN: 'alice', 'x-ssl-client-dn': '/CN=alice' };
    web.asked.splice(0);
    // A kept connection would stay with an earlier worker.
    const { statusCode, body } = await request(`http://127.0.0.1:${plain.port}/`, { headers, reset: true });
    expect([statusCode, await body.text()]).toEqual([200, expect.anything()]);
    return Object.keys(web.asked[0]?.headers ?? {}).filter((name) => /^x[-_]ssl/i.test(name));
  };
  await node.start();
  // Without such a listener the headers belong to the tenant.
  expect(await forged()).toHaveLength(3);
  await node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', certificates: [a], defaultPool: pool.id, clientAuthentication: 'MANDATORY' },
    ...{ clientAuthorities: authority.cert, insertHeaders: ['X_SSL_CLIENT_CN'] },
  });
  await node.apply();
  expect(await forged()).toEqual(['x-ssl-client-dn']);
}, 30_000);

test('client certificates: requested, required, revoked; their authorities change without a reload, and members get their contents', async () => {
  const a = node.certificate(pem(certificates.a));
  const other = await makeCertificate({ commonName: 'Others', use: 'authority' });
  const client = await makeCertificate({ commonName: 'alice', use: 'client', issuer: authority });
  const revoked = await makeCertificate({ commonName: 'mallory', use: 'client', issuer: authority });
  const stranger = await makeCertificate({ commonName: 'eve', use: 'client', issuer: other });
  const listener = await node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', certificates: [a], defaultPool: pool.id, clientAuthentication: 'MANDATORY' },
    ...{ clientAuthorities: authority.cert, clientRevocations: await revocations(authority, []) },
    insertHeaders: [
      'X_SSL_CLIENT_VERIFY',
      'X_SSL_CLIENT_HAS_CERT',
      'X_SSL_CLIENT_DN',
      'X_SSL_CLIENT_CN',
      'X_SSL_ISSUER',
      'X_SSL_CLIENT_SHA1',
      'X_SSL_CLIENT_NOT_BEFORE',
      'X_SSL_CLIENT_NOT_AFTER',
    ],
  });
  await node.start();
  const { port } = listener;
  const asks = async () =>
    Promise.all(
      [undefined, client, revoked, stranger].map(async (each) =>
        (await answerOf(port, each === undefined ? {} : { cert: each.cert, key: each.key })).slice(0, 12),
      ),
    );
  const [yes, no] = ['HTTP/1.1 200', expect.stringMatching(/^refused/)];
  expect(await asks()).toEqual([no, yes, yes, no]);
  expect(web.asked[0]?.headers).toMatchObject({
    ...{
      'x-ssl-client-verify': '0',
      'x-ssl-client-has-cert': '1',
      'x-ssl-client-cn': expect.stringMatching(/alice|mallory/),
    },
    ...{
      'x-ssl-client-dn': expect.stringContaining('/CN='),
      'x-ssl-issuer': '/CN=Clients',
      'x-ssl-client-sha1': expect.stringMatching(/^[0-9A-F]{40}$/),
    },
    ...{
      'x-ssl-client-not-before': expect.stringMatching(/Z$/),
      'x-ssl-client-not-after': expect.stringMatching(/Z$/),
    },
  });
  node.change(listener, { clientRevocations: await revocations(authority, [revoked]) });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await asks()).toEqual([no, yes, no, no]);
  node.change(listener, { clientAuthorities: other.cert, clientRevocations: await revocations(other, []) });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await asks()).toEqual([no, no, no, yes]);
  node.change(listener, { clientAuthentication: 'OPTIONAL' });
  expect((await node.apply()).reloaded).toBe(true);
  expect(await asks()).toEqual([yes, no, no, yes]);
  // Rules that use the certificate.
  node.policy(
    listener,
    { action: 'REJECT' },
    { ruleType: 'SSL_CONN_HAS_CERT', compareType: 'EQUAL_TO', value: 'True', invert: true },
  );
  node.policy(
    listener,
    { action: 'REDIRECT_TO_URL', redirectUrl: 'http://eve/' },
    { ruleType: 'SSL_DN_FIELD', compareType: 'EQUAL_TO', key: 'CN', value: 'eve' },
    { ruleType: 'SSL_VERIFY_RESULT', compareType: 'EQUAL_TO', value: '0' },
  );
  await node.apply();
  expect(await asks()).toEqual(['HTTP/1.1 403', no, no, 'HTTP/1.1 302']);
}, 90_000);
