// A load that rises and ends: checks whether the number of nodes falls again, and when it starts to.

import { decide, historyOf, type NodeFigure, type PastDecision } from '../../subgraphs/loadbalancer/rules/scale.ts';
import { defaultPolicy } from '../../subgraphs/loadbalancer/rules/scaling-policy.ts';
import type { Random } from '../random.ts';

interface Descent {
  /** The largest number of nodes. */
  readonly mostNodes: number;
  /** Number of nodes left at the end. */
  readonly nodesLeft: number;
  /** Time from the end of the load to the first removal. Null if there was no removal. */
  readonly firstStepMs: number | null;
}

const bounds = { min: 2, max: 10, window: undefined };
const idleMs = 300_000;
/** A quarter of the nodes, or one node, per minute: enough time to fall from the largest number. */
const afterMs = 3_600_000;

/**
 * First idle, then load for `loadMs`, then idle again, with the default policy. Decisions may be up to a tenth of a period late, as with workers.
 */
export function simulateDescent(loadMs: number, random: Random): Descent {
  const policy = defaultPolicy;
  const endMs = idleMs + loadMs;
  const total = 200 + random.integer(0, 800);
  const decisions: PastDecision[] = [];
  let [current, mostNodes] = [bounds.min, bounds.min];
  let firstStepMs: number | null = null;
  for (let nowMs = 0; nowMs < endMs + afterMs; nowMs += policy.periodMs + random.integer(0, policy.periodMs / 10)) {
    const isBusy = nowMs >= idleMs && nowMs < endMs;
    const figures = Array.from({ length: current }, (_, index): NodeFigure => {
      const percent = isBusy ? Math.min(100, total / current) : 0;
      return { nodeId: null, node: `n${index}`, percent, at: null, warming: false };
    });
    const past = historyOf(decisions, nowMs, policy);
    const { action, toNodes, recommended } = decide({ nowMs, policy, bounds, current, figures, past });
    decisions.push({ atMs: nowMs, action, fromNodes: current, toNodes, recommended, dryRun: false });
    if (action === 'SHRINK' && nowMs >= endMs) firstStepMs ??= nowMs - endMs;
    current = toNodes;
    mostNodes = Math.max(mostNodes, current);
  }
  return { mostNodes, nodesLeft: current, firstStepMs };
}

/** A description of the fault. Undefined if nothing is. */
export function descentFault({ mostNodes, nodesLeft, firstStepMs }: Descent): string | undefined {
  const { downWindowMs, periodMs } = defaultPolicy;
  if (mostNodes === bounds.min) return 'it never grew';
  if (nodesLeft > bounds.min) return `${nodesLeft} of ${mostNodes} nodes are left, the least is ${bounds.min}`;
  // The last decision under load may be a period late, and so may the first decision after the window.
  const latestMs = downWindowMs + 2 * (periodMs + periodMs / 10);
  if (firstStepMs === null || firstStepMs > latestMs)
    return `the first node was removed after ${firstStepMs} ms, the latest is ${latestMs}`;
  return undefined;
}
