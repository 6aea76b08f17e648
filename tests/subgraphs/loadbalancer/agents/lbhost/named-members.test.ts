// A host's reports about members with host names. A member is up while at least one address is, and down without any.
// needs: haproxy
// needs: keepalived
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import pino from 'pino';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { Turns } from '../../../../../platform/work/turns.ts';
import {
  Confinement,
  usualFirstUid,
} from '../../../../../subgraphs/loadbalancer/agents/lbhost/confinement/confinement.ts';
import { RuntimeSocket } from '../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/runtime-socket.ts';
import { readServerStates } from '../../../../../subgraphs/loadbalancer/agents/lbhost/haproxy/server-states.ts';
import {
  type MemberReport,
  NodeRunner,
  removeNode,
} from '../../../../../subgraphs/loadbalancer/agents/lbhost/node-runner.ts';
import { LoopbackProvider } from '../../../../../subgraphs/loadbalancer/agents/lbhost/providers/loopback.ts';
import type { WantedNode } from '../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { freePort } from '../../../../support/machine/free-port.ts';
import { endProcessesOf } from '../../../../support/machine/left-processes.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { part, wantedNode } from '../../support/wanted.ts';

const hosts = ['127.0.0.41', '127.0.0.42'] as const;
let folder: string;
let runner: NodeRunner;
let webs: Map<string, Server>;
let port: number;
let addresses: readonly string[];
let reports: MemberReport[];
/** Traffic reports so far. */
let measured: number;
let wanted: WantedNode;
let dependencies: Parameters<typeof removeNode>[1];

async function serve(host: string, at = 0): Promise<number> {
  const server = createServer((_, response) => response.end(host));
  await new Promise<void>((resolve) => server.listen(at, host, resolve));
  webs.set(host, server);
  return (server.address() as AddressInfo).port;
}

async function end(host: string): Promise<void> {
  const server = webs.get(host);
  webs.delete(host);
  server?.closeAllConnections();
  await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lb-named-'));
  [webs, reports, measured] = [new Map(), [], 0];
  const [one, two] = hosts;
  port = await serve(one);
  await serve(two, port);
  addresses = hosts;
  const balancerId = newUuid();
  const pool = part('Pool', balancerId, { memberProtocol: 'HTTP', drainMs: 100 });
  // The members are in this process, which may be busy. Checks may take a second, and two of them may fail.
  const checks = { monitorType: 'HTTP', intervalMs: 1_000, timeoutMs: 1_000, fall: 3, rise: 1 };
  const parts = [
    ...[pool, part('PoolHealthMonitor', pool.id, checks), part('PoolMember', pool.id, { host: 'web.test', port })],
    part('Listener', balancerId, { protocol: 'HTTP', port: await freePort(), defaultPool: pool.id }),
  ];
  wanted = wantedNode(balancerId, parts);
  const programs = { haproxy: '/usr/sbin/haproxy', keepalived: '/usr/sbin/keepalived' };
  const confinement = await Confinement.open({ folder, programs: [programs.haproxy], firstUid: usualFirstUid });
  const nodes = join(folder, 'nodes');
  dependencies = { ...programs, folder: nodes, provider: new LoopbackProvider(), confinement };
  runner = new NodeRunner(wanted, {
    ...{ ...dependencies, turns: new Turns(2), log: pino({ level: 'silent' }), healthPort: await freePort() },
    ...{ addressesOf: () => addresses, wanted: () => wanted, fault: () => undefined },
    ...{ report: () => undefined, trafficReport: () => (measured += 1), statisticsReport: () => undefined },
    memberReport: (report) => reports.push(report),
  });
  await runner.start();
});
afterEach(async () => {
  await runner.leave();
  await removeNode(wanted.name, dependencies);
  await endProcessesOf(folder);
  for (const host of [...webs.keys()]) await end(host);
  await rm(folder, { recursive: true, force: true });
});

const told = () => reports.map(({ status }) => status);

async function isUp(host: string): Promise<boolean | undefined> {
  const runtime = new RuntimeSocket(join(folder, 'nodes', wanted.name, 'run.sock'));
  for (const servers of (await readServerStates(runtime)).values())
    for (const server of servers.values()) if (server.address === host) return server.isUp;
  return undefined;
}

test('a member is down when its last address is, and when its name has none any more', async () => {
  const [one, two] = hosts;
  await waitFor('the first report', () => reports.length > 0);
  await waitFor('both addresses', async () => (await isUp(one)) === true && (await isUp(two)) === true);
  expect(told()).toEqual(['UP']);
  // The figures show that the states of all addresses are known.
  const before = measured;
  await waitFor('figures', () => measured > before + 1);
  await end(one);
  await waitFor('one is down', async () => (await isUp(one)) === false);
  const then = measured;
  await waitFor('figures after it', () => measured > then + 1);
  expect(told()).toEqual(['UP']);
  await end(two);
  await waitFor('the report', () => reports.length === 2);
  await serve(one, port);
  await waitFor('the report', () => reports.length === 3);
  addresses = [];
  await waitFor('the report', () => reports.length === 4);
  expect(reports[3]?.message).toBe('its host name, or that of monitorHost, has no address that may be dialled');
  addresses = [one];
  await waitFor('the report', () => reports.length === 5);
  expect(told()).toEqual(['UP', 'DOWN', 'UP', 'DOWN', 'UP']);
}, 60_000);
