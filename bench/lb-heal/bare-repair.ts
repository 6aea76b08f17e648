// The minimum for a repair: a node of the same provider and an update by RFC 2136, made by hand, without rows, decisions or checks.
// needs: haproxy
import { execFile } from 'node:child_process';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { DnsClient } from '../../dns/servers/dns-client.ts';
import { classes, encodeAddress, types } from '../../dns/wire/message.ts';
import { newUuid } from '../../platform/values/ids.ts';
import { DiskFiles } from '../../subgraphs/loadbalancer/agents/lbhost/haproxy/disk-files.ts';
import type { NodeProvider } from '../../subgraphs/loadbalancer/agents/lbhost/providers/provider.ts';
import { renderNode } from '../../subgraphs/loadbalancer/rules/haproxy/render.ts';
import { type NameServer, powerdns, zone } from '../../tests/dns/support/name-servers.ts';
import { TwoHosts } from '../../tests/subgraphs/loadbalancer/support/two-hosts.ts';
import { part, wantedNode } from '../../tests/subgraphs/loadbalancer/support/wanted.ts';
import { endProcessesOf } from '../../tests/support/machine/left-processes.ts';
import { addressesOf, resolverAt } from './client.ts';

const run = promisify(execFile);
const name = `bare.${zone}`;
const pollMs = 5;

export class BareRepair {
  readonly #folder: string;
  readonly #provider: NodeProvider;
  readonly #via: readonly string[];
  readonly #dns: NameServer;
  readonly #client: DnsClient;
  #made = 0;

  private constructor(folder: string, hosts: TwoHosts, dns: NameServer) {
    this.#folder = folder;
    this.#provider = hosts.one.open(hosts.one.ip, folder);
    this.#via = hosts.one.via;
    this.#dns = dns;
    this.#client = new DnsClient({ place: dns.place, key: dns.key, timeoutMs: 2_000 });
  }

  static async open(stack: AsyncDisposableStack, folder: string): Promise<BareRepair> {
    await mkdir(folder, { recursive: true });
    const hosts = new TwoHosts();
    await hosts.start();
    stack.defer(() => hosts.stop());
    stack.defer(() => endProcessesOf(folder));
    const dns = await powerdns();
    stack.defer(() => dns.remove());
    const bare = new BareRepair(folder, hosts, dns);
    // Created once per host: its bridges.
    await bare.once(new AbortController().signal);
    return bare;
  }

  /** The milliseconds until DNS answers with the address of a new node whose HAProxy answers. */
  async once(signal: AbortSignal): Promise<number> {
    this.#made += 1;
    const node = this.#node(`bare-${this.#made}`);
    const own = join(this.#folder, node.name);
    await mkdir(own);
    const disk = new DiskFiles(own);
    const resolver = resolverAt(`${this.#dns.place.address}:${this.#dns.place.port}`);
    const fromMs = performance.now();
    const { wrapper } = await this.#provider.make(node);
    const rendered = renderNode(node, {
      ...{ folder: own, runtimeSocket: join(own, 'run.sock'), healthPort: 8399, incarnation: newUuid(), uid: null },
      ...{ now: Date.now(), addressesOf: () => [] },
    });
    await disk.write(rendered);
    await disk.put(disk.states, '1\n');
    const [command = '', ...before] = [...wrapper, '/usr/sbin/haproxy'];
    await run(command, [...before, '-W', '-D', '-f', disk.configuration, '-p', join(own, 'haproxy.pid')]);
    const record = (type: number, group: number, ttl: number, data: Buffer) => ({
      name,
      type,
      class: group,
      ttl,
      data,
    });
    await this.#client.update(
      {
        zone,
        prerequisites: [],
        changes: [
          record(types.A, classes.ANY, 0, Buffer.alloc(0)),
          record(types.A, classes.IN, 5, encodeAddress(node.address)),
        ],
      },
      { atMs: Date.now(), signal },
    );
    while (!(await addressesOf(resolver, name)).some(({ address }) => address === node.address))
      await sleep(pollMs, undefined, { signal });
    const tookMs = performance.now() - fromMs;
    await endProcessesOf(`${own}/`);
    await this.#provider.remove(node.name);
    await rm(own, { recursive: true, force: true });
    return tookMs;
  }

  #node(nodeName: string) {
    const balancer = newUuid();
    const pool = part('Pool', balancer, { memberProtocol: 'HTTP' });
    const monitor = part('PoolHealthMonitor', pool.id, { monitorType: 'HTTP' });
    const members = [21, 22, 23].map((last) => part('PoolMember', pool.id, { host: `198.18.1.${last}`, port: 80 }));
    const listener = part('Listener', balancer, { protocol: 'HTTP', port: 80, defaultPool: pool.id });
    return {
      ...wantedNode(balancer, [pool, monitor, ...members, listener]),
      ...{ name: nodeName, address: `198.18.1.${10 + this.#made}`, managementAddress: `198.19.1.${10 + this.#made}` },
    };
  }
}
