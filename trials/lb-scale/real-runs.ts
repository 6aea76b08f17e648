// Autoscaling on real nodes: HAProxy processes on loopback addresses, open connections as their load, and the product's own job for every
// decision. A minute and a half for each course of load.
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeId } from '../../platform/values/ids.ts';
import { ScalingService } from '../../subgraphs/loadbalancer/control/scaling/scaling-service.ts';
import { pastDecisions } from '../../subgraphs/loadbalancer/control/scaling/scaling-store.ts';
import type { ScalingPolicy } from '../../subgraphs/loadbalancer/rules/scaling-policy.ts';
import { LbWorld } from '../../tests/subgraphs/loadbalancer/support/lb-world.ts';
import { freePort } from '../../tests/support/machine/free-port.ts';
import type { Random } from '../random.ts';
import { type Course, drawLoad } from './load.ts';
import { countFlaps } from './verdict.ts';

export interface RealRun {
  readonly course: Course;
  readonly flaps: number;
  readonly outOfBounds: number;
  readonly decisions: number;
  /** The smallest and the largest wanted number of nodes. */
  readonly nodes: readonly [number, number];
  /** Decisions for which a figure of a serving node was missing. */
  readonly withoutFigures: number;
}

const runMs = 90_000;
const [minNodes, maxNodes] = [1, 4];
/** The signal is connections per node, because HAProxy's CPU time is too small. */
const connections = 200;
const policy = {
  ...{ targetPercent: 60, periodMs: 5_000, warmUpMs: 3_000, cooldownMs: 15_000, downWindowMs: 10_000 },
} satisfies Partial<ScalingPolicy>;

export async function runOnNodes(course: Course, random: Random, signal: AbortSignal): Promise<RealRun> {
  const world = await LbWorld.open({ scaling: true });
  const clients = new Clients();
  try {
    for (const name of ['host-1', 'host-2']) await world.addHost(name);
    const port = await freePort();
    const id = await world.create('scaled', minNodes, port, world.webs, { nodeSize: { connections, threads: 1 } });
    await world.untilActive(id);
    const { db, wake, mutations } = world.ground;
    const input = { loadBalancerId: encodeId('LoadBalancer', id), policy };
    const { userErrors } = await new ScalingService({ db, wake, mutations }).set(world.context, input);
    if (userErrors.length > 0) throw new Error(JSON.stringify(userErrors));
    // An hour of load is compressed into the run, and percent of a node become connections.
    const load = drawLoad(course, random, maxNodes - 1);
    const startedMs = performance.now();
    for (let passed = 0; passed < runMs && !signal.aborted; passed = performance.now() - startedMs) {
      const wanted = Math.round((load(Math.floor((passed / runMs) * 3_600)) / 100) * connections);
      const serving = (await world.nodes(id)).filter(({ state }) => state === 'SERVING');
      clients.keep(
        serving.flatMap(({ address }) => (address === null ? [] : [address])),
        port,
        wanted,
      );
      await sleep(250);
    }
    const past = await pastDecisions(db, id, runMs * 2);
    const changes = past.map((each) => ({ ...each, atMs: each.decidedAt.getTime(), byLoad: true }));
    const counts = past.map(({ toNodes }) => toNodes);
    return {
      ...{ course, decisions: past.length, nodes: [Math.min(...counts), Math.max(...counts)] },
      flaps: countFlaps(changes, policy.cooldownMs),
      outOfBounds: counts.filter((count) => count < minNodes || count > maxNodes).length,
      withoutFigures: past.filter(({ reason }) => /no node reported|without figures/.test(reason)).length,
    };
  } finally {
    clients.end();
    await world.close();
  }
}

/** Clients that stay connected, this many at each address. */
class Clients {
  readonly #open = new Map<string, Set<Socket>>();

  /** Closes surplus connections and opens missing ones. */
  keep(addresses: readonly string[], port: number, total: number): void {
    for (const [address, sockets] of this.#open) if (!addresses.includes(address)) this.#close(sockets, sockets.size);
    for (const address of addresses) {
      const sockets = this.#open.get(address) ?? new Set();
      this.#open.set(address, sockets);
      const wanted = Math.round(total / addresses.length);
      this.#close(sockets, sockets.size - wanted);
      while (sockets.size < wanted) this.#connect(sockets, address, port);
    }
  }

  end(): void {
    for (const sockets of this.#open.values()) this.#close(sockets, sockets.size);
  }

  #connect(sockets: Set<Socket>, address: string, port: number): void {
    const socket = connect(port, address, () => socket.write('GET / HTTP/1.1\r\nhost: scaled\r\n\r\n'));
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  }

  #close(sockets: Set<Socket>, count: number): void {
    for (const socket of [...sockets].slice(0, Math.max(0, count))) {
      sockets.delete(socket);
      socket.destroy();
    }
  }
}
