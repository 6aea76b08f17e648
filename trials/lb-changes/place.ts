// The environment of the trial: the control plane in this process, hosts as separate processes, a real name server, and one load balancer.
// needs: system
import { Resolver } from 'node:dns/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../../platform/values/ids.ts';
import { ScalingService } from '../../subgraphs/loadbalancer/control/scaling/scaling-service.ts';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import { HostProcess } from '../../tests/subgraphs/loadbalancer/support/host-process.ts';
import { recordHost } from '../../tests/subgraphs/loadbalancer/support/host-records.ts';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';

const drainMs = 4_000;
const usualBalancer = { minNodes: 2, maxNodes: 8 };

interface TrialHost {
  readonly name: string;
  readonly id: string;
  readonly folder: string;
  readonly process: HostProcess;
}

export class Place {
  readonly world: LbWorld;
  readonly hosts: TrialHost[] = [];
  readonly scaling: ScalingService;
  /** There are many queries per second. One process for each would take more CPU than all clients together. */
  readonly #resolver = new Resolver({ timeout: 2_000, tries: 1 });
  balancerId = '';
  hostName = '';

  private constructor(world: LbWorld) {
    this.world = world;
    this.scaling = new ScalingService(world.ground);
    if (world.dns !== undefined) this.#resolver.setServers([`${world.dns.place.address}:${world.dns.place.port}`]);
  }

  static async open(hosts: number): Promise<Place> {
    const world = await LbWorld.open({ dns: true, scaling: true, settings: { nodeDrainMs: drainMs } });
    const place = new Place(world);
    for (let index = 1; index <= hosts; index += 1) {
      const name = `host-${index}`;
      const { id, cert, key, ca } = await world.machine(name);
      const folder = join(world.folder, name);
      const range = `127.${world.network.part}.${index}.0/24`;
      await world.ground.db.transaction((tx) =>
        recordHost(tx, id, { provider: 'LOOPBACK', publicRange: range, healthPort: world.healthPort }),
      );
      const options = {
        ...{
          folder,
          tls: { cert, key, ca },
          healthPort: world.healthPort,
          range,
        },
        urls: [`wss://127.0.0.1:${world.link.port}/link`],
      };
      place.hosts.push({ name, id, folder, process: new HostProcess(options) });
    }
    for (const { process: host } of place.hosts) await host.start();
    await waitFor('hosts', async () => world.link.connected === hosts);
    return place;
  }

  async create(): Promise<void> {
    const { world } = this;
    const { entity, userErrors } = await world.balancers.create(world.context, {
      ...{ name: 'web', projectId: encodeId('Project', world.projectId), ...usualBalancer },
    });
    if (entity == null) throw new Error(JSON.stringify(userErrors));
    this.balancerId = entity.id;
    this.hostName = entity.hostName;
    await world.untilActive(this.balancerId).catch(async (error: unknown) => {
      const { provisioningReason } = await world.balancer(this.balancerId);
      throw new Error(`the load balancer is not ACTIVE: ${provisioningReason}`, { cause: error });
    });
  }

  get graphId(): string {
    return encodeId('LoadBalancer', this.balancerId);
  }

  nodes(): Promise<readonly NodeRow[]> {
    return this.world.nodes(this.balancerId);
  }

  /** Folder of a node's files. */
  folderOf(node: NodeRow): string {
    const host = this.hosts.find(({ id }) => id === node.hostId);
    if (host === undefined) throw new Error(`the node ${node.name} is on no host`);
    return join(host.folder, 'nodes', node.name);
  }

  /** Addresses in the name server's answer. Undefined if there was none. */
  async addresses(): Promise<readonly string[] | undefined> {
    return this.#resolver.resolve4(this.hostName).catch(() => undefined);
  }

  /** The host's process ends or is killed, and is then restarted. */
  async restart(host: TrialHost, signal: 'SIGTERM' | 'SIGKILL', awayMs: number): Promise<void> {
    await host.process.end(signal);
    await sleep(awayMs);
    await host.process.start();
  }

  async close(): Promise<void> {
    for (const { process: host } of this.hosts) await host.end('SIGKILL');
    await this.world.close();
  }
}
