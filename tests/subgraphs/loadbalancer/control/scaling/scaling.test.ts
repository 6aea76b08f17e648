// Autoscaling policies and the job that follows them: rights, bad input, and one decision per period.
import { beforeAll, describe, expect, test } from '@jest/globals';
import type { AutoscalingPolicyInput } from '../../../../../generated/graph/loadbalancer.ts';
import { OwedWork, OwedWorkLostError } from '../../../../../platform/owed/owed-work.ts';
import { encodeId } from '../../../../../platform/values/ids.ts';
import type { MeasuredLoad } from '../../../../../subgraphs/loadbalancer/control/scaling/node-load.ts';
import { scalingRetention } from '../../../../../subgraphs/loadbalancer/control/scaling/retention.ts';
import { createScalingQueue, decideOnce } from '../../../../../subgraphs/loadbalancer/control/scaling/scaling-queue.ts';
import { ScalingReads } from '../../../../../subgraphs/loadbalancer/control/scaling/scaling-reads.ts';
import { ScalingService } from '../../../../../subgraphs/loadbalancer/control/scaling/scaling-service.ts';
import {
  pastDecisions,
  readPolicy,
  scalingKind,
} from '../../../../../subgraphs/loadbalancer/control/scaling/scaling-store.ts';
import { readBalancer } from '../../../../../subgraphs/loadbalancer/control/stores/balancer-store.ts';
import { historyMs, historyOf } from '../../../../../subgraphs/loadbalancer/rules/scale.ts';
import { forFile } from '../../../../support/jest/shared.ts';
import { deletedRows } from '../../../../support/product/deleted-rows.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';

const place = forFile(() => BalancerPlace.open());
let service: ScalingService;
let reads: ScalingReads;

beforeAll(async () => {
  const { db, wake, mutations } = place.ground;
  service = new ScalingService({ db, wake, mutations });
  reads = new ScalingReads(db);
});

function set(
  id: string,
  policy: Partial<AutoscalingPolicyInput> | null,
  role: Parameters<BalancerPlace['context']>[0] = 'MEMBER',
) {
  const loadBalancerId = encodeId('LoadBalancer', id);
  const context = place.context(role);
  return policy === null
    ? service.delete(context, { loadBalancerId })
    : service.set(context, { loadBalancerId, policy: policy as AutoscalingPolicyInput });
}

async function wanted(id: string): Promise<number | undefined> {
  return (await readBalancer(place.ground.db, id))?.wantedNodes;
}

/** Runs the job as a worker does. Undefined if it was not due. */
async function runJob(id: string, percents: Readonly<Record<string, number>> | Error): Promise<true | undefined> {
  const { db, wake, log } = place.ground;
  const job = await new OwedWork({ db }).claim(scalingKind, id);
  if (job === undefined) return undefined;
  const queue = createScalingQueue({
    ...{ db, wake, log },
    load: async () => {
      if (percents instanceof Error) throw percents;
      return measured(percents);
    },
  });
  await queue.run(job, { signal: new AbortController().signal });
  return true;
}

function measured(percents: Readonly<Record<string, number>>): ReadonlyMap<string, MeasuredLoad> {
  return new Map(Object.entries(percents).map(([id, percent]) => [id, { percent, at: '2026-11-23T12:00:00.000Z' }]));
}

/** Lets a period pass. */
async function pass(id: string, ms = 15_000): Promise<void> {
  const { db } = place.ground;
  const back = 'INTERVAL ? MICROSECOND';
  await db.execute(`UPDATE lb_scaling_policy SET decided_at = decided_at - ${back} WHERE load_balancer_id = ?`, [
    ms * 1000,
    id,
  ]);
  await db.execute(`UPDATE lb_scaling_decision SET at = at - ${back} WHERE load_balancer_id = ?`, [ms * 1000, id]);
  await db.execute('UPDATE owed_work SET due_at = NOW(3) WHERE kind = ? AND `key` = ? AND due_at IS NOT NULL', [
    scalingKind,
    id,
  ]);
}

async function decisions(id: string, changed = false) {
  return (await reads.decisions(place.context(), id, { first: 100, changed })).nodes;
}

describe('a policy', () => {
  test('is set, replaced and ended; without one the number of nodes is minNodes', async () => {
    const id = await place.balancer('set', { minNodes: 2, maxNodes: 8, autoscaling: { targetPercent: 50 } });
    const { db } = place.ground;
    expect(await readPolicy(db, id)).toMatchObject({
      targetPercent: 50,
      periodMs: 15_000,
      timeZone: 'UTC',
      version: 1,
    });
    const window = { days: [5, 1, 1], from: '08:00', to: '18:00', minNodes: 3, maxNodes: 8 };
    const replaced = await set(id, { timeZone: 'Europe/Berlin', schedule: [window], dryRun: true });
    expect(replaced.userErrors).toEqual([]);
    expect(await readPolicy(db, id)).toMatchObject({
      ...{ targetPercent: 60, timeZone: 'Europe/Berlin', dryRun: true, version: 2 },
      schedule: [{ ...window, days: [1, 5] }],
    });
    await db.execute('UPDATE lb_load_balancer SET wanted_nodes = 5 WHERE id = ?', [id]);
    expect((await set(id, null)).userErrors).toEqual([]);
    expect(await readPolicy(db, id)).toBeUndefined();
    expect(await wanted(id)).toBe(2);
    expect((await set(id, null)).userErrors).toEqual([]);
    // Without autoscaling the number also follows minNodes down.
    const update = { id: encodeId('LoadBalancer', id), minNodes: 1 };
    expect((await place.balancers.update(place.context(), update)).userErrors).toEqual([]);
    expect(await wanted(id)).toBe(1);
  });

  test('is for members of the project; for others the load balancer looks nonexistent', async () => {
    const id = await place.balancer('rights', { minNodes: 1, maxNodes: 4 });
    expect((await set(id, {}, 'VIEWER')).userErrors).toMatchObject([{ code: 'FORBIDDEN' }]);
    expect((await set(id, {}, 'NONE')).userErrors).toMatchObject([
      { code: 'NOT_FOUND', field: ['input', 'loadBalancerId'] },
    ]);
    expect(await readPolicy(place.ground.db, id)).toBeUndefined();
  });

  const window = { days: [1], from: '08:00', to: '18:00', minNodes: 1, maxNodes: 2 };
  test.each<[string, object]>([
    ['targetPercent', { targetPercent: 9 }],
    ['tolerancePercent', { tolerancePercent: 51 }],
    ['periodMs', { periodMs: 4_999 }],
    ['warmUpMs', { warmUpMs: -1 }],
    ['cooldownMs', { cooldownMs: 3_600_001 }],
    ['downWindowMs', { downWindowMs: 3_600_001 }],
    ['requestsPerNode', { requestsPerNode: 0 }],
    ['requestsPerNode', { signal: 'COLLECTD', collectdValue: 'cpu/percent', requestsPerNode: 5 }],
    ['collectdValue', { signal: 'COLLECTD' }],
    ['collectdValue', { signal: 'COLLECTD', collectdValue: 'cpu' }],
    ['collectdValue', { signal: 'COLLECTD', collectdValue: 'cpu/per\ncent' }],
    ['collectdValue', { signal: 'COLLECTD', collectdValue: `cpu/${'x'.repeat(256)}` }],
    ['collectdValue', { collectdValue: 'cpu/percent-active' }],
    ['timeZone', { timeZone: 'Europe/Nowhere' }],
    ['timeZone', { timeZone: '+01:00' }],
    ['schedule', { schedule: Array(33).fill(window) }],
    ['schedule.0.days', { schedule: [{ ...window, days: [] }] }],
    ['schedule.0.days', { schedule: [{ ...window, days: [0] }] }],
    ['schedule.0.from', { schedule: [{ ...window, from: '24:00' }] }],
    ['schedule.0.to', { schedule: [{ ...window, to: '8:00' }] }],
    ['schedule.0.minNodes', { schedule: [{ ...window, minNodes: 0 }] }],
    ['schedule.0.maxNodes', { schedule: [{ ...window, minNodes: 3 }] }],
  ])('with a bad %s is refused', async (field, policy) => {
    const id = await place.balancer(`bad-${Math.random().toString(36).slice(2, 10)}`, { minNodes: 1, maxNodes: 4 });
    const { userErrors } = await set(id, policy);
    expect(userErrors.map((error) => error.field?.join('.'))).toContain(`input.policy.${field}`);
    expect(await readPolicy(place.ground.db, id)).toBeUndefined();
  });

  test('of a load balancer with two fixed nodes is refused', async () => {
    const id = await place.balancer('fixed', { topology: 'ACTIVE_STANDBY' });
    expect((await set(id, {})).userErrors).toMatchObject([{ code: 'INVALID_INPUT', field: ['input', 'policy'] }]);
  });
});

describe('the job', () => {
  test('decides once a period, writes the reason, and wakes the reconciler only for a change', async () => {
    const id = await place.balancer('job', { minNodes: 2, maxNodes: 8, autoscaling: {} });
    const nodes = [await place.node(id, 'job-1'), await place.node(id, 'job-2')];
    const { db } = place.ground;
    const generation = async () => (await readBalancer(db, id))?.generation;
    const before = (await generation()) ?? 0;
    const busy = { [nodes[0] ?? '']: 95, [nodes[1] ?? '']: 85 };
    expect(await runJob(id, { [nodes[0] ?? '']: 60, [nodes[1] ?? '']: 60 })).toBe(true);
    expect(await wanted(id)).toBe(2);
    expect(await generation()).toBe(before);
    // The job is not due. When it is owed again, for example by a change of the policy, it waits for the rest of the
    // period.
    expect(await runJob(id, busy)).toBeUndefined();
    await db.execute('UPDATE owed_work SET due_at = NOW(3) WHERE `key` = ?', [id]);
    expect(await runJob(id, busy)).toBe(true);
    expect(await decisions(id)).toHaveLength(1);
    await pass(id);
    expect(await runJob(id, busy)).toBe(true);
    expect(await wanted(id)).toBe(3);
    expect(await generation()).toBe(before + 1);
    const [last, first] = await decisions(id);
    expect(first).toMatchObject({ action: 'KEEP', fromNodes: 2, toNodes: 2 });
    expect(last).toMatchObject({
      ...{ action: 'GROW', fromNodes: 2, toNodes: 3, recommended: 3, dryRun: false },
      reason: '2 nodes are at 90.0 percent on average, the target is 60; needs 3',
      figures: [
        { node: 'job-1', percent: 95, at: '2026-11-23T12:00:00.000Z', warming: false },
        { node: 'job-2', percent: 85, at: '2026-11-23T12:00:00.000Z', warming: false },
      ],
    });
    expect(await decisions(id, true)).toEqual([last]);
    const events = await db.query<{ kind: string; to: string; reason: string }>(
      "SELECT kind, to_status AS `to`, reason FROM status_change WHERE subject_id = ? AND kind = 'autoscalingPolicy.decision'",
      [id],
    );
    expect(events).toEqual([
      { kind: 'autoscalingPolicy.decision', to: 'GROW', reason: `2 to 3 nodes: ${last?.reason}` },
    ]);
  });

  test('counts a wanted node that does not exist yet as warming up', async () => {
    const id = await place.balancer('building', { minNodes: 1, maxNodes: 8, autoscaling: {} });
    const node = await place.node(id, 'building-1');
    await runJob(id, { [node]: 100 });
    expect(await wanted(id)).toBe(2);
    await pass(id);
    await runJob(id, { [node]: 100 });
    expect(await wanted(id)).toBe(2);
    expect((await decisions(id))[0]?.figures).toContainEqual({
      nodeId: null,
      node: null,
      percent: null,
      at: null,
      warming: true,
    });
  });

  test('treats unreadable figures as missing figures', async () => {
    const id = await place.balancer('unread', { minNodes: 1, maxNodes: 8, autoscaling: {} });
    await place.node(id, 'unread-1');
    await runJob(id, new Error('Redis is not available'));
    expect(await decisions(id)).toMatchObject([{ action: 'KEEP', reason: 'no node reported figures' }]);
    expect(await runJob(id, {})).toBeUndefined();
  });

  test('changes nothing in a dry run, which is reported once', async () => {
    const id = await place.balancer('dry', { minNodes: 1, maxNodes: 8, autoscaling: { dryRun: true } });
    const node = await place.node(id, 'dry-1');
    for (let period = 0; period < 3; period += 1) {
      await runJob(id, { [node]: 100 });
      await pass(id);
    }
    expect(await wanted(id)).toBe(1);
    expect(await decisions(id, true)).toMatchObject(Array(3).fill({ action: 'GROW', toNodes: 2, dryRun: true }));
    const [told] = await place.ground.db.query<{ count: number }>(
      "SELECT COUNT(*) AS count FROM status_change WHERE subject_id = ? AND kind = 'autoscalingPolicy.decision'",
      [id],
    );
    expect(Number(told?.count)).toBe(1);
  });

  test('writes nothing if another worker took its claim', async () => {
    const id = await place.balancer('fence', { minNodes: 1, maxNodes: 8, autoscaling: {} });
    const node = await place.node(id, 'fence-1');
    const { db, wake, log } = place.ground;
    const paused = await new OwedWork({ db, claimMs: 1 }).claim(scalingKind, id);
    // The claim of 1 ms has expired.
    await new Promise((resolve) => setTimeout(resolve, 5));
    const queue = createScalingQueue({ db, wake, log, load: async () => measured({ [node]: 100 }) });
    expect(await runJob(id, { [node]: 100 })).toBe(true);
    await pass(id);
    if (paused === undefined) throw new Error('no claim');
    await expect(queue.run(paused, { signal: new AbortController().signal })).rejects.toThrow(OwedWorkLostError);
    expect(await decisions(id)).toHaveLength(1);
    expect(await wanted(id)).toBe(2);
  });

  test('removes nodes again based on the history from the database (found by a simulation)', async () => {
    const id = await place.balancer('descent', { minNodes: 1, maxNodes: 8, autoscaling: { downWindowMs: 60_000 } });
    const node = await place.node(id, 'descent-1');
    const { db } = place.ground;
    await runJob(id, { [node]: 100 });
    expect(await wanted(id)).toBe(2);
    const second = await place.node(id, 'descent-2');
    const policy = await readPolicy(db, id);
    if (policy === undefined) throw new Error('no policy');
    // Long enough that the addition is older than the window.
    for (const percent of [60, 60, 60, 60, 60, 60, 60, 0, 0, 0, 0, 0, 0, 0]) {
      await pass(id);
      await runJob(id, { [node]: percent, [second]: percent });
      const all = (await decisions(id)).toReversed().map((each) => ({ ...each, atMs: each.decidedAt.getTime() }));
      const [row] = await db.query<{ now: Date }>('SELECT NOW(3) AS now');
      const read = await pastDecisions(db, id, historyMs(policy));
      const modelled = historyOf(all, row?.now.getTime() ?? 0, policy);
      expect(read.map(({ id: each }) => each)).toEqual(modelled.map(({ id: each }) => each));
    }
    expect((await decisions(id, true)).map(({ action }) => action)).toEqual(['SHRINK', 'GROW']);
    expect(await wanted(id)).toBe(1);
  });

  test('decides once when many run at the same time', async () => {
    const id = await place.balancer('race', { minNodes: 1, maxNodes: 64, autoscaling: {} });
    const node = await place.node(id, 'race-1');
    const { db, wake } = place.ground;
    const load = measured({ [node]: 100 });
    await Promise.all(Array.from({ length: 8 }, () => db.transaction((tx) => decideOnce(tx, wake, id, load))));
    expect(await decisions(id)).toHaveLength(1);
    expect(await wanted(id)).toBe(2);
  });

  test('ends with the policy, a disabled policy, and the load balancer', async () => {
    const id = await place.balancer('ends', { minNodes: 1, maxNodes: 8, autoscaling: {} });
    await set(id, { enabled: false });
    expect(await runJob(id, {})).toBe(true);
    expect(await runJob(id, {})).toBeUndefined();
    await set(id, { enabled: true });
    const { db } = place.ground;
    await place.balancers.delete(place.context(), { id: encodeId('LoadBalancer', id) });
    expect(await runJob(id, {})).toBe(true);
    expect(await runJob(id, {})).toBeUndefined();
    expect(await readPolicy(db, id)).toBeUndefined();
    expect(await decisions(id)).toEqual([]);
  });

  test('deletes old decisions: those that changed nothing after a day', async () => {
    const id = await place.balancer('old', { minNodes: 1, maxNodes: 8, autoscaling: {} });
    const node = await place.node(id, 'old-1');
    await runJob(id, { [node]: 100 });
    await pass(id);
    await runJob(id, { [node]: 60 });
    await pass(id, 90_000_000);
    const { db } = place.ground;
    await deletedRows(scalingRetention(db, { changedMs: 10 * 86_400_000 }));
    expect(await decisions(id)).toMatchObject([{ action: 'GROW' }]);
    await deletedRows(scalingRetention(db, { changedMs: 86_400_000 }));
    expect(await decisions(id)).toEqual([]);
  });
});
