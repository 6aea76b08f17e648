// No request bypasses the rules of its listener. Headers that turn a connection into a tunnel for other requests are
// not passed on.
import { once } from 'node:events';
import { connect as connectHttp2, createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, eagerMember } from '../../../support/members.ts';

let node: HaproxyNode;
let member: Awaited<ReturnType<typeof eagerMember>>;
let heads: string[];

beforeEach(async () => {
  node = await HaproxyNode.make();
  heads = [];
  member = await eagerMember((head) => heads.push(head));
});
afterEach(async () => {
  await node.stop();
  await member.stop();
});

/** Status lines of consecutive requests on one connection. */
async function statusLines(port: number, requests: readonly string[]): Promise<string[]> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const lines: string[] = [];
  for (const request of requests) {
    socket.write(`${request}\r\n\r\n`);
    const heard = await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    lines.push(String(heard[0]).split('\r\n')[0] ?? '');
  }
  socket.destroy();
  return lines;
}

const upgradeTo = (...protocols: readonly string[]) =>
  [
    'GET / HTTP/1.1',
    'Host: a.test',
    'Connection: Upgrade, HTTP2-Settings',
    ...protocols.map((protocol) => `Upgrade: ${protocol}`),
    'HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA',
  ].join('\r\n');
const forbidden = 'GET /admin HTTP/1.1\r\nHost: a.test';

test('neither an upgrade nor a CONNECT opens a tunnel past a policy', async () => {
  const pool = node.pool();
  node.member(pool, member.port);
  const listener = await node.listener({ defaultPool: pool.id });
  node.policy(listener, { action: 'REJECT' }, { ruleType: 'PATH', compareType: 'STARTS_WITH', value: '/admin' });
  await node.start();
  const first: readonly (readonly [string, string])[] = [
    ...(
      [['h2c'], ['H2C'], ['h2c-14'], ['foo, h2c'], ['foo', 'h2c'], ['HTTP/2.0'], ['TLS/1.0'], ['foo/1,\th2c']] as const
    ).map((protocols) => [upgradeTo(...protocols), 'HTTP/1.1 200 OK'] as const),
    ['CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80', 'HTTP/1.1 405 Method Not Allowed'],
  ];
  for (const [request, answer] of first)
    expect([request, await statusLines(listener.port, [request, forbidden])]).toEqual([
      request,
      [answer, 'HTTP/1.1 403 Forbidden'],
    ]);
  expect(heads.filter((head) => /\/admin|^upgrade:|^http2-settings:|^CONNECT /im.test(head))).toEqual([]);
}, 60_000);

test("HTTP/2 clients can't open such a tunnel either", async () => {
  const own = await makeCertificate({ commonName: 'a', names: ['a.test'] });
  const pool = node.pool();
  node.member(pool, member.port);
  const listener = await node.listener({
    ...{ protocol: 'TERMINATED_HTTPS', certificates: [node.certificate(`${own.cert}${own.key}`)] },
    defaultPool: pool.id,
  });
  await node.start();
  const session = connectHttp2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false });
  await once(session, 'remoteSettings');
  const authority = 'a.test';
  const statusOf = (headers: Record<string, string>) =>
    new Promise<string>((resolve) => {
      const request = session.request({ ':authority': authority, ...headers }, { endStream: false });
      request.on('response', (given) => resolve(String(given[':status']))).on('error', () => resolve('error'));
    });
  expect(await statusOf({ ':method': 'CONNECT' })).toBe('405');
  // RFC 8441: a protocol within HTTP/2 reaches a member of HTTP/1.1 as an upgrade.
  const extended = { ':method': 'CONNECT', ':scheme': 'https', ':path': '/' };
  expect(await statusOf({ ...extended, ':protocol': 'h2c' })).not.toBe('101');
  session.destroy();
  expect(heads.filter((head) => /^upgrade:|^CONNECT /im.test(head))).toEqual([]);
}, 60_000);

test('a client that offers h2c is answered as any other, also by members that speak HTTP/2', async () => {
  const server = createHttp2((_, response) => void response.end('over HTTP/2'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const pool = node.pool({ memberProtocol: 'HTTP2' });
  node.member(pool, (server.address() as AddressInfo).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect((await ask(port)).text).toBe('over HTTP/2');
  expect(await statusLines(port, [upgradeTo('h2c')])).toEqual([expect.stringMatching(/^HTTP.1.1 200 /)]);
  server.close();
}, 60_000);
