// Requests are sent again only where that is safe. HAProxy's own `retry-on empty-response` would send a POST twice.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { freePort } from '../../../../../support/machine/free-port.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember, type TestMember, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let good: TestMember;
let bad: Awaited<ReturnType<typeof streamMember>>;
/** Requests that the bad member read completely, by method. */
let read: string[];

beforeEach(async () => {
  node = await HaproxyNode.make();
  good = await webMember('good');
  read = [];
  bad = await streamMember((socket) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk;
      if (text.includes('\r\n\r\n') && (!text.startsWith('POST') || text.endsWith('body'))) {
        read.push(text.split(' ')[0] ?? '');
        socket.destroy();
      }
    });
  });
});
afterEach(async () => {
  await node.stop();
  await good.stop();
  await bad.stop();
});

test('when a member reads a whole request and closes, another answers a GET, and a POST is never sent twice', async () => {
  const pool = node.pool();
  node.member(pool, good.port);
  node.member(pool, bad.port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  for (let n = 0; n < 10; n += 1) expect((await ask(port)).text).toBe('good');
  expect(read.filter((method) => method === 'GET').length).toBeGreaterThan(0);
  const asked = good.asked.length;
  const statuses: number[] = [];
  for (let n = 0; n < 10; n += 1) statuses.push((await ask(port, { method: 'POST', body: 'body' })).status);
  const posts = good.asked.slice(asked).length + read.filter((method) => method === 'POST').length;
  expect(posts).toBe(10);
  expect(statuses.filter((status) => status === 502).length).toBe(read.filter((method) => method === 'POST').length);
  expect(statuses.filter((status) => status === 200).length).toBe(good.asked.length - asked);
}, 30_000);

test('when a member does not accept connections, another answers every request, including a POST', async () => {
  const pool = node.pool();
  node.member(pool, good.port);
  node.member(pool, await freePort());
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  for (let n = 0; n < 6; n += 1) {
    expect((await ask(port)).status).toBe(200);
    expect((await ask(port, { method: 'POST', body: 'body' })).status).toBe(200);
  }
}, 60_000);
