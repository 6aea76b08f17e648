// The reach of an attacker who took over a program of a node. The tests read it from the kernel, for two nodes of one
// host that run as the host process starts them.
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { newUuid } from '../../../../../../platform/values/ids.ts';
import { NetnsNames } from '../../../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import type { WantedNode } from '../../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { endProcessesOf } from '../../../../../support/machine/left-processes.ts';
import { waitFor } from '../../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../../support/product/machines.ts';
import { HostProcess } from '../../../support/host-process.ts';
import { TestControl } from '../../../support/test-control.ts';
import { canHaveNamespaces, TwoHosts } from '../../../support/two-hosts.ts';
import { part, wantedNode } from '../../../support/wanted.ts';

const run = promisify(execFile);
const log = pino({ level: 'silent' });
const secret = 'the key of a listener';
/** capabilities(7): the bits of the sets in /proc/PID/status. */
const [setGid, netAdmin, netRaw] = [1n << 6n, 1n << 12n, 1n << 13n];

interface Seen {
  readonly pid: number;
  readonly status: ReadonlyMap<string, string>;
}

async function seen(pid: number): Promise<Seen> {
  const lines = (await readFile(`/proc/${pid}/status`, 'utf8')).split('\n');
  return { pid, status: new Map(lines.map((line) => line.split(/:\s*/, 2) as [string, string])) };
}

function idsOf({ status }: Seen): ReadonlySet<string> {
  return new Set(`${status.get('Uid')}\t${status.get('Gid')}`.split('\t'));
}

function capabilities({ status }: Seen, set: string): bigint {
  return BigInt(`0x${status.get(set)}`);
}

async function childrenOf(pid: number): Promise<number[]> {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.split(' ').filter(Boolean).map(Number);
}

(canHaveNamespaces ? describe : describe.skip)('nodes of a host', () => {
  let folder: string;
  let hosts: TwoHosts;
  let control: TestControl;
  let host: HostProcess;
  let nodes: readonly WantedNode[];

  const own = (node: WantedNode) => join(folder, 'nodes', node.name);
  const pidOf = async (node: WantedNode, file: string) => Number(await readFile(join(own(node), file), 'utf8'));
  const uidOf = async (node: WantedNode) => Number(await readFile(join(own(node), 'uid'), 'utf8'));

  /** The worker of the node's HAProxy. */
  async function worker(node: WantedNode): Promise<Seen> {
    const [pid = 0] = await childrenOf(await pidOf(node, 'haproxy.pid'));
    return seen(pid);
  }

  /** Keepalived itself, and its VRRP process. */
  async function keepalived(node: WantedNode): Promise<readonly Seen[]> {
    const pid = await pidOf(node, 'keepalived.pid');
    const child = await waitFor('the process that speaks VRRP', async () => (await childrenOf(pid))[0]);
    return Promise.all([pid, child].map(seen));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lb-confined-'));
    // The nodes' confinement must keep others out, not the permissions of the test's folder.
    await chmod(folder, 0o755);
    hosts = new TwoHosts();
    await hosts.start();
    const authority = await testAuthority();
    control = new TestControl(log);
    await control.start(authority);
    const { cert, key, ca } = await testMachine(authority, 'lbhost', 'host', log);
    const { publicRange, managementRange, tunnelAddress, via } = hosts.one;
    host = new HostProcess({
      ...{ folder, tls: { cert, key, ca }, healthPort: 8399 },
      urls: [`wss://127.0.0.1:${control.port}/link`],
      netns: { publicRange, managementRange, tunnelAddress, via },
    });
    nodes = [0, 1].map((index) => {
      const balancer = newUuid();
      const pool = part('Pool', balancer, { memberProtocol: 'HTTP' });
      const listener = part('Listener', balancer, { protocol: 'HTTP', port: 80, defaultPool: pool.id });
      return {
        ...wantedNode(balancer, [pool, listener], [{ id: newUuid(), version: 1, pem: secret }]),
        ...{ name: `node-${index}`, loadBalancer: { id: balancer, name: 'web', generation: 1 } },
        ...{ address: `198.18.1.${index + 10}`, managementAddress: `198.19.1.${index + 10}`, subnet: null },
        floating: { address: `198.18.1.${index + 100}`, routerId: index + 1, priority: 100 },
      };
    });
    for (const node of nodes) control.set(node);
    await host.start();
    for (const node of nodes) await waitFor('the node', () => control.isDone(node));
  }, 120_000);
  afterAll(async () => {
    await host.end('SIGKILL');
    await control.stop();
    await endProcessesOf(folder);
    const provider = hosts.one.open(hosts.one.ip, folder);
    for (const name of await provider.list()) await provider.remove(name);
    await hosts.stop();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  test('HAProxy has a separate user ID for each node, no privileges, and an empty root', async () => {
    const workers = await Promise.all(nodes.map(worker));
    for (const [index, each] of workers.entries()) {
      const node = nodes[index] as WantedNode;
      expect([...idsOf(each)]).toEqual([String(await uidOf(node))]);
      expect(each.status.get('Groups')?.trim()).toBe('');
      for (const set of ['CapEff', 'CapPrm', 'CapBnd', 'CapAmb'])
        expect([set, capabilities(each, set)]).toEqual([set, 0n]);
      expect(each.status.get('NoNewPrivs')).toBe('1');
      expect(await readlink(`/proc/${each.pid}/root`)).toBe(join(own(node), 'empty'));
      expect(await readdir(`/proc/${each.pid}/root/`)).toEqual([]);
      // It contains nothing of this process's environment.
      expect(await readFile(`/proc/${each.pid}/environ`, 'utf8')).not.toMatch(/HOME|NODE|USER/);
    }
    const ids = await Promise.all(nodes.map(uidOf));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) {
      expect(id).toBeGreaterThanOrEqual(65_536);
      await expect(run('getent', ['passwd', String(id)])).rejects.toMatchObject({ code: 2 });
    }
  });

  test('the HAProxy master has what it needs to make a worker, and can get no more', async () => {
    for (const node of nodes) {
      const master = await seen(await pidOf(node, 'haproxy.pid'));
      // SETUID, SETGID, SYS_CHROOT, KILL and NET_BIND_SERVICE.
      expect(capabilities(master, 'CapPrm')).toBe(0x404e0n);
      expect(capabilities(master, 'CapBnd')).toBe(0n);
      expect(master.status.get('NoNewPrivs')).toBe('1');
      // Each folder on the way to its own contains only the next one.
      for (let way = folder; dirname(way) !== '/'; way = dirname(way))
        expect(await readdir(`/proc/${master.pid}/root${dirname(way)}`)).toEqual([basename(way)]);
      expect(await readdir(`/proc/${master.pid}/root${folder}/nodes`)).toEqual([node.name]);
    }
  });

  test('keepalived has the node’s user ID, and the capabilities to change the node’s own network', async () => {
    for (const node of nodes)
      for (const each of await keepalived(node)) {
        expect([...idsOf(each)]).toEqual([String(await uidOf(node))]);
        for (const set of ['CapEff', 'CapPrm', 'CapBnd'])
          expect([set, capabilities(each, set)]).toEqual([set, netAdmin | netRaw | setGid]);
        expect(each.status.get('NoNewPrivs')).toBe('1');
        // It sees its own part of its node's folder, and nothing of other nodes.
        expect(await readdir(`/proc/${each.pid}/root${folder}/nodes`)).toEqual([node.name]);
        expect(await readdir(`/proc/${each.pid}/root${own(node)}`)).toEqual(['keepalived']);
      }
  });

  test('each program has its own mounts and process IDs', async () => {
    const pids = await Promise.all(
      nodes.map(async (node) => [
        (await worker(node)).pid,
        ...(await keepalived(node)).slice(0, 1).map(({ pid }) => pid),
      ]),
    );
    for (const space of ['mnt', 'pid', 'ipc']) {
      const names = await Promise.all([process.pid, ...pids.flat()].map((pid) => readlink(`/proc/${pid}/ns/${space}`)));
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test('only root can read a key', async () => {
    const [one, two] = nodes as [WantedNode, WantedNode];
    const certificates = join(own(two), 'certificates');
    const [file = ''] = await readdir(certificates);
    expect(await readFile(join(certificates, file), 'utf8')).toContain(secret);
    for (const uid of [await uidOf(one), await uidOf(two)]) {
      const as = ['--reuid', String(uid), '--regid', String(uid), '--clear-groups'];
      await expect(run('setpriv', [...as, 'cat', join(certificates, file)])).rejects.toThrow('Permission denied');
    }
    // Also at the path where a node's own program would look for it.
    const inside = `/proc/${(await keepalived(one))[0]?.pid}/root${certificates}`;
    await expect(stat(inside)).rejects.toThrow('ENOENT');
  });

  test('its host limits it, or reports that it can’t', async () => {
    const { confinementFault } = JSON.parse(await readFile(join(folder, 'test-host.ready'), 'utf8')) as {
      readonly confinementFault: string | null;
    };
    const given = await readFile('/sys/fs/cgroup/cgroup.controllers', 'utf8').catch(() => '');
    const missing = ['cpu', 'memory', 'pids'].filter((each) => !given.split(/\s/).includes(each));
    if (missing.length > 0) {
      expect(confinementFault).toContain(`without limits of ${missing.join(', ')}`);
      return;
    }
    expect(confinementFault).toBeNull();
    for (const node of nodes) {
      const cgroup = join('/sys/fs/cgroup/tidegate-lbhost', new NetnsNames(folder).namespace(node.name));
      const { threads, connections } = node.size;
      expect(await readFile(join(cgroup, 'cpu.max'), 'utf8')).toBe(`${threads * 100_000} 100000\n`);
      expect(Number(await readFile(join(cgroup, 'memory.max'), 'utf8'))).toBeGreaterThan(connections * 128 * 1024);
      const members = (await readFile(join(cgroup, 'cgroup.procs'), 'utf8')).trim().split('\n').map(Number);
      expect(members).toContain((await worker(node)).pid);
      // More than its share of the processors: a program that uses all CPU time is limited.
      const burn = `echo $$ >${cgroup}/cgroup.procs; for each in ${'x '.repeat(threads + 1)}; do (while :; do :; done) & done; sleep 2; kill 0`;
      await run('setsid', ['sh', '-c', burn]).catch(() => undefined);
      const [, throttled = '0'] = /^nr_throttled (\d+)$/m.exec(await readFile(join(cgroup, 'cpu.stat'), 'utf8')) ?? [];
      expect(Number(throttled)).toBeGreaterThan(0);
    }
  });

  test('a removed node leaves nothing behind, and its user ID is free', async () => {
    const [, gone] = nodes as [WantedNode, WantedNode];
    const pid = (await worker(gone)).pid;
    const guard = await pidOf(gone, 'keepalived.pid');
    control.remove(gone.id);
    await waitFor('its end', () => control.gone.has(gone.id));
    for (const each of [pid, guard])
      await waitFor('the end of a process', () =>
        readlink(`/proc/${each}/ns/pid`).then(
          () => false,
          () => true,
        ),
      );
    await expect(stat(own(gone))).rejects.toThrow('ENOENT');
  });
});
