// The decisions of autoscaling: examples by hand, and properties over random states.
import { describe, expect, test } from '@jest/globals';
import {
  decide,
  type NodeFigure,
  type PastDecision,
  type ScalingState,
} from '../../../../subgraphs/loadbalancer/rules/scale.ts';
import { defaultPolicy } from '../../../../subgraphs/loadbalancer/rules/scaling-policy.ts';
import { type Random, seededRandom } from '../../../../trials/random.ts';

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const wide = { min: 1, max: 64, window: undefined };

function at(...percents: (number | null | 'warming')[]): NodeFigure[] {
  return percents.map((percent, index) => ({
    nodeId: null,
    node: `n${index}`,
    percent: percent === 'warming' ? 50 : percent,
    at: null,
    warming: percent === 'warming',
  }));
}

function past(secondsAgo: number, fromNodes: number, toNodes: number, recommended = toNodes): PastDecision {
  const action = toNodes > fromNodes ? 'GROW' : toNodes < fromNodes ? 'SHRINK' : 'KEEP';
  return { atMs: nowMs - secondsAgo * 1_000, action, fromNodes, toNodes, recommended, dryRun: false };
}

/** One decision every 15 seconds for the last 20 minutes. */
function quiet(nodes: number, recommended = nodes): PastDecision[] {
  return Array.from({ length: 80 }, (_, index) => past((80 - index) * 15, nodes, nodes, recommended));
}

function stateOf(figures: readonly NodeFigure[], more: Partial<ScalingState> = {}): ScalingState {
  return { nowMs, policy: defaultPolicy, bounds: wide, current: figures.length, figures, past: [], ...more };
}

describe('up', () => {
  test('grows at once, to the number that meets the target', () => {
    expect(decide(stateOf(at(90, 90)))).toEqual({
      ...{ action: 'GROW', toNodes: 3, recommended: 3 },
      reason: '2 nodes are at 90.0 percent on average, the target is 60; needs 3',
    });
  });

  test('does not grow within the tolerance', () => {
    expect(decide(stateOf(at(66, 66)))).toMatchObject({ action: 'KEEP', recommended: 2 });
    expect(decide(stateOf(at(67, 66, 67)))).toMatchObject({ action: 'GROW', toNodes: 4 });
  });

  test('grows at most to double or by four in 15 seconds', () => {
    const policy = { ...defaultPolicy, targetPercent: 10 };
    expect(decide(stateOf(at(100), { policy }))).toMatchObject({ toNodes: 5, recommended: 10 });
    expect(decide(stateOf(at(...Array(8).fill(100)), { policy }))).toMatchObject({ toNodes: 16, recommended: 80 });
    // Some were added within the 15 seconds.
    const figures = [...at(100, 100), ...at('warming', 'warming')];
    expect(decide(stateOf(figures, { policy, past: [past(5, 2, 4)] }))).toMatchObject({ toNodes: 6, recommended: 20 });
  });

  test('counts nodes that warm up as empty, so that the same load is not answered twice', () => {
    expect(decide(stateOf(at(90, 90, 'warming')))).toMatchObject({ action: 'KEEP', recommended: 3 });
  });
});

test('is not delayed by decisions from before the clock was set back', () => {
  const grown = past(-86_400, 2, 7);
  expect(decide(stateOf(at(90, 90), { past: [grown] }))).toMatchObject({ action: 'GROW', toNodes: 3 });
  const turned = [past(-86_000, 2, 7), past(-86_400, 7, 2)];
  expect(decide(stateOf(at(90, 90), { past: turned }))).toMatchObject({ action: 'GROW', toNodes: 3 });
  const calm = [...quiet(4, 1), past(-86_400, 3, 4)];
  expect(decide(stateOf(at(10, 10, 10, 10), { past: calm }))).toMatchObject({ action: 'SHRINK', toNodes: 3 });
});

describe('down', () => {
  test('shrinks to the largest recommendation of the window', () => {
    const figures = at(10, 10, 10, 10);
    const calm = quiet(4, 1);
    expect(decide(stateOf(figures, { past: calm }))).toMatchObject({ toNodes: 3, recommended: 1 });
    const lately = [...calm.slice(0, -5), ...calm.slice(-5).map((each) => ({ ...each, recommended: 4 }))];
    expect(decide(stateOf(figures, { past: lately }))).toMatchObject({
      ...{ action: 'KEEP', toNodes: 4, recommended: 1 },
      reason: expect.stringMatching(/4 were recommended within the last 300 seconds/),
    });
  });

  test('does not shrink before the load was watched for the whole window', () => {
    const figures = at(10, 10, 10, 10);
    expect(decide(stateOf(figures))).toMatchObject({ action: 'KEEP', recommended: 1 });
    expect(decide(stateOf(figures, { past: quiet(4, 1).slice(-10) }))).toMatchObject({ action: 'KEEP' });
    const gap = quiet(4, 1).filter(({ atMs }) => nowMs - atMs > 280_000 || nowMs - atMs < 100_000);
    expect(decide(stateOf(figures, { past: gap }))).toMatchObject({ action: 'KEEP' });
  });

  test('shrinks at most by a quarter, or by one node, in a minute', () => {
    const policy = { ...defaultPolicy, downWindowMs: 0 };
    const twelve = at(...Array(12).fill(1));
    expect(decide(stateOf(twelve, { policy }))).toMatchObject({ toNodes: 9, recommended: 1 });
    expect(decide(stateOf(twelve, { policy, past: [past(30, 16, 12)] }))).toMatchObject({ action: 'KEEP' });
    expect(decide(stateOf(twelve, { policy, past: [past(30, 14, 12)] }))).toMatchObject({ toNodes: 11 });
    expect(decide(stateOf(twelve, { policy, past: [past(61, 16, 12)] }))).toMatchObject({ toNodes: 9 });
    expect(decide(stateOf(at(1, 1), { policy }))).toMatchObject({ toNodes: 1 });
  });

  test('does not shrink within the cooldown after an addition', () => {
    const policy = { ...defaultPolicy, downWindowMs: 0 };
    expect(decide(stateOf(at(10, 10, 10), { policy, past: [past(59, 2, 3)] }))).toMatchObject({
      ...{ action: 'KEEP' },
      reason: expect.stringMatching(/cooldown: nodes were added 59 seconds ago/),
    });
    expect(decide(stateOf(at(10, 10, 10), { policy, past: [past(60, 2, 3)] }))).toMatchObject({ action: 'SHRINK' });
  });
});

test('growth waits only where it would be the second change of direction within the cooldown', () => {
  const busy = at(90, 90, 90);
  expect(decide(stateOf(busy, { past: [past(500, 5, 4), past(30, 4, 3)] }))).toMatchObject({ action: 'GROW' });
  expect(decide(stateOf(busy, { past: [past(500, 3, 4), past(30, 4, 3)] }))).toMatchObject({
    ...{ action: 'KEEP', recommended: 5 },
    reason: expect.stringMatching(/cooldown: the number began to fall 30 seconds ago/),
  });
  expect(decide(stateOf(busy, { past: [past(500, 4, 5), past(90, 5, 4), past(30, 4, 3)] }))).toMatchObject({
    action: 'GROW',
  });
});

describe('missing figures', () => {
  test('count as full when shrinking and as empty when growing', () => {
    const policy = { ...defaultPolicy, downWindowMs: 0 };
    expect(decide(stateOf(at(10, 10, 10, null), { policy }))).toMatchObject({ toNodes: 3, recommended: 3 });
    expect(decide(stateOf(at(100, 100, null)))).toMatchObject({ action: 'GROW', toNodes: 4 });
    expect(decide(stateOf(at(100, null, null)))).toMatchObject({ action: 'KEEP', recommended: 3 });
  });

  test('of all nodes mean that nothing changes', () => {
    expect(decide(stateOf(at(null, null)))).toMatchObject({
      action: 'KEEP',
      toNodes: 2,
      reason: 'no node reported figures',
    });
  });
});

test('the bounds take precedence over everything', () => {
  const bounds = { min: 3, max: 4, window: undefined };
  expect(decide(stateOf(at(null), { bounds }))).toMatchObject({ action: 'GROW', toNodes: 3 });
  expect(decide(stateOf(at(...Array(9).fill(100)), { bounds }))).toMatchObject({ action: 'SHRINK', toNodes: 4 });
  const window = { days: [1], from: '08:00', to: '18:00', minNodes: 3, maxNodes: 4 };
  expect(decide(stateOf(at(null), { bounds: { ...bounds, window } })).reason).toMatch(/at least 3 from 08:00 to 18:00/);
});

test('the decision of a dry run counts as a recommendation, not as a change', () => {
  const policy = { ...defaultPolicy, downWindowMs: 0 };
  const dry = { ...past(10, 2, 3), dryRun: true };
  expect(decide(stateOf(at(10, 10), { policy, past: [dry] }))).toMatchObject({ action: 'SHRINK' });
});

test('any state stays within the bounds and the rates, and no missing figure makes a change larger', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));
  const random = seededRandom(seed);
  const wrong: string[] = [];
  for (let run = 0; run < 20_000; run += 1) {
    const state = drawState(random);
    const told = `--seed ${seed}, run ${run}: ${JSON.stringify(state)}`;
    const { action, toNodes, recommended } = decide(state);
    const { current, bounds, figures } = state;
    const faults: string[] = [];
    if (toNodes < bounds.min || toNodes > bounds.max) faults.push('out of bounds');
    if (action !== (toNodes > current ? 'GROW' : toNodes < current ? 'SHRINK' : 'KEEP')) faults.push('action');
    if (current >= bounds.min && toNodes > Math.max(2 * current, current + 4)) faults.push('grows too fast');
    if (current <= bounds.max && toNodes < Math.min(current - 1, Math.ceil(current * 0.75)))
      faults.push('shrinks too fast');
    if (figures.every(({ percent, warming }) => percent === null || warming) && recommended !== current)
      faults.push('changes without figures');
    const filled = (percent: number) => ({
      ...state,
      figures: figures.map((each) => (each.percent === null ? { ...each, percent } : each)),
    });
    if (recommended > current && decide(filled(0)).recommended < recommended) faults.push('empty would need fewer');
    if (recommended < current && decide(filled(100)).recommended > recommended) faults.push('full would need more');
    if (faults.length > 0) wrong.push(`${faults.join(', ')}; ${told}`);
  }
  expect(wrong).toEqual([]);
});

function drawState(random: Random): ScalingState {
  const current = random.integer(1, 64);
  const min = random.integer(1, 64);
  const changes: PastDecision[] = [];
  for (
    let seconds = random.integer(60, 900), nodes = random.integer(1, 64);
    seconds > 0;
    seconds -= random.integer(5, 60)
  ) {
    const next = random.next() < 0.7 ? nodes : random.integer(1, 64);
    changes.push(past(seconds, nodes, next, random.integer(0, 64)));
    nodes = next;
  }
  return {
    ...{ nowMs, current, past: changes, bounds: { min, max: random.integer(min, 64), window: undefined } },
    policy: {
      ...defaultPolicy,
      targetPercent: random.integer(10, 95),
      tolerancePercent: random.integer(0, 50),
      cooldownMs: random.integer(0, 300) * 1_000,
      downWindowMs: random.integer(0, 600) * 1_000,
    },
    figures: Array.from({ length: current }, (_, index) => ({
      nodeId: null,
      node: `n${index}`,
      percent: random.next() < 0.2 ? null : random.integer(0, 100),
      at: null,
      warming: random.next() < 0.1,
    })),
  };
}
