// A client stays with its member over a reload, when nodes are added, and when its node is replaced. Nodes share no
// memory, because the value that identifies a client is derived only from the key of the load balancer and the members.
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../../../../../platform/values/json.ts';
import type { WantedPart } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { freePort } from '../../../../../support/machine/free-port.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, type TestMember, tally, webMember } from '../../../support/members.ts';

const names = ['one', 'two', 'three', 'four'];
let webs: TestMember[];
const nodes: HaproxyNode[] = [];

beforeEach(async () => {
  webs = await Promise.all(
    names.map((name) =>
      webMember(name, {
        answer: (request, response) => {
          if (request.url === '/login') response.setHeader('set-cookie', 'SESSION=abc; Path=/');
          response.end(name);
        },
      }),
    ),
  );
});
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.stop();
  for (const web of webs) await web.stop();
});

interface Balancer {
  readonly node: HaproxyNode;
  readonly port: number;
  readonly pool: WantedPart;
}

async function balancer(persistence: JsonObject, given: JsonObject = {}, monitor: JsonObject = {}): Promise<Balancer> {
  const node = await HaproxyNode.make();
  nodes.push(node);
  const pool = node.pool({ persistence, ...given });
  for (const web of webs) node.member(pool, web.port);
  node.monitor(pool, { path: '/health', ...monitor });
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  return { node, port, pool };
}

/** Another node of the same load balancer, with the same parts. */
async function again({ node }: Balancer, port: number): Promise<HaproxyNode> {
  const other = await HaproxyNode.make({ balancerId: node.balancerId });
  nodes.push(other);
  other.parts = node.parts
    .filter(({ kind, spec }) => kind !== 'Listener' || spec.protocol === 'HTTP')
    .map((part) => (part.kind === 'Listener' ? { ...part, spec: { ...part.spec, port } } : part));
  await other.start();
  return other;
}

function cookieOf(headers: Readonly<Record<string, string | string[] | undefined>>): string {
  const cookies = [headers['set-cookie'] ?? []].flat().map((each) => each.split(';')[0] ?? '');
  return cookies.find((each) => each.startsWith('SRV=')) ?? cookies[0] ?? '';
}

test('cookies of the load balancer and of the application hold over a reload, on another node and with a new member', async () => {
  for (const persistence of [{ type: 'HTTP_COOKIE' }, { type: 'APP_COOKIE', cookieName: 'SESSION' }]) {
    const one = await balancer(persistence);
    const { text, headers } = await ask(one.port, { path: '/login' });
    const cookie = cookieOf(headers);
    expect(cookie).toMatch(persistence.type === 'HTTP_COOKIE' ? /^SRV=[0-9a-f]+\|/ : /^SESSION=[0-9a-f]+~abc$/);
    const stays = async (port: number) => expect(await tally(port, 12, { cookie })).toEqual(new Map([[text, 12]]));
    await stays(one.port);

    const listener = await one.node.listener({ protocol: 'TCP' });
    expect((await one.node.apply()).reloaded).toBe(true);
    await stays(one.port);

    const port = await freePort();
    await again(one, port);
    await stays(port);

    // A member that was added at runtime also has its cookie.
    const late = await webMember('late');
    const added = one.node.member(one.pool, late.port);
    expect((await one.node.apply()).reloaded).toBe(false);
    await stays(one.port);
    let toLate = '';
    for (let n = 0; n < 30 && toLate === ''; n += 1) {
      const reply = await ask(one.port, { path: '/login' });
      if (reply.text === 'late') toLate = cookieOf(reply.headers);
    }
    if (persistence.type === 'HTTP_COOKIE') {
      expect(toLate).toMatch(/^SRV=[0-9a-f]+\|/);
      expect(await tally(one.port, 5, { cookie: toLate })).toEqual(new Map([['late', 5]]));
    }
    // The application does not see the load balancer's part.
    const last = webs.find(({ name }) => name === text)?.asked.findLast(({ url }) => url === '/');
    expect(last?.headers.cookie).toBe(persistence.type === 'HTTP_COOKIE' ? undefined : 'SESSION=abc');
    one.node.remove(added, listener);
    await one.node.apply();
    await late.stop();
  }
}, 90_000);

test('a client of a drained member stays with it on a node that is created later', async () => {
  const one = await balancer({ type: 'HTTP_COOKIE' });
  const { text, headers } = await ask(one.port);
  const cookie = cookieOf(headers);
  const member = one.node.parts.filter(({ kind }) => kind === 'PoolMember')[names.indexOf(text)];
  if (member === undefined) throw new Error('no such member');
  one.node.drain(member, new Date(Date.now() + 3_600_000));
  const port = await freePort();
  await again(one, port);
  expect(await tally(port, 6, { cookie })).toEqual(new Map([[text, 6]]));
  expect((await tally(port, 12)).has(text)).toBe(false);
}, 30_000);

test('found by trial lb-changes: a client reaches its member on a node that has not checked it yet', async () => {
  const one = await balancer({ type: 'HTTP_COOKIE' }, {}, { path: '/check', intervalMs: 3_600_000, timeoutMs: 60_000 });
  // The first check is answered, but the other node's check is not.
  let checks = 0;
  const late = await webMember('late', {
    answer: ({ url }, response) => {
      if (url !== '/check' || checks++ === 0) response.end('late');
    },
  });
  const port = await freePort();
  const other = await again(one, port);
  one.node.member(one.pool, late.port);
  await one.node.apply();
  let toLate = '';
  while (toLate === '') {
    const reply = await ask(one.port);
    if (reply.text === 'late') toLate = cookieOf(reply.headers);
  }
  other.parts = one.node.parts.map((part) =>
    part.kind === 'Listener' ? { ...part, spec: { ...part.spec, port } } : part,
  );
  await other.haproxy.apply(other.model());
  expect(await tally(port, 4, { cookie: toLate })).toEqual(new Map([['late', 4]]));
  // A client without a cookie is not sent there.
  expect((await tally(port, 12)).has('late')).toBe(false);
  await late.stop();
}, 60_000);

test('a client whose member is removed gets another, and a forged cookie is useless', async () => {
  const { node, port, pool } = await balancer({ type: 'HTTP_COOKIE' });
  const { text, headers } = await ask(port);
  const cookie = cookieOf(headers);
  const index = names.indexOf(text);
  const gone = node.parts.filter(({ kind, parentId }) => kind === 'PoolMember' && parentId === pool.id)[index];
  if (gone !== undefined) node.remove(gone);
  await node.apply();
  const after = await tally(port, 8, { cookie });
  expect(after.has(text)).toBe(false);
  expect([...after.values()].reduce((sum, count) => sum + count)).toBe(8);
  expect((await ask(port, { headers: { cookie: 'SRV=../../etc' } })).status).toBe(200);
}, 30_000);

test('a client’s address leads to the same member over a reload, on another node, and after a replacement', async () => {
  for (const given of [{ persistence: { type: 'SOURCE_IP' } }, { algorithm: 'SOURCE_IP' }] as JsonObject[]) {
    const { persistence, ...more } = given;
    const one = await balancer((persistence ?? null) as JsonObject, more);
    // Clients are addresses of the loopback network.
    const clients = Array.from({ length: 12 }, (_, at) => `127.0.${at}.9`);
    const map = async (port: number) =>
      Promise.all(clients.map(async (localAddress) => (await ask(port, { localAddress })).text));
    const before = await map(one.port);
    expect(new Set(before).size).toBeGreaterThan(1);
    await one.node.listener({ protocol: 'TCP' });
    await one.node.apply();
    expect(await map(one.port)).toEqual(before);
    const port = await freePort();
    const replacement = await again(one, port);
    expect(await map(port)).toEqual(before);
    // New members move few clients, wherever and whenever they are added.
    const late = await webMember('late');
    const added = one.node.member(one.pool, late.port);
    await one.node.apply();
    replacement.parts = [...replacement.parts, added];
    await replacement.apply();
    const after = await map(one.port);
    expect(await map(port)).toEqual(after);
    expect(after.filter((name, at) => name !== before[at] && name !== 'late')).toEqual([]);
    await late.stop();
  }
}, 90_000);
