// Many nodes on one host, in network namespaces: the time from their documents to the last report that all are in effect, compared with a
// shell script that creates the same. It also measures their memory, and the leftovers after all were removed. Needs root.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pino from 'pino';
import { endingWithParent } from '../embedded/ends-with-parent.ts';
import { type Claim, ownClaims } from '../lab/claims/claims.ts';
import { claimsOfHost } from '../lab/claims/host-claims.ts';
import { type BenchContext, type BenchResult, defineBench } from '../measure/bench.ts';
import { endProcess } from '../measure/child.ts';
import { proportionalKib } from '../measure/process-tree.ts';
import { rounded } from '../measure/statistics.ts';
import { newUuid } from '../platform/values/ids.ts';
import { Ip } from '../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { NetnsProvider } from '../subgraphs/loadbalancer/agents/lbhost/providers/netns.ts';
import { NetnsNames } from '../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import type { WantedNode } from '../subgraphs/loadbalancer/wire/wanted-node.ts';
import { HostProcess } from '../tests/subgraphs/loadbalancer/support/host-process.ts';
import { TestControl } from '../tests/subgraphs/loadbalancer/support/test-control.ts';
import { TwoHosts } from '../tests/subgraphs/loadbalancer/support/two-hosts.ts';
import { part, wantedNode } from '../tests/subgraphs/loadbalancer/support/wanted.ts';
import { endProcessesOf } from '../tests/support/machine/left-processes.ts';
import { testAuthority, testMachine } from '../tests/support/product/machines.ts';
import { haproxiesOf } from './lb-nodes/haproxies.ts';
import { makeByScript, scriptedSpaces } from './lb-nodes/script.ts';

const counts = { nodes: { help: 'nodes on one host', usual: 300 } };
const waitMs = 300_000;
const healthPort = 8399;
const ranges = { publicRange: '198.18.0.0/20', managementRange: '198.19.0.0/20' };

export const benchLbNodes = defineBench({ counts, run });

async function run({
  counts: { nodes: count },
  progress,
  signal,
}: BenchContext<keyof typeof counts>): Promise<BenchResult> {
  await using stack = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'lb-nodes-'));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const claims: readonly Claim[] = [
    ...claimsOfHost(join(folder, 'host')),
    { kind: 'namespaces', what: scriptedSpaces },
    { kind: 'processes', what: folder },
  ];
  await ownClaims.claim(...claims);
  stack.defer(() => ownClaims.release(...claims));
  const hosts = new TwoHosts();
  await hosts.start();
  stack.defer(() => hosts.stop());
  // Cleans up after a failed run.
  stack.defer(() => removePlaces(join(folder, 'host'), hosts.one.via));
  stack.defer(() => endProcessesOf(folder));

  for (const { via } of [hosts.one, hosts.two]) {
    const web = await startMembers(via);
    stack.defer(() => endProcess(web));
  }

  // Measured before and after, because other load may change while hundreds of nodes are created.
  const byScript = async () => {
    const ms = await makeByScript({ via: hosts.two.via, folder: join(folder, 'script'), count, healthPort, signal });
    progress(`script: ${rounded(ms, 0)} ms`);
    return ms;
  };
  const beforeMs = await byScript();

  const host = await startHost(join(folder, 'host'), hosts.one.via);
  stack.defer(() => host.stop());
  const wanted = Array.from({ length: count }, (_, index) => nodeOf(index));
  const before = await proportionalKib(host.process.pid);
  const beginMs = performance.now();
  for (const node of wanted) host.control.set(node);
  await until('all nodes', signal, () => wanted.every((node) => host.control.isDone(node)));
  const createMs = performance.now() - beginMs;
  progress(`nodes: ${rounded(createMs, 0)} ms`);
  const kib = await sumOfKib(await haproxiesOf(join(folder, 'host')));
  const hostKib = (await proportionalKib(host.process.pid)) - before;

  for (const { id } of wanted) host.control.remove(id);
  await until('all ends', signal, () => wanted.every(({ id }) => host.control.gone.has(id)));
  const left = await leftOf(join(folder, 'host'), hosts.one.via);
  for (const each of left) progress(`left: ${each}`);
  const floorMs = (beforeMs + (await byScript())) / 2;
  const figures = {
    createToFloor: rounded(createMs / floorMs, 2),
    mibPerNode: rounded((kib + Math.max(hostKib, 0)) / 1024 / count, 2),
    left: left.length,
    createMs: rounded(createMs, 0),
    floorMs: rounded(floorMs, 0),
    haproxyMibPerNode: rounded(kib / 1024 / count, 2),
  };
  return { figures };
}

async function startHost(folder: string, via: readonly string[]) {
  const log = pino({ level: 'silent' });
  const authority = await testAuthority();
  const control = new TestControl(log);
  await control.start(authority);
  const { cert, key, ca } = await testMachine(authority, 'lbhost', 'host', log);
  const process = new HostProcess({
    ...{ folder, tls: { cert, key, ca }, healthPort, urls: [`wss://127.0.0.1:${control.port}/link`] },
    netns: { ...ranges, tunnelAddress: null, via },
  });
  await process.start();
  await until('the connection', undefined, () => control.connected === 1);
  const stop = async () => {
    await process.end('SIGKILL');
    await control.stop();
  };
  return { process, control, stop };
}

/** The members for all nodes of a host, at the host's own addresses. */
async function startMembers(via: readonly string[]): Promise<ChildProcess> {
  const program = `for (const port of [8081, 8082]) require('http').createServer((_, r) => r.end('ok')).listen(port, '0.0.0.0', () => console.log('up'))`;
  const [command = '', ...args] = [...via, process.execPath, '-e', program];
  const child = spawn(...endingWithParent(command, args), { stdio: ['ignore', 'pipe', 2] });
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

/** A listener, a pool with two checked members, and interfaces in all three networks. */
function nodeOf(index: number): WantedNode {
  const balancer = newUuid();
  const pool = part('Pool', balancer, { memberProtocol: 'HTTP' });
  const listener = part('Listener', balancer, { protocol: 'HTTP', port: 80, defaultPool: pool.id });
  const monitor = part('PoolHealthMonitor', pool.id, { monitorType: 'HTTP', intervalMs: 1_000, timeoutMs: 500 });
  const members = [8081, 8082].map((port) => part('PoolMember', pool.id, { host: '198.18.0.1', port }));
  const [high, low] = [Math.floor((index + 10) / 256), (index + 10) % 256];
  return {
    ...wantedNode(balancer, [pool, listener, monitor, ...members]),
    ...{ name: `n${index}`, address: `198.18.${high}.${low}`, managementAddress: `198.19.${high}.${low}` },
    subnet: { address: `10.0.${high}.${low}`, cidr: '10.0.0.0/20', vni: 5, peers: [] },
  };
}

async function removePlaces(folder: string, via: readonly string[]): Promise<void> {
  const provider = new NetnsProvider({ ...ranges, folder, tunnelAddress: null, ip: new Ip(via) });
  for (const name of await provider.list()) await provider.remove(name);
}

async function sumOfKib(pids: readonly number[]): Promise<number> {
  let sum = 0;
  for (const pid of pids) sum += await proportionalKib(pid);
  return sum;
}

/** Leftover namespaces, interfaces, processes and files of removed nodes. */
async function leftOf(folder: string, via: readonly string[]): Promise<readonly string[]> {
  const names = new NetnsNames(folder);
  const links = [...(await new Ip(via).links()).keys()];
  return [
    ...(await readdir('/run/netns')).filter((name) => name.startsWith(names.switch)),
    ...links.filter((name) => name.startsWith('tg')),
    ...(await haproxiesOf(folder)).map((pid) => `process ${pid}`),
    ...(await readdir(join(folder, 'nodes'))),
    ...(await readdir(join(folder, 'documents'))),
  ];
}

async function until(what: string, signal: AbortSignal | undefined, is: () => boolean): Promise<void> {
  const end = performance.now() + waitMs;
  while (!is()) {
    signal?.throwIfAborted();
    if (performance.now() > end) throw new Error(`not in time: ${what}`);
    await sleep(5);
  }
}
