// Faults of nodes and hosts, and disturbances of the control plane at a step of the healing. Each ends after some seconds.
import { setTimeout as sleep } from 'node:timers/promises';
import { owe } from '../../platform/owed/owed-work.ts';
import { lockBalancer } from '../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { reconcileKind } from '../../subgraphs/loadbalancer/control/stores/change-balancer.ts';
import type { NodeRow } from '../../subgraphs/loadbalancer/rules/rows.ts';
import { timeIsOver } from '../../tests/subgraphs/loadbalancer/support/time-is-over.ts';
import type { Random } from '../random.ts';
import type { Child } from './child.ts';
import type { Network, Site } from './site.ts';

interface Place {
  readonly site: Site;
  readonly balancerId: string;
  readonly random: Random;
}

export type Happening = (place: Place) => Promise<void>;

/** Longer than a worker's claims and leases. */
const pastLeasesMs = 12_000;

/** It also works while the database is away. */
const nodesOf = ({ site, balancerId }: Place) => site.nodes(balancerId).catch((): readonly NodeRow[] => []);

async function used(place: Place): Promise<readonly NodeRow[]> {
  return (await nodesOf(place)).filter(({ state }) => state === 'SERVING' || state === 'BUILDING');
}

async function someNode(place: Place): Promise<NodeRow | undefined> {
  const nodes = await used(place);
  return nodes.length === 0 ? undefined : place.random.pick(nodes);
}

const signal = ({ site }: Place, node: NodeRow, name: NodeJS.Signals) => site.hostOf(node).signal(node, name);

/** Long enough for any step that the fault causes. */
const aWhile = ({ random }: Place) => sleep(random.integer(0, 5_000));

/** Pretends that it has been away for longer than it is waited for. */
async function tooLate({ site }: Place, node: NodeRow): Promise<void> {
  await timeIsOver(site.ground, node).catch(() => undefined);
}

async function stopped(place: Place, during: (node: NodeRow) => Promise<unknown>): Promise<void> {
  const node = await someNode(place);
  if (node === undefined) return;
  await signal(place, node, 'SIGSTOP');
  await during(node);
  await signal(place, node, 'SIGCONT');
}

const onBoth: Readonly<Record<string, Happening>> = {
  async haproxyKilled(place) {
    const node = await someNode(place);
    if (node !== undefined) await signal(place, node, 'SIGKILL');
  },
  stoppedBackBefore: (place) => stopped(place, () => aWhile(place)),
  stoppedBackAfter: (place) =>
    stopped(place, async (node) => {
      await aWhile(place);
      await tooLate(place, node);
    }),
  async halfGone(place) {
    const nodes = (await nodesOf(place)).filter(({ state }) => state === 'SERVING');
    const half = nodes.slice(0, Math.ceil(nodes.length / 2));
    await Promise.all(half.map((node) => signal(place, node, 'SIGSTOP')));
    await aWhile(place);
    await Promise.all(half.map((node) => signal(place, node, 'SIGCONT')));
  },
  async hostLost(place) {
    const host = place.random.pick(place.site.hosts);
    await host.lose();
    await aWhile(place);
    await host.process.start();
  },
  async hostLostForLong(place) {
    const host = place.random.pick(place.site.hosts);
    await host.lose();
    await aWhile(place);
    for (const node of await nodesOf(place)) if (node.hostId === host.id) await tooLate(place, node);
    await host.process.start();
  },
  async lbhostKilled(place) {
    const host = place.random.pick(place.site.hosts);
    await host.process.end('SIGKILL');
    await aWhile(place);
    await host.process.start();
  },
};

const onNetwork: Readonly<Record<string, Happening>> = {
  async nodeUnplugged(place) {
    const node = await someNode(place);
    if (node === undefined) return;
    await place.site.cut(node, true);
    await aWhile(place);
    await place.site.cut(node, false);
  },
  async nodeUnpluggedForLong(place) {
    const node = await someNode(place);
    if (node === undefined) return;
    await place.site.cut(node, true);
    await aWhile(place);
    await tooLate(place, node);
    await sleep(1_000);
    await place.site.cut(node, false);
  },
  async hostUnplugged(place) {
    const host = place.random.pick(place.site.hosts);
    await host.cut(true);
    await aWhile(place);
    await host.cut(false);
  },
};

/** Without separate networks, nodes and hosts can't be unplugged. */
export function faultsOn(network: Network): Readonly<Record<string, Happening>> {
  return network === 'netns' ? { ...onBoth, ...onNetwork } : onBoth;
}

/** The steps of healing, as observed from the nodes. */
export const steps: Readonly<Record<string, (nodes: readonly NodeRow[]) => boolean>> = {
  atOnce: () => true,
  found: (nodes) => nodes.some(({ operatingStatus, givenUp }) => operatingStatus === 'ERROR' || givenUp),
  decided: (nodes) => nodes.some(({ state }) => state === 'REPLACED'),
  made: (nodes) => nodes.some(({ state, madeAt }) => state === 'BUILDING' && madeAt !== null),
  checked: (nodes) => nodes.some(({ state, checkedAt }) => state === 'BUILDING' && checkedAt !== null),
  named: (nodes) => nodes.some(({ state, named }) => state === 'BUILDING' && named),
  leaving: (nodes) => nodes.some(({ state }) => state === 'DRAINING' || state === 'DELETING'),
};

const stepMs = 5_000;

/** Waits until the healing reaches the step, or can no longer reach it. */
export async function untilStep(place: Place, step: string): Promise<void> {
  const untilMs = performance.now() + stepMs;
  while (performance.now() < untilMs && steps[step]?.(await nodesOf(place)) !== true) await sleep(20);
}

const worker = ({ site, random }: Place): Child => random.pick(site.workers);

/** Disturbances of the control plane during the healing. */
export const disturbances: Readonly<Record<string, Happening>> = {
  none: async () => undefined,
  async workerKilled(place) {
    const child = worker(place);
    await child.kill();
    await aWhile(place);
    await child.start();
  },
  async workerPaused(place) {
    const child = worker(place);
    child.signal('SIGSTOP');
    await sleep(pastLeasesMs);
    child.signal('SIGCONT');
  },
  async controlKilled(place) {
    await place.site.control.kill();
    await aWhile(place);
    await place.site.control.start();
  },
  async redisKilled(place) {
    await place.site.redis.kill();
    await aWhile(place);
    await place.site.redis.start();
  },
  async mariadbKilled(place) {
    await place.site.mariadb.kill();
    await aWhile(place);
    await place.site.mariadb.start();
  },
  async dnsKilled(place) {
    await place.site.dns.tell('kill');
    await aWhile(place);
    await place.site.dns.tell('start');
  },
  async fewerThenMore(place) {
    const { ground } = place.site;
    const want = (nodes: number) =>
      ground.db.transaction(async (tx) => {
        await lockBalancer(tx, place.balancerId);
        await tx.execute('UPDATE lb_load_balancer SET wanted_nodes = ? WHERE id = ?', [nodes, place.balancerId]);
        await owe(tx, reconcileKind, place.balancerId, {}, ground.wake);
      });
    const { wantedNodes, topology } = await place.site.balancer(place.balancerId);
    // There are always two of them.
    if (topology === 'ACTIVE_STANDBY') return;
    await want(wantedNodes / 2);
    await aWhile(place);
    await want(wantedNodes);
  },
};
