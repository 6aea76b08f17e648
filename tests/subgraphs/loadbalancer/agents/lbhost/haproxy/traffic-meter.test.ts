// A node's figures match its clients' actions for each listener, pool and member, over reloads and changes of members.
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Client } from 'undici';
import { newUuid } from '../../../../../../platform/values/ids.ts';
import { RuntimeSocket } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts';
import {
  type StatisticsSource,
  StatisticsTable,
} from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/statistics-table.ts';
import { TrafficMeter } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/traffic-meter.ts';
import { statisticsReport } from '../../../../../../subgraphs/loadbalancer/wire/statistics-report.ts';
import { trafficReport } from '../../../../../../subgraphs/loadbalancer/wire/traffic-report.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { HaproxyNode } from '../../../support/haproxy-node.ts';
import { ask, streamMember, type TestMember, webMember } from '../../../support/members.ts';

let node: HaproxyNode;
let webs: TestMember[];
let meter: TrafficMeter;

beforeEach(async () => {
  node = await HaproxyNode.make();
  webs = await Promise.all(['one', 'two'].map((name) => webMember(name)));
  meter = newMeter();
});
/** A meter like that of another process of the host. */
function newMeter(runtime = new RuntimeSocket(join(node.folder, 'run.sock'))): TrafficMeter {
  return new TrafficMeter({
    node: newUuid(),
    runtime,
    master: new RuntimeSocket(join(node.folder, 'master.sock')),
    start: () => 'start',
    kept: join(node.folder, 'count.json'),
    parts: () => node.parts,
  });
}

afterEach(async () => {
  await node.stop();
  for (const web of webs) await web.stop();
});

async function startWithOneMember() {
  const pool = node.pool();
  node.member(pool, webs[0]?.port ?? 0);
  const listener = await node.listener({ defaultPool: pool.id });
  await node.start();
  return listener;
}

test('requests, errors, bytes and status keep counting over a reload and a new member', async () => {
  const pool = node.pool({ failOpenBelowPercent: 10 });
  node.monitor(pool, { path: '/health' });
  const [one, two] = webs;
  const first = node.member(pool, one?.port ?? 0);
  const listener = await node.listener({ defaultPool: pool.id });
  await node.start();
  for (let n = 0; n < 4; n += 1) await ask(listener.port, { method: 'POST', body: 'x'.repeat(1_000) });
  if (one !== undefined) one.status = 500;
  for (let n = 0; n < 2; n += 1) await ask(listener.port, { method: 'POST' });
  if (one !== undefined) one.status = 200;
  const before = trafficReport.parse(await meter.read());
  expect(before).toMatchObject({ requests: 6, errors: 2, mostOpen: 1_000, open: 0, finishing: 0 });
  expect(before.listeners).toMatchObject([{ id: listener.id, requests: 6, answers: { '2xx': 4, '5xx': 2 } }]);
  expect(before.bytesIn).toBeGreaterThan(4_000);
  expect(before.pools).toMatchObject([{ id: pool.id, requests: 6, errors: 2, usableMembers: 1 }]);
  expect(before.members).toMatchObject([{ id: first.id, requests: 6, errors: 2, status: 'UP' }]);

  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  const second = node.member(pool, two?.port ?? 0);
  await node.apply();
  for (let n = 0; n < 4; n += 1) await ask(listener.port);
  if (two !== undefined) two.health = 500;
  await waitFor('it is down', async () => {
    const { members } = await meter.read();
    return members.some(({ id, status }) => id === second.id && status === 'DOWN');
  });
  const after = await meter.read();
  expect(after.count).toBe(before.count);
  expect(after.requests).toBe(10);
  expect(after.pools[0]).toMatchObject({ requests: 10, usableMembers: 1 });
}, 60_000);

test("HAProxy's table has sessions, errors, retries, and check texts with their times for each listener, pool and member", async () => {
  const pool = node.pool();
  node.monitor(pool, { path: '/health' });
  const [one, two] = webs;
  const [good, bad] = [node.member(pool, one?.port ?? 0), node.member(pool, two?.port ?? 0)];
  if (two !== undefined) two.health = 503;
  const listener = await node.listener({ defaultPool: pool.id });
  await node.start();
  const table = new StatisticsTable(newUuid());
  const read = async () => {
    await meter.read();
    return statisticsReport.parse(table.read(meter.source as StatisticsSource));
  };
  const serverOf = async (id: string) => (await read()).servers.find((each) => each.id === id);
  await waitFor('one is down', async () => (await serverOf(bad.id))?.status === 'DOWN');
  for (let n = 0; n < 3; n += 1) await ask(listener.port, { method: 'POST', body: 'x'.repeat(1_000) });
  const report = await read();
  expect(report.listeners).toMatchObject([{ id: listener.id, requests: 3, requestErrors: 0, serverErrors: 0 }]);
  expect(report.pools).toMatchObject([{ id: pool.id, requests: 3, usableMembers: 1, waiting: 0, retries: 0 }]);
  const servers = new Map(report.servers.map((each) => [each.id, each]));
  expect(servers.get(good.id)).toMatchObject({
    ...{ pool: pool.id, address: `127.0.0.1:${one?.port}`, requests: 3, open: 0, falls: 0 },
    check: { code: 'L7OK', message: 'its check succeeded' },
  });
  expect(servers.get(good.id)?.bytesIn).toBeGreaterThan(3_000);
  expect(servers.get(bad.id)).toMatchObject({
    ...{ status: 'DOWN', requests: 0 },
    check: { code: 'L7STS', message: 'the answer has status 503' },
  });
  expect(report.at - (servers.get(bad.id)?.changedAt ?? 0)).toBeLessThan(60_000);
  // The check's text stays the same, and so does its time.
  const { since = 0 } = servers.get(bad.id)?.check ?? {};
  expect((await serverOf(bad.id))?.check?.since).toBe(since);
  expect(report.leftOut).toBe(0);
});

test('an earlier worker that finishes sessions is counted; members are reported when they change, and periodically', async () => {
  const held = await streamMember((socket) => void socket.resume());
  const pool = node.pool({ memberProtocol: 'TCP' });
  node.member(pool, held.port);
  const listener = await node.listener({ protocol: 'TCP', defaultPool: pool.id });
  await node.start();
  const client = connect(listener.port, '127.0.0.1');
  await waitFor('the session', async () => (await meter.read()).open === 1);
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  await waitFor('the earlier worker', async () => (await meter.read()).finishing === 1);
  expect((await meter.read()).open).toBe(0);
  client.destroy();
  await waitFor('its end', async () => (await meter.read()).finishing === 0);
  const counts = [];
  for (let n = 0; n < 30; n += 1) counts.push((await meter.read()).members.length);
  expect(counts.filter((count) => count === 1).length).toBeLessThanOrEqual(4);
  expect(counts.filter((count) => count === 1).length).toBeGreaterThanOrEqual(2);
  await held.stop();
}, 60_000);

test('another process of the host continues the count: requests in between are counted once, also after a reload', async () => {
  const listener = await startWithOneMember();
  await ask(listener.port);
  const first = await meter.read();
  await ask(listener.port);
  const second = await newMeter().read();
  expect([webs[0]?.asked.length, first.requests]).toEqual([2, 1]);
  expect([second.count, second.requests, second.pools[0]?.requests]).toEqual([first.count, 2, 2]);
  // A reload that the next process sees.
  const reader = newMeter();
  await reader.read();
  await node.listener({ protocol: 'TCP' });
  expect((await node.apply()).reloaded).toBe(true);
  expect((await reader.read()).requests).toBe(2);
  await ask(listener.port);
  const third = await newMeter().read();
  expect([third.count, third.requests, third.members[0]?.requests]).toEqual([first.count, 3, 3]);
}, 60_000);

test('traffic from an unknown earlier time is not counted: a new count begins at 0', async () => {
  const listener = await startWithOneMember();
  await ask(listener.port);
  const first = await meter.read();
  // A whole second of HAProxy's clock.
  await waitFor('a process that starts later', async () => Date.now() - first.at > 1_000);
  for (const damage of ['', '{"worker":', JSON.stringify({ worker: '1 1', count: first.count, bases: [] })]) {
    await writeFile(join(node.folder, 'count.json'), damage);
    const next = newMeter();
    const second = await next.read();
    expect(second.count).not.toBe(first.count);
    expect(second).toMatchObject({ requests: 0, bytesIn: 0, listeners: [{ requests: 0 }], members: [{ requests: 0 }] });
    await ask(listener.port);
    expect((await next.read()).requests).toBe(1);
    expect((await newMeter().read()).requests).toBe(1);
  }
}, 60_000);

test("the deletion of a listener subtracts nothing from the node's counts", async () => {
  const pool = node.pool();
  node.member(pool, webs[0]?.port ?? 0);
  const [kept, gone] = [await node.listener({ defaultPool: pool.id }), await node.listener({ defaultPool: pool.id })];
  await node.start();
  for (const { port } of [kept, gone, gone]) await ask(port);
  const before = await meter.read();
  expect(before.requests).toBe(3);
  const { parts } = node;
  node.remove(gone);
  await node.apply();
  const after = await meter.read();
  expect(after).toMatchObject({ requests: 3, bytesIn: before.bytesIn, bytesOut: before.bytesOut });
  // The listener comes back, as on a node that was drained and then restored.
  node.parts = parts;
  await node.apply();
  await ask(gone.port);
  expect((await meter.read()).requests).toBe(4);
  expect((await newMeter().read()).requests).toBe(4);
}, 60_000);

test('latency is the time that members take, without the pauses of a client that keeps its connection', async () => {
  const listener = await startWithOneMember();
  const client = new Client(`http://127.0.0.1:${listener.port}`);
  let longest = 0;
  for (let n = 0; n < 5; n += 1) {
    await sleep(300);
    const asked = performance.now();
    await (await client.request({ path: '/', method: 'GET' })).body.dump();
    longest = Math.max(longest, performance.now() - asked);
  }
  await client.close();
  const { pools, members, listeners } = await meter.read();
  // HAProxy rounds to milliseconds.
  for (const { latencyMs } of [...pools, ...members, ...listeners]) expect(latencyMs).toBeLessThanOrEqual(longest + 1);
}, 60_000);

test('an answer with missing figures is ignored: nothing is counted twice, and no node counts as busy', async () => {
  const pool = node.pool();
  node.member(pool, webs[0]?.port ?? 0);
  const listener = await node.listener({ defaultPool: pool.id });
  const path = join(node.folder, 'relay.sock');
  // Created before HAProxy starts. A later meter would not count the request.
  const relayed = newMeter(new RuntimeSocket(path));
  await node.start();
  await ask(listener.port);
  const runtime = new RuntimeSocket(join(node.folder, 'run.sock'));
  let shorten = (answer: string) => answer;
  // HAProxy's own answers, cut off as by a worker that ends.
  const relay = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (command) => {
      const answered = runtime.ask(String(command).trim());
      void answered.then((answer) => socket.end(shorten(answer)));
    });
  });
  await new Promise<void>((resolve) => relay.listen(path, resolve));
  try {
    const before = await relayed.read();
    expect(before.requests).toBe(1);
    const cuts = [0, 1, 200, 0.3, 0.7, -300].map((at) => (answer: string) => {
      return answer.slice(0, Math.abs(at) < 1 ? Math.floor(answer.length * at) : at);
    });
    for (const cut of cuts) {
      shorten = cut;
      await expect(relayed.read()).rejects.toThrow('HAProxy did not give all of its figures');
      shorten = (answer) => answer;
      expect(await relayed.read()).toMatchObject({ count: before.count, requests: 1, listeners: [{ requests: 1 }] });
    }
  } finally {
    await new Promise((resolve) => relay.close(resolve));
  }
}, 60_000);
