// The member that gets each request: algorithms, weights, backups, checks of every type, slow start, draining, failing
// open, and passive ejection.
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { makeCertificate } from '../../../../../../platform/net/certificates.ts';
import {
  LogReader,
  type Transition,
} from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/log-reader.ts';
import {
  RuntimeError,
  RuntimeSocket,
} from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts';
import { readServerStates } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/server-states.ts';
import { Servers } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/servers.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember, type TestMember, tally, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let webs: TestMember[];
const [one, two, three] = ['one', 'two', 'three'];

beforeEach(async () => {
  node = await HaproxyNode.make();
  webs = await Promise.all([one, two, three].map((name) => webMember(name ?? '')));
});
afterEach(async () => {
  await node.stop();
  for (const web of webs) await web.stop();
});

function web(index: number): TestMember {
  const found = webs[index];
  if (found === undefined) throw new Error('no such member');
  return found;
}

test('round robin is in turn and by weight, which changes at runtime; weight 0 gets nothing', async () => {
  const pool = node.pool();
  const [first, second] = webs.map(({ port }) => node.member(pool, port));
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect(await tally(port, 12)).toEqual(
    new Map([
      [one, 4],
      [two, 4],
      [three, 4],
    ]),
  );
  if (first === undefined || second === undefined) return;
  node.change(first, { weight: 4 });
  node.change(second, { weight: 0 });
  expect((await node.apply()).reloaded).toBe(false);
  expect(await tally(port, 10)).toEqual(
    new Map([
      [one, 8],
      [three, 2],
    ]),
  );
}, 30_000);

test('a member that HAProxy refuses delays no other member', async () => {
  const pool = node.pool();
  const [first, second] = webs.map(({ port }) => node.member(pool, port));
  await node.listener({ defaultPool: pool.id });
  await node.start();
  if (first === undefined || second === undefined) return;
  node.change(first, { weight: 4 });
  node.change(second, { weight: 3 });
  const runtime = new (class extends RuntimeSocket {
    override tell(command: string, ...rest: readonly []): Promise<void> {
      if (command.includes(first.id)) return Promise.reject(new RuntimeError(command, 'not today'));
      return super.tell(command, ...rest);
    }
  })(join(node.folder, 'run.sock'));
  const nothing = () => Promise.resolve();
  const servers = new Servers({ runtime, prepare: nothing, endSessions: nothing, hasEarlier: async () => false });
  await expect(servers.pass(node.model())).rejects.toThrow('not today');
  const states = [...(await readServerStates(runtime)).values()].flatMap((each) => [...each.values()]);
  expect(states.map(({ weight }) => weight)).toEqual([1, 3, 1]);
}, 30_000);

test('found by a slow repair: a new member is checked at once, whatever its check interval', async () => {
  const pool = node.pool();
  node.monitor(pool, { intervalMs: 3_600_000, timeoutMs: 5_000 });
  node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect(await tally(port, 4)).toEqual(new Map([[one, 4]]));
  node.member(pool, web(1).port);
  await node.apply();
  expect((await tally(port, 4)).get(two)).toBe(2);
}, 30_000);

test('found by its processor time: a member that was added at runtime keeps its connections for the next request', async () => {
  const connections = new Set<number | undefined>();
  const kept = await webMember('kept', {
    answer: (request, response) => {
      connections.add(request.socket.remotePort);
      response.end('kept');
    },
  });
  const pool = node.pool();
  node.monitor(pool, { monitorType: 'TCP' });
  node.member(pool, kept.port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  // Requests of one client each, which only a connection pool can share.
  const agent = new Agent({ connections: 1 });
  for (let n = 0; n < 20; n += 1) await (await request(`http://127.0.0.1:${port}/`, { dispatcher: agent })).body.dump();
  await agent.close();
  expect(connections.size).toBeLessThan(5);
  await kept.stop();
}, 30_000);

test('least connections goes to the member with the fewest', async () => {
  let held = 0;
  const busy = await streamMember(() => {
    held += 1;
  });
  const pool = node.pool({ algorithm: 'LEAST_CONNECTIONS' });
  node.member(pool, busy.port);
  node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  const clients: Socket[] = [];
  while (held === 0) {
    const asked = web(0).asked.length;
    const client = connect(port, '127.0.0.1').on('error', () => undefined);
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    clients.push(client);
    await waitFor('the request', async () => held > 0 || web(0).asked.length > asked);
  }
  expect(await tally(port, 6)).toEqual(new Map([[one, 6]]));
  for (const each of clients) each.destroy();
  await busy.stop();
}, 30_000);

test('a backup gets requests only when no other member is healthy', async () => {
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  node.member(pool, web(0).port);
  node.member(pool, web(1).port, { backup: true });
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect(await tally(port, 6)).toEqual(new Map([[one, 6]]));
  web(0).health = 500;
  await waitFor('the backup', async () => (await ask(port)).text === two);
  web(0).health = 200;
  await waitFor('the member', async () => (await ask(port)).text === one);
}, 30_000);

test('monitors of each type find the healthy members, and the node reports each transition at once', async () => {
  const transitions: Transition[] = [];
  const log = new LogReader({
    path: join(node.folder, 'run.sock'),
    transition: (each) => transitions.push(each),
    access: () => undefined,
  });
  log.start();
  const { cert, key } = await makeCertificate({ commonName: 'm', names: ['m.test'] });
  const secure = await webMember('secure', { tls: { cert, key } });
  const plain = await streamMember((socket) => socket.end());
  const kinds = [
    {
      monitor: { monitorType: 'HTTP', path: '/health', expectedCodes: '200-204,301' },
      good: web(0),
      bad: web(1),
      listens: 'HTTP',
    },
    {
      monitor: { monitorType: 'HTTP', path: '/health', hostHeader: 'm.test', method: 'HEAD' },
      good: web(0),
      bad: web(1),
      listens: 'HTTP',
    },
    {
      monitor: { monitorType: 'HTTPS', path: '/health', hostHeader: 'm.test' },
      good: secure,
      bad: plain,
      listens: 'TCP',
    },
    { monitor: { monitorType: 'TLS_HELLO' }, good: secure, bad: plain, listens: 'TCP' },
    { monitor: { monitorType: 'TCP' }, good: plain, bad: { port: 1 }, listens: 'TCP' },
  ] as const;
  web(1).health = 500;
  const expected = new Map<string, string>();
  for (const { monitor, good, bad, listens } of kinds) {
    const pool = node.pool({ memberProtocol: listens });
    node.monitor(pool, monitor);
    expected.set(node.member(pool, good.port).id, 'UP').set(node.member(pool, bad.port).id, 'DOWN');
    await node.listener({ protocol: listens, defaultPool: pool.id });
  }
  await node.start();
  const statuses = () => new Map(transitions.map(({ server, status }) => [server.slice(2), status]));
  await waitFor('all verdicts', async () => [...expected].every(([id, status]) => statuses().get(id) === status));
  // The opposite case.
  web(0).health = 500;
  web(1).health = 200;
  const [first, second] = expected.keys();
  await waitFor(
    'the change',
    async () => statuses().get(first ?? '') === 'DOWN' && statuses().get(second ?? '') === 'UP',
  );
  const reasons = (id: string | undefined, of: Transition['status']) =>
    transitions.flatMap(({ server, status, reason }) =>
      server.endsWith(id ?? '-') && status === of ? (reason ?? []) : [],
    );
  expect(reasons(first, 'DOWN')).toContain('the answer has status 500');
  expect(reasons(second, 'UP')).toContain('its check succeeded');
  const tcp = [...expected].findLast(([, status]) => status === 'DOWN')?.[0];
  expect(reasons(tcp, 'DOWN')).toContain('no connection: Connection refused');
  await secure.stop();
  await plain.stop();
  await log.stop();
}, 60_000);

test('another address and port are checked if the member names them', async () => {
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  const member = node.member(pool, web(0).port, { monitorPort: web(1).port, monitorHost: '127.0.0.1' });
  const { port } = await node.listener({ defaultPool: pool.id });
  web(1).health = 500;
  await node.start();
  expect((await ask(port)).status).toBe(503);
  web(1).health = 200;
  await waitFor('the member', async () => (await ask(port)).status === 200);
  node.change(member, { monitorPort: null, monitorHost: null });
  expect((await node.apply()).reloaded).toBe(true);
  expect((await ask(port)).text).toBe(one);
}, 30_000);

test('found by trial lb-config: the alternative check address can be IPv6', async () => {
  const six = await webMember('six', { host: '::1' });
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  node.member(pool, web(0).port, { monitorHost: '::1', monitorPort: six.port });
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  expect(await tally(port, 2)).toEqual(new Map([[one, 2]]));
  six.health = 503;
  await waitFor('its end', async () => (await ask(port)).status === 503);
  await six.stop();
}, 30_000);

test('a pool fails open only below its share of healthy members; new members join it only after a check', async () => {
  const pool = node.pool({ failOpenBelowPercent: 60, persistence: { type: 'HTTP_COOKIE' } });
  node.monitor(pool, { path: '/health' });
  for (const { port } of webs) node.member(pool, port);
  const listener = await node.listener({ defaultPool: pool.id });
  await node.start();
  web(2).health = 500;
  await waitFor('one is down', async () => !(await tally(listener.port, 9)).has(three ?? ''));
  web(1).health = 500;
  await waitFor('all get requests', async () => (await tally(listener.port, 9)).size === 3);
  web(1).health = 200;
  await waitFor('the healthy ones', async () => !(await tally(listener.port, 9)).has(three ?? ''));
  // One is dead and one unhealthy. With a third, fewer than 60 % are healthy, and the dead one is among all.
  const never = await streamMember((socket) => socket.destroy());
  const added = node.member(pool, never.port);
  expect((await node.apply()).reloaded).toBe(false);
  web(2).health = 200;
  await waitFor('three of four', async () => (await tally(listener.port, 9)).size === 3);
  node.remove(added);
  expect((await node.apply()).reloaded).toBe(false);
  await never.stop();
}, 60_000);

test('a member with too many failed requests in a row is ejected until its checks succeed', async () => {
  const pool = node.pool({ ejectAfterErrors: 3 });
  node.monitor(pool, { path: '/health', intervalMs: 3_000 });
  node.member(pool, web(0).port);
  node.member(pool, web(1).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  web(1).status = 500;
  const found = await tally(port, 30);
  // Without passive ejection: 15.
  expect(found.get('500')).toBeLessThan(10);
  web(1).status = 200;
  await waitFor('it is back', async () => (await ask(port)).text === two);
}, 60_000);

test('slow start: a member that has become healthy begins with a small share', async () => {
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  node.member(pool, web(0).port, { weight: 100 });
  node.member(pool, web(1).port, { weight: 100 });
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  node.change(pool, { slowStartMs: 600_000 });
  expect((await node.apply()).reloaded).toBe(true);
  web(1).health = 500;
  await waitFor('it is down', async () => (await node.haproxy.runtime.ask('show stat')).includes(',DOWN,'));
  web(1).health = 200;
  await waitFor('it is back', async () => (await tally(port, 100)).has(two ?? ''));
  expect((await tally(port, 50)).get(two ?? '') ?? 0).toBeLessThan(10);
}, 60_000);

test('a drained member keeps its sessions and clients until the deadline, gets no others, and may answer its last requests', async () => {
  let finish: () => void = () => undefined;
  const slow = await webMember('slow', {
    answer: (request, response) => {
      if (request.url === '/last') finish = () => void response.end('slow');
      else if (request.url !== '/long') response.end('slow');
    },
  });
  const pool = node.pool({ persistence: { type: 'HTTP_COOKIE' } });
  const member = node.member(pool, slow.port);
  node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  let cookie = '';
  while (cookie === '') {
    const { text, headers } = await ask(port);
    if (text === 'slow') cookie = String(headers['set-cookie']).split(';')[0] ?? '';
  }
  const sent = async (path: string) => {
    const answer = ask(port, { path, method: 'POST', headers: { cookie } });
    await waitFor(path, async () => slow.asked.some(({ url }) => url === path));
    return { answer };
  };
  const long = await sent('/long');
  node.drain(member, new Date(Date.now() + 3_600_000));
  expect((await node.apply()).reloaded).toBe(false);
  expect(await tally(port, 6)).toEqual(new Map([[one, 6]]));
  expect((await ask(port, { headers: { cookie } })).text).toBe('slow');
  const last = await sent('/last');
  node.drain(member, new Date(Date.now() - 1));
  const applied = node.apply();
  await waitFor('it gets nothing more', async () => (await ask(port, { headers: { cookie } })).text === one);
  finish();
  expect(await last.answer).toMatchObject({ status: 200, text: 'slow' });
  await applied;
  expect((await long.answer).status).toBeGreaterThanOrEqual(500);
  expect((await ask(port, { headers: { cookie } })).text).toBe(one);
  node.drain(member, null);
  await node.apply();
  expect((await ask(port, { headers: { cookie } })).text).toBe('slow');
  await slow.stop();
}, 30_000);

test('a removed or disabled member finishes its requests within the pool’s time', async () => {
  let finish: () => void = () => undefined;
  const slow = await webMember('slow', {
    answer: (_, response) => {
      finish = () => void response.end('slow');
    },
  });
  const pool = node.pool({ drainMs: 2_000 });
  const member = node.member(pool, slow.port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  for (const change of [() => node.change(member, { enabled: false }), () => node.remove(member)]) {
    const going = ask(port, { method: 'POST', body: 'x' });
    const asked = slow.asked.length;
    await waitFor('the request', async () => slow.asked.length > asked);
    change();
    const applied = node.apply();
    await node.haproxy.disagreements();
    expect((await ask(port)).status).toBe(503);
    finish();
    expect(await going).toMatchObject({ status: 200, text: 'slow' });
    await applied;
    if (node.parts.some(({ id }) => id === member.id)) {
      node.change(member, { enabled: true });
      await node.apply();
    }
  }
  await slow.stop();
}, 60_000);

test('when all members are replaced at once, the old ones serve until a new one does, even over a reload', async () => {
  const pool = node.pool({ drainMs: 30_000 });
  node.monitor(pool, { path: '/health' });
  const first = node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  node.remove(first);
  node.member(pool, web(1).port);
  web(1).health = 500;
  expect((await node.haproxy.apply(node.model())).reloaded).toBe(false);
  await waitFor('the verdict', async () => (await node.haproxy.runtime.ask('show stat')).includes(',DOWN,'));
  expect(await tally(port, 3)).toEqual(new Map([[one, 3]]));
  await node.listener({ defaultPool: pool.id });
  expect((await node.haproxy.apply(node.model())).reloaded).toBe(true);
  expect(await tally(port, 3)).toEqual(new Map([[one, 3]]));
  web(1).health = 200;
  await waitFor('the new member', async () => (await ask(port)).text === two);
  await node.apply();
  expect(await tally(port, 3)).toEqual(new Map([[two, 3]]));
}, 30_000);

test('no request fails during a change that needs a reload and replaces all members', async () => {
  const pool = node.pool({ drainMs: 30_000 });
  node.monitor(pool, { path: '/health' });
  const first = node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  node.remove(first);
  node.member(pool, web(1).port);
  await node.listener({ defaultPool: pool.id });
  let applied = false;
  const change = node.apply().finally(() => (applied = true));
  const found = new Map<string, number>();
  while (!applied) for (const [text, count] of await tally(port, 1)) found.set(text, (found.get(text) ?? 0) + count);
  expect((await change).reloaded).toBe(true);
  expect([...found.keys()].filter((text) => text !== one && text !== two)).toEqual([]);
  expect(await tally(port, 3)).toEqual(new Map([[two, 3]]));
}, 30_000);

test('replaced members serve no longer than the pool’s drainMs if their replacements never pass a check', async () => {
  const pool = node.pool({ drainMs: 500 });
  node.monitor(pool, { path: '/health' });
  const first = node.member(pool, web(0).port);
  const { port } = await node.listener({ defaultPool: pool.id });
  await node.start();
  node.remove(first);
  const second = node.member(pool, web(1).port);
  web(1).health = 500;
  await node.apply();
  expect((await ask(port)).status).toBe(503);
  expect(await node.haproxy.runtime.ask('show servers state')).not.toContain(first.id);
  // A removed member without a replacement gets no requests at once.
  node.change(pool, { drainMs: 30_000 });
  web(1).health = 200;
  await node.apply();
  await waitFor('the member', async () => (await ask(port)).text === two);
  node.remove(second);
  await node.haproxy.apply(node.model());
  expect((await ask(port)).status).toBe(503);
}, 30_000);
