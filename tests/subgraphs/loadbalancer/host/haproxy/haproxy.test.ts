// A real HAProxy is brought from one model to the next while clients ask it: no request fails.
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { Agent, request } from 'undici';
import { newUuid } from '../../../../../platform/ids.ts';
import { Haproxy } from '../../../../../subgraphs/loadbalancer/host/haproxy/haproxy.ts';
import { renderNode } from '../../../../../subgraphs/loadbalancer/host/haproxy/render.ts';
import type { WantedNode, WantedPart } from '../../../../../subgraphs/loadbalancer/wanted/wanted-node.ts';
import { freePort } from '../../../../support/free-port.ts';
import { part, wantedNode } from '../../support/wanted.ts';

interface Web {
  readonly port: number;
  readonly server: Server;
}

let webs: Web[];
let folder: string;
let haproxy: Haproxy;
let ports: { readonly http: number; readonly health: number };
const incarnation = newUuid();

async function web(name: string): Promise<Web> {
  const server = createServer((_, response) => response.end(name));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

beforeAll(async () => {
  webs = await Promise.all(['one', 'two', 'three'].map(web));
});
afterAll(async () => {
  for (const { server } of webs) server.closeAllConnections();
  await Promise.all(webs.map(({ server }) => new Promise((resolve) => server.close(resolve))));
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-haproxy-'));
  ports = { http: await freePort(), health: await freePort() };
  haproxy = open();
});
afterEach(async () => {
  await haproxy.stop();
  await rm(folder, { recursive: true, force: true });
});

function open(): Haproxy {
  return new Haproxy({
    program: '/usr/sbin/haproxy',
    folder,
    wrapper: () => [],
    drainMs: () => 5_000,
    firstCheckMs: 5_000,
  });
}

function model(wanted: WantedNode) {
  return renderNode(wanted, {
    folder,
    runtimeSocket: join(folder, 'run.sock'),
    logSocket: join(folder, 'log.sock'),
    healthPort: ports.health,
    incarnation,
    addressesOf: () => [],
  });
}

const balancerId = newUuid();
const pool = part('Pool', balancerId, { protocol: 'HTTP', drainMs: 1_000 });
const monitor = part('HealthMonitor', pool.id, { type: 'HTTP', intervalMs: 200, timeoutMs: 100 });

const nodeId = newUuid();
const listenerId = newUuid();

function wanted(members: readonly WantedPart[], more: readonly WantedPart[] = []): WantedNode {
  const listener = part('Listener', balancerId, { protocol: 'HTTP', port: ports.http, defaultPool: pool.id });
  const parts = [pool, monitor, { ...listener, id: listenerId }, ...members, ...more];
  return { ...wantedNode(balancerId, parts), id: nodeId };
}

function member(index: number, given: { readonly weight?: number } = {}): WantedPart {
  return part('Member', pool.id, { host: '127.0.0.1', port: webs[index]?.port ?? 0, ...given });
}

async function answers(count: number, agent: Agent): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for (let n = 0; n < count; n += 1) {
    const { statusCode, body } = await request(`http://127.0.0.1:${ports.http}/`, { dispatcher: agent });
    const text = statusCode === 200 ? await body.text() : `status ${statusCode}`;
    if (statusCode !== 200) await body.dump();
    found.set(text, (found.get(text) ?? 0) + 1);
  }
  return found;
}

test('members come, change weight and go at runtime, and a reload adds a listener: no request fails', async () => {
  const [first, second, third] = [member(0), member(1), member(2)];
  await haproxy.start(model(wanted([first])));
  const agent = new Agent({ connections: 4 });
  let asking = true;
  const seen = new Map<string, number>();
  const client = (async () => {
    while (asking) for (const [text, count] of await answers(20, agent)) seen.set(text, (seen.get(text) ?? 0) + count);
  })();

  const steps: [WantedNode, boolean][] = [
    [wanted([first, second]), false],
    [wanted([first, second, third]), false],
    [wanted([first, { ...second, spec: { ...second.spec, weight: 5 } }, third]), false],
    [wanted([second, third]), false],
    [wanted([second, third], [part('Listener', balancerId, { protocol: 'TCP', port: await freePort() })]), true],
    [wanted([first, second]), true],
  ];
  for (const [next, reloads] of steps) {
    expect((await haproxy.apply(model(next))).reloaded).toBe(reloads);
    await haproxy.settled();
  }
  asking = false;
  await client;
  expect([...seen.keys()].sort()).toEqual(['one', 'three', 'two']);
  expect([...(await answers(20, agent)).keys()].sort()).toEqual(['one', 'two']);
  await agent.close();
}, 30_000);

test('a member that is dead gets nothing, also right after it was added and after a reload', async () => {
  const alive = member(0);
  const dead = part('Member', pool.id, { host: '127.0.0.1', port: await freePort() });
  await haproxy.start(model(wanted([alive])));
  const agent = new Agent({ connections: 1 });
  await haproxy.apply(model(wanted([alive, dead])));
  expect(await answers(50, agent)).toEqual(new Map([['one', 50]]));
  const listener = part('Listener', balancerId, { protocol: 'TCP', port: await freePort() });
  expect((await haproxy.apply(model(wanted([alive, dead], [listener])))).reloaded).toBe(true);
  expect(await answers(50, agent)).toEqual(new Map([['one', 50]]));
  await agent.close();
}, 30_000);

test('it runs on without us, and is adopted', async () => {
  await haproxy.start(model(wanted([member(0)])));
  const pid = await haproxy.pid();
  await haproxy.leave();
  haproxy = open();
  expect(await haproxy.adopt(model(wanted([member(0)])))).toBe(true);
  expect(await haproxy.pid()).toBe(pid);
  const agent = new Agent({ connections: 1 });
  expect(await answers(3, agent)).toEqual(new Map([['one', 3]]));
  await agent.close();
});

test('a configuration that HAProxy does not accept changes nothing', async () => {
  const good = model(wanted([member(0)]));
  await haproxy.start(good);
  const bad = { ...good, defaults: [...good.defaults, 'no such keyword'] };
  await expect(haproxy.apply(bad)).rejects.toThrow('does not accept');
  const agent = new Agent({ connections: 1 });
  expect(await answers(3, agent)).toEqual(new Map([['one', 3]]));
  await agent.close();
});
