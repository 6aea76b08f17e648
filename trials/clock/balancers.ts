// A load balancer under traffic whose control plane has a database with a stepped clock.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../../platform/values/ids.ts';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { waitFor } from '../../tests/support/temporary-folder.ts';
import { answerOf } from '../answer-of.ts';
import { untilTrue } from '../until.ts';
import { SteppedMariadb } from './stepped-mariadb.ts';

const port = 8_080;
const everyMs = 50;
const appliedMs = 60_000;

export class Balancers {
  readonly #mariadb: SteppedMariadb;
  readonly #world: LbWorld;
  #balancerId = '';
  #nodes: readonly NodeRow[] = [];
  #weight = 1;
  readonly #failed: string[] = [];
  #stopped = false;

  private constructor(mariadb: SteppedMariadb, world: LbWorld) {
    this.#mariadb = mariadb;
    this.#world = world;
  }

  /** With two nodes on two hosts. `folder` must be accessible to the user of the embedded servers. */
  static async start(folder: string, cleanup: AsyncDisposableStack): Promise<Balancers> {
    const own = join(folder, 'balancers');
    await mkdir(own, { mode: 0o711 });
    const mariadb = await SteppedMariadb.start(own);
    cleanup.defer(() => mariadb.stop());
    const world = await LbWorld.open({ connection: mariadb.server.application });
    cleanup.defer(() => world.close());
    const balancers = new Balancers(mariadb, world);
    for (const name of ['host-1', 'host-2']) await world.addHost(name);
    await waitFor('hosts', () => world.link.connected === 2);
    // Members run in this process, which is sometimes busy: a check may take one second.
    const members = world.webs.map((web) => ({ host: '127.0.0.1', port: web.port }));
    const healthMonitor = { monitorType: 'HTTP', intervalMs: 1_000, timeoutMs: 1_000 };
    const pools = [{ name: 'web', memberProtocol: 'HTTP', members, healthMonitor }];
    balancers.#balancerId = await world.create('web', 2, port, world.webs, { pools });
    await world.untilActive(balancers.#balancerId);
    balancers.#nodes = await world.nodes(balancers.#balancerId);
    const traffic = balancers.#request();
    cleanup.defer(async () => {
      balancers.#stopped = true;
      await traffic;
    });
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

  /** Nodes replaced since the last call, although only a clock was wrong. */
  async replaced(): Promise<number> {
    const nodes = await this.#world.nodes(this.#balancerId);
    const there = new Set(nodes.map(({ id }) => id));
    const gone = this.#nodes.filter(({ id }) => !there.has(id)).length;
    const marked = nodes.filter(({ replaceReason }) => replaceReason !== null).length;
    this.#nodes = nodes;
    return gone + marked;
  }

  /** What came of requests that failed since the last call. */
  failed(): readonly string[] {
    return this.#failed.splice(0);
  }

  /** For testing the judge. */
  async killNode(): Promise<void> {
    const [node] = this.#nodes;
    if (node === undefined) throw new Error('there is no node');
    await this.#world.signal(node, 'SIGKILL');
    await sleep(10 * everyMs);
  }

  /** Uses each node in turn, like clients of both addresses. */
  async #request(): Promise<void> {
    for (let count = 0; !this.#stopped; count += 1) {
      const { address } = this.#nodes[count % this.#nodes.length] ?? {};
      const startedMs = performance.now();
      const fault = address == null ? undefined : await faultOf(address);
      if (fault !== undefined)
        this.#failed.push(`${address}: ${fault} after ${Math.round(performance.now() - startedMs)} ms`);
      await sleep(everyMs);
    }
  }
}

/** Undefined: the request was answered. */
function faultOf(host: string): Promise<string | undefined> {
  return answerOf(host, port, 5_000).then(
    ({ status }) => (status === 200 ? undefined : `status ${status}`),
    (error: Error) => error.message,
  );
}
