// An address that two nodes on two hosts share. Keepalived moves it when HAProxy or a leg of its current node fails.
// needs: iproute2, iputils-ping, root
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import pino from 'pino';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { Ip } from '../../../../../subgraphs/loadbalancer/agents/lbhost/providers/ip.ts';
import { NetnsNames } from '../../../../../subgraphs/loadbalancer/agents/lbhost/providers/netns-names.ts';
import type { WantedNode } from '../../../../../subgraphs/loadbalancer/wire/wanted-node.ts';
import { endProcessesOf } from '../../../../support/machine/left-processes.ts';
import { waitFor } from '../../../../support/machine/temporary-folder.ts';
import { testAuthority, testMachine } from '../../../../support/product/machines.ts';
import { HostProcess } from '../../support/host-process.ts';
import { TestControl } from '../../support/test-control.ts';
import { canHaveNamespaces, type TestHost, TwoHosts } from '../../support/two-hosts.ts';
import { part, wantedNode } from '../../support/wanted.ts';

const log = pino({ level: 'silent' });
const ip = new Ip([]);
const floating = '10.0.0.200';
const port = 80;

interface Running {
  readonly machine: TestHost;
  readonly folder: string;
  readonly names: NetnsNames;
  readonly process: HostProcess;
  readonly control: TestControl;
  readonly node: WantedNode;
}

(canHaveNamespaces ? describe : describe.skip)('a floating address', () => {
  let hosts: TwoHosts;
  let folder: string;
  let running: readonly Running[];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lb-floating-'));
    hosts = new TwoHosts();
    await hosts.start();
    const authority = await testAuthority();
    const balancer = newUuid();
    running = await Promise.all(
      [hosts.one, hosts.two].map(async (machine, index): Promise<Running> => {
        const control = new TestControl(log);
        await control.start(authority);
        const { cert, key, ca } = await testMachine(authority, 'lbhost', `host-${index}`, log);
        const own = join(folder, String(index));
        const { publicRange, managementRange, tunnelAddress, via } = machine;
        const process = new HostProcess({
          ...{ folder: own, tls: { cert, key, ca }, healthPort: 8399 },
          urls: [`wss://127.0.0.1:${control.port}/link`],
          netns: { publicRange, managementRange, tunnelAddress, via },
        });
        const peer = index === 0 ? hosts.two : hosts.one;
        const pool = part('Pool', balancer, { memberProtocol: 'HTTP' });
        const listener = part('Listener', balancer, { protocol: 'HTTP', port, defaultPool: pool.id });
        const node: WantedNode = {
          ...wantedNode(balancer, [pool, listener]),
          ...{ name: `node-${index}`, loadBalancer: { id: balancer, name: 'web', generation: 1 } },
          address: `198.18.${machine.index}.10`,
          managementAddress: `198.19.${machine.index}.10`,
          subnet: { address: `10.0.0.${index + 10}`, cidr: '10.0.0.0/24', vni: 71, peers: [peer.tunnelAddress] },
          floating: { address: floating, routerId: 7, priority: index === 0 ? 150 : 100 },
        };
        control.set(node);
        await process.start();
        return { machine, folder: own, names: new NetnsNames(own), process, control, node };
      }),
    );
    for (const { control, node } of running) await waitFor('the node', () => control.isDone(node));
  });
  afterEach(async () => {
    for (const { process, control } of running) {
      await process.end('SIGKILL');
      await control.stop();
    }
    await endProcessesOf(folder);
    // Cleans up after a failed test. After a successful one nothing is left.
    for (const { machine, folder: own } of running) {
      const provider = machine.open(machine.ip, own);
      for (const name of await provider.list()) await provider.remove(name);
    }
    await hosts.stop();
    await rm(folder, { recursive: true, force: true });
  });

  function space({ names, node }: Running): string {
    return names.namespace(node.name);
  }

  async function has(host: Running): Promise<boolean> {
    return (await ip.run(['ip', '-netns', space(host), 'address', 'show'])).includes(` ${floating}/32 `);
  }

  /** The host that has the address, if exactly one has it. */
  async function holder(): Promise<Running | undefined> {
    const found = [];
    for (const host of running) if (await has(host)) found.push(host);
    return found.length === 1 ? found[0] : undefined;
  }

  /** True if HAProxy answers with any status, from a client in the subnet at the other host's end. */
  async function answers(from: Running): Promise<boolean> {
    const program = `require('net').connect({ host: '${floating}', port: ${port}, timeout: 1000 }, function () { this.end('GET / HTTP/1.0\\r\\n\\r\\n') })
      .on('data', (d) => { console.log(String(d).slice(0, 12)); process.exit(0) }).on('timeout', () => process.exit(1)).on('error', () => process.exit(1))`;
    const { code } = await ip.try(['ip', 'netns', 'exec', space(from), process.execPath, '-e', program]);
    return code === 0;
  }

  async function pidOf({ folder: own, node }: Running, file: string): Promise<number> {
    return Number(await readFile(join(own, 'nodes', node.name, file), 'utf8'));
  }

  test('moves when HAProxy fails, stays over restarts of the host, and moves when a leg is cut', async () => {
    // The first node that is ready.
    const first = await waitFor('the address at one of them', holder);
    const second = running.find((each) => each !== first) as Running;
    await waitFor('an answer', () => answers(second));

    // The host processes are killed and restarted. The address stays, and so does keepalived.
    const pid = await pidOf(first, 'keepalived.pid');
    for (const { process } of running) await process.end('SIGKILL');
    expect(await holder()).toBe(first);
    await waitFor('an answer', () => answers(second));
    for (const { process, control, node } of running) {
      control.reports.clear();
      await process.start();
      await waitFor('the node', () => control.isDone(node));
    }
    expect(await pidOf(first, 'keepalived.pid')).toBe(pid);
    expect(await holder()).toBe(first);

    // HAProxy is killed while no host process can restart it.
    await first.process.end('SIGKILL');
    process.kill(await pidOf(first, 'haproxy.pid'), 'SIGKILL');
    await waitFor('the address at the second', async () => (await holder()) === second);
    await waitFor('an answer', () => answers(first));
    // After a restart it does not take the address back.
    await first.process.start();
    await waitFor('an answer by its own address', async () => {
      const { code } = await first.machine.ip.try(['ping', '-c', '1', '-W', '1', first.node.address]);
      return code === 0 && (await pidOf(first, 'haproxy.pid').catch(() => 0)) > 0;
    });
    expect(await holder()).toBe(second);

    // The other node's public leg is cut, so that no client could reach it.
    await second.process.end('SIGKILL');
    await second.machine.ip.batch([`link set ${second.names.port(second.node.name, 'public')} down`]);
    await waitFor('the address at the first', async () => (await holder()) === first);
    await waitFor('an answer', () => answers(second));
    await second.process.start();

    // A drained node leaves the address to the other one.
    const drained: WantedNode = { ...first.node, generation: 2, state: 'DRAIN' };
    first.control.set(drained);
    await waitFor('the address at the second', async () => (await holder()) === second);

    for (const { control, node } of running) control.remove(node.id);
    for (const { control, node, machine, names } of running) {
      await waitFor('its end', () => control.gone.has(node.id));
      const spaces = (await ip.run(['ip', 'netns', 'list']))
        .split('\n')
        .filter((line) => line.startsWith(names.switch));
      expect([spaces, await machine.left()]).toEqual([[], []]);
    }
  }, 180_000);
});
