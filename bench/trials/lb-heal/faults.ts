// What happens to nodes, hosts, workers and the name server of the trial; each is over after some seconds at most.
import { setTimeout as sleep } from 'node:timers/promises';
import { owe } from '../../../platform/owed-work.ts';
import { lockBalancer } from '../../../subgraphs/loadbalancer/stores/balancer-store.ts';
import { reconcileKind } from '../../../subgraphs/loadbalancer/stores/change-balancer.ts';
import type { NodeRow } from '../../../subgraphs/loadbalancer/stores/node-store.ts';
import type { LbWorld } from '../../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import type { Random } from '../random.ts';

export interface Place {
  readonly world: LbWorld;
  readonly balancerId: string;
  readonly random: Random;
}

async function someNode({ world, balancerId, random }: Place): Promise<NodeRow | undefined> {
  const nodes = (await world.nodes(balancerId)).filter(({ state }) => state === 'SERVING' || state === 'BUILDING');
  return nodes.length === 0 ? undefined : random.pick(nodes);
}

/** At any step of what the fault causes. */
const anyStep = ({ random }: Place) => sleep(random.integer(0, 4_000));

async function hang(place: Place, forMs: (node: NodeRow) => Promise<unknown>): Promise<void> {
  const node = await someNode(place);
  if (node === undefined) return;
  await place.world.signal(node, 'SIGSTOP');
  await forMs(node);
  await place.world.signal(node, 'SIGCONT');
}

export const faults: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  async killed(place) {
    const node = await someNode(place);
    if (node !== undefined) await place.world.signal(node, 'SIGKILL');
  },
  backBefore: (place) => hang(place, () => anyStep(place)),
  backAfter: (place) =>
    hang(place, async (node) => {
      await anyStep(place);
      const sql = "UPDATE lb_node SET delete_at = NOW(3) WHERE id = ? AND state = 'REPLACED'";
      await place.world.ground.db.execute(sql, [node.id]);
    }),
  async halfGone(place) {
    const nodes = (await place.world.nodes(place.balancerId)).filter(({ state }) => state === 'SERVING');
    const half = nodes.slice(0, Math.ceil(nodes.length / 2));
    await Promise.all(half.map((node) => place.world.signal(node, 'SIGSTOP')));
    await anyStep(place);
    await Promise.all(half.map((node) => place.world.signal(node, 'SIGCONT')));
  },
  async hostLost(place) {
    const host = place.random.pick([...place.world.hosts.values()]);
    await place.world.loseHost(host);
    await anyStep(place);
    await place.world.addHost(host.name);
  },
  async hostProcessEnds(place) {
    const host = place.random.pick([...place.world.hosts.values()]);
    await place.world.stopHost(host);
    await anyStep(place);
    await place.world.addHost(host.name);
  },
};

/** What happens to the control plane meanwhile. */
export const disturbances: Readonly<Record<string, (place: Place) => Promise<void>>> = {
  none: async () => undefined,
  async workerEnds({ world, random }) {
    await world.addWorker();
    await world.endWorker(random.pick(world.workers));
  },
  async workerPaused(place) {
    const worker = place.random.pick(place.world.workers);
    worker.paused = true;
    await anyStep(place);
    worker.paused = false;
  },
  async dnsKilled(place) {
    await place.world.dns?.kill();
    await anyStep(place);
    await place.world.dns?.start();
  },
  async fewerThenMore(place) {
    const { db } = place.world.ground;
    const want = (nodes: number) =>
      db.transaction(async (tx) => {
        await lockBalancer(tx, place.balancerId);
        await tx.execute('UPDATE lb_load_balancer SET wanted_nodes = ? WHERE id = ?', [nodes, place.balancerId]);
        await owe(tx, reconcileKind, place.balancerId, {}, place.world.ground.wake);
      });
    await want(2);
    await anyStep(place);
    await want(4);
  },
};
