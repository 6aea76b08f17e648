// One simulated hour of autoscaling: nodes that take time to be created and removed, figures for each second, and the decisions of the
// product's own function on their averages.

import { decide, historyOf, type NodeFigure, type PastDecision } from '../../subgraphs/loadbalancer/rules/scale.ts';
import { defaultPolicy, type ScalingPolicy } from '../../subgraphs/loadbalancer/rules/scaling-policy.ts';
import { boundsAt } from '../../subgraphs/loadbalancer/rules/schedule.ts';
import type { Random } from '../random.ts';
import { type Course, drawLoad } from './load.ts';

interface SimulatedDecision extends PastDecision {
  readonly min: number;
  readonly max: number;
  /** Caused by the load, not by bounds. */
  readonly byLoad: boolean;
}

export interface SimulatedHour {
  readonly policy: ScalingPolicy;
  readonly decisions: readonly SimulatedDecision[];
  /** Seconds during which the serving nodes had more load than they can carry. */
  readonly overloadedSeconds: number;
  /** Total serving time of all nodes, in seconds. */
  readonly nodeSeconds: number;
  /** The same for the number of nodes that would have met the target at each moment. */
  readonly neededSeconds: number;
}

interface Node {
  readonly name: string;
  readonly servesFrom: number;
}

const startMs = Date.parse('2026-11-23T07:30:00Z');

export function simulateHour(course: Course, random: Random): SimulatedHour {
  const policy = drawPolicy(random);
  const own = { minNodes: random.integer(1, 3), maxNodes: random.integer(4, 40) };
  const load = drawLoad(course, random, random.integer(1, own.maxNodes));
  const gaps = drawGaps(course, random);
  const buildS = random.integer(1, 40);
  let nodes: Node[] = Array.from({ length: own.minNodes }, (_, index) => ({ name: `n${index}`, servesFrom: -600 }));
  let made = nodes.length;
  const decisions: SimulatedDecision[] = [];
  const seen = new Map<string, number[]>();
  let [overloadedSeconds, nodeSeconds, neededSeconds] = [0, 0, 0];
  for (let second = 0; second < 3_600; second += 1) {
    const serving = nodes.filter(({ servesFrom }) => servesFrom <= second);
    const wanted = load(second);
    const each = serving.length === 0 ? 0 : wanted / serving.length;
    if (each > 100) overloadedSeconds += 1;
    nodeSeconds += nodes.length;
    neededSeconds += Math.min(Math.max(Math.ceil(wanted / policy.targetPercent), own.minNodes), own.maxNodes);
    for (const { name } of serving) {
      const values = seen.get(name) ?? [];
      seen.set(name, values);
      if (!gaps(name, second)) values.push(Math.min(100, each * (0.95 + 0.1 * random.next())));
    }
    if (second % (policy.periodMs / 1_000) !== 0) continue;
    const nowMs = startMs + second * 1_000;
    const bounds = boundsAt(policy, own, new Date(nowMs));
    const figures = nodes.map(({ name, servesFrom }): NodeFigure => {
      const values = seen.get(name) ?? [];
      const percent = values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
      return { nodeId: null, node: name, percent, at: null, warming: servesFrom + policy.warmUpMs / 1_000 > second };
    });
    seen.clear();
    const past = historyOf(decisions, nowMs, policy);
    const verdict = decide({ nowMs, policy, bounds, current: nodes.length, figures, past });
    const { action, toNodes, recommended } = verdict;
    const byLoad = nodes.length >= bounds.min && nodes.length <= bounds.max;
    const { min, max } = bounds;
    decisions.push({
      ...{ atMs: nowMs, action, fromNodes: nodes.length, toNodes, recommended, dryRun: false, min, max, byLoad },
    });
    while (nodes.length < toNodes) {
      nodes = [...nodes, { name: `n${made}`, servesFrom: second + buildS }];
      made += 1;
    }
    // Nodes that do not serve yet are removed first, then the youngest.
    nodes = nodes.slice(0, toNodes);
  }
  return { policy, decisions, overloadedSeconds, nodeSeconds, neededSeconds };
}

function drawPolicy(random: Random): ScalingPolicy {
  const scheduled = random.next() < 0.3;
  return {
    ...defaultPolicy,
    targetPercent: random.integer(40, 80),
    periodMs: random.pick([5_000, 10_000, 15_000, 30_000]),
    warmUpMs: random.pick([0, 15_000, 30_000, 60_000]),
    cooldownMs: random.pick([30_000, 60_000, 180_000]),
    downWindowMs: random.pick([0, 60_000, 300_000]),
    timeZone: random.pick(['UTC', 'Europe/Berlin', 'America/St_Johns']),
    schedule: scheduled
      ? [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '08:20', minNodes: 4, maxNodes: random.integer(4, 12) }]
      : [],
  };
}

/** Whether figures are missing: those of one node for some time, or those of all nodes. */
function drawGaps(course: Course, random: Random): (name: string, second: number) => boolean {
  if (course !== 'gaps') return () => false;
  const gaps = Array.from({ length: random.integer(2, 12) }, () => {
    const begin = random.integer(0, 3_500);
    return { begin, end: begin + random.integer(5, 600), node: random.next() < 0.3 ? undefined : random.integer(0, 8) };
  });
  return (name, second) =>
    gaps.some(
      ({ begin, end, node }) => second >= begin && second < end && (node === undefined || name.endsWith(String(node))),
    );
}
