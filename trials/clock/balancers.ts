// A load balancer with traffic whose control plane has a database with a stepped clock.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../../platform/values/ids.ts';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { waitFor } from '../../tests/support/machine/temporary-folder.ts';
import { untilTrue } from '../until.ts';
import { SteppedMariadb } from './stepped-mariadb.ts';
import { Visits } from './visits.ts';

const port = 8_080;
const everyMs = 50;
const appliedMs = 60_000;

export class Balancers {
  readonly #mariadb: SteppedMariadb;
  readonly #world: LbWorld;
  readonly #visits: Visits;
  #balancerId = '';
  #nodes: readonly NodeRow[] = [];
  #weight = 1;

  private constructor(mariadb: SteppedMariadb, world: LbWorld, visits: Visits) {
    this.#mariadb = mariadb;
    this.#world = world;
    this.#visits = visits;
  }

  /** A load balancer with two nodes on two hosts. `folder` must be accessible to the user of the embedded servers. */
  static async start(folder: string, cleanup: AsyncDisposableStack): Promise<Balancers> {
    const own = join(folder, 'balancers');
    await mkdir(own, { mode: 0o711 });
    const mariadb = await SteppedMariadb.start(own);
    cleanup.defer(() => mariadb.stop());
    const world = await LbWorld.open({ connection: mariadb.server.application });
    cleanup.defer(() => world.close());
    const visits = await Visits.start(port, everyMs);
    cleanup.defer(() => visits.end());
    const balancers = new Balancers(mariadb, world, visits);
    for (const name of ['host-1', 'host-2']) await world.addHost(name);
    await waitFor('hosts', () => world.link.connected === 2);
    const members = visits.ports.map((each) => ({ host: '127.0.0.1', port: each }));
    // On a busy machine a check may take one second.
    const healthMonitor = { monitorType: 'HTTP', intervalMs: 1_000, timeoutMs: 1_000 };
    const pools = [{ name: 'web', memberProtocol: 'HTTP', members, healthMonitor }];
    balancers.#balancerId = await world.create('web', 2, port, world.webs, { pools });
    await world.untilActive(balancers.#balancerId);
    balancers.#nodes = await world.nodes(balancers.#balancerId);
    balancers.#visit();
    return balancers;
  }

  stepTo(seconds: number): Promise<void> {
    return this.#mariadb.stepTo(seconds, this.#world.ground.db);
  }

  /** Restarts the worker. */
  async restart(): Promise<void> {
    for (const worker of this.#world.workers) await this.#world.endWorker(worker);
    await this.#world.addWorker();
  }

  /** Changes the weight of a member. False if the nodes did not have it in time. */
  async change(): Promise<boolean> {
    const { parts, context, ground } = this.#world;
    const [member] = await ground.db.query<{ id: string }>(
      "SELECT id FROM lb_part WHERE load_balancer_id = ? AND kind = 'PoolMember' ORDER BY id LIMIT 1",
      [this.#balancerId],
    );
    this.#weight = 3 - this.#weight;
    const input: object = { id: encodeId('PoolMember', member?.id ?? ''), weight: this.#weight };
    const { userErrors } = await parts.change(context, 'poolMemberUpdate', input);
    if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
    return untilTrue(appliedMs, async () => {
      const { generation } = await this.#world.balancer(this.#balancerId);
      const nodes = await this.#world.nodes(this.#balancerId);
      return nodes.every(({ appliedGeneration }) => appliedGeneration >= generation);
    });
  }

  /** Nodes that were replaced since the last call, although only a clock was wrong. */
  async replaced(): Promise<number> {
    const nodes = await this.#world.nodes(this.#balancerId);
    const there = new Set(nodes.map(({ id }) => id));
    const gone = this.#nodes.filter(({ id }) => !there.has(id)).length;
    const marked = nodes.filter(({ replaceReason }) => replaceReason !== null).length;
    this.#nodes = nodes;
    this.#visit();
    return gone + marked;
  }

  /** The failures of requests since the last call. */
  failed(): readonly string[] {
    return this.#visits.failed();
  }

  /** Used to test the judge. */
  async killNode(): Promise<void> {
    const [node] = this.#nodes;
    if (node === undefined) throw new Error('there is no node');
    await this.#world.signal(node, 'SIGKILL');
    await sleep(10 * everyMs);
  }

  #visit(): void {
    this.#visits.to(this.#nodes.flatMap(({ address }) => address ?? []));
  }
}
