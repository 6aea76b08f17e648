// The load of nodes, for autoscaling: from their last seconds of traffic, or from a value of collectd.
import type { Redis } from 'ioredis';
import type { NodeRow } from '../../rules/rows.ts';
import type { ScalingPolicy } from '../../rules/scaling-policy.ts';
import type { NodeSecond } from '../traffic/traffic-figures.ts';
import type { TrafficSeconds } from '../traffic/traffic-seconds.ts';
import { collectdKey } from './collectd/receiver.ts';

/** Recent load of a node. */
export interface MeasuredLoad {
  /** 100: as much as it can carry. */
  readonly percent: number;
  /** RFC 3339. */
  readonly at: string;
}

interface NodeLoadOptions {
  readonly seconds: TrafficSeconds;
  readonly redis: Redis;
  readonly redisPrefix: string;
  /** Default: the clock. */
  readonly now?: () => number;
}

type Policy = Pick<ScalingPolicy, 'signal' | 'collectdValue' | 'requestsPerNode' | 'periodMs'>;

const leastWindowS = 5;
const mostWindowS = 60;
/** A node whose last report is older than this has no figures. */
const staleS = 10;
/** Largest difference between the clocks of hosts of the control plane. */
const clockS = 2;

export class NodeLoad {
  readonly #options: NodeLoadOptions;

  constructor(options: NodeLoadOptions) {
    this.#options = options;
  }

  /** By node (UUID), averaged over the policy's period (5 s to a minute). A node without recent figures is missing. */
  async of(policy: Policy, nodes: readonly NodeRow[]): Promise<ReadonlyMap<string, MeasuredLoad>> {
    if (policy.signal === 'COLLECTD') return this.#collectd(policy.collectdValue ?? '', nodes);
    const [first] = nodes;
    if (first === undefined) return new Map();
    const now = Math.floor((this.#options.now ?? Date.now)() / 1_000);
    const windowS = Math.min(Math.max(Math.ceil(policy.periodMs / 1_000), leastWindowS), mostWindowS);
    const found = await this.#options.seconds.read(first.loadBalancerId, now - windowS - clockS, now + clockS);
    const load = new Map<string, MeasuredLoad>();
    for (const { id } of nodes) {
      const own = [...found].flatMap(([second, reports]) =>
        reports.filter(({ node }) => node === id).map((report) => ({ second, report })),
      );
      const last = Math.max(...own.map(({ second }) => second));
      if (own.length === 0 || now - last > staleS) continue;
      const percent = percentOf(
        policy,
        own.map(({ report }) => report),
      );
      load.set(id, { percent, at: new Date(last * 1_000).toISOString() });
    }
    return load;
  }

  async #collectd(value: string, nodes: readonly NodeRow[]): Promise<ReadonlyMap<string, MeasuredLoad>> {
    if (nodes.length === 0) return new Map();
    const { redis, redisPrefix } = this.#options;
    const texts = await redis.mget(nodes.map(({ id }) => collectdKey(redisPrefix, id, value)));
    return new Map(
      nodes.flatMap(({ id }, index) => {
        const text = texts[index] ?? null;
        return text === null ? [] : [[id, JSON.parse(text) as MeasuredLoad] as const];
      }),
    );
  }
}

/** The largest of sessions, busy time and, if the policy counts them, requests. */
function percentOf({ requestsPerNode }: Policy, reports: readonly NodeSecond[]): number {
  const average = (of: (report: NodeSecond) => number) =>
    reports.reduce((sum, report) => sum + of(report), 0) / reports.length;
  const signals = [average(({ sessionsPercent }) => sessionsPercent), average(({ busyPercent }) => busyPercent)];
  if (requestsPerNode !== null) {
    const requests = reports.reduce((sum, { node, subjects }) => sum + (subjects.get(node)?.requests ?? 0), 0);
    const seconds = reports.reduce((sum, { ms }) => sum + ms, 0) / 1_000;
    signals.push((100 * requests) / seconds / requestsPerNode);
  }
  return Math.max(...signals);
}
