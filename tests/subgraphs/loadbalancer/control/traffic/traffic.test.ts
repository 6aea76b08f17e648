// Traffic from reports to the graph. Each report counts once, minutes and hours may be computed again, and autoscaling
// gets its signal.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { deadAfterAttempts, OwedWork, usualRetry } from '../../../../../platform/owed/owed-work.ts';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { nodesOf } from '../../../../../subgraphs/loadbalancer/control/nodes/node-store.ts';
import { collectdKey } from '../../../../../subgraphs/loadbalancer/control/scaling/collectd/receiver.ts';
import { NodeLoad } from '../../../../../subgraphs/loadbalancer/control/scaling/node-load.ts';
import { scalingRetention } from '../../../../../subgraphs/loadbalancer/control/scaling/retention.ts';
import { StatisticsStore } from '../../../../../subgraphs/loadbalancer/control/traffic/statistics-store.ts';
import { TrafficReads } from '../../../../../subgraphs/loadbalancer/control/traffic/traffic-reads.ts';
import { TrafficRecorder } from '../../../../../subgraphs/loadbalancer/control/traffic/traffic-recorder.ts';
import {
  createTrafficQueue,
  rollHours,
  rollMinutes,
} from '../../../../../subgraphs/loadbalancer/control/traffic/traffic-rollup.ts';
import { TrafficSeconds } from '../../../../../subgraphs/loadbalancer/control/traffic/traffic-seconds.ts';
import { defaultPolicy } from '../../../../../subgraphs/loadbalancer/rules/scaling-policy.ts';
import { deletedRows } from '../../../../support/product/deleted-rows.ts';
import { BalancerPlace } from '../../support/balancer-place.ts';
import { listenerOf, memberOf, reportOf } from '../../support/traffic.ts';

let place: BalancerPlace;
let redis: Redis;
let seconds: TrafficSeconds;
let statistics: StatisticsStore;
let recorder: TrafficRecorder;
let registry: Registry;
let reads: TrafficReads;
const host = newUuid();

beforeAll(async () => {
  place = await BalancerPlace.open();
  redis = new Redis({ path: place.database.redisPath });
  seconds = new TrafficSeconds({ redis, redisPrefix: place.database.redisPrefix });
  statistics = new StatisticsStore({ redis, redisPrefix: place.database.redisPrefix });
  registry = new Registry();
  recorder = newRecorder(registry);
  reads = new TrafficReads({ db: place.ground.db, seconds });
});
afterAll(async () => {
  redis.disconnect();
  await place.close();
});

function newRecorder(into = new Registry()): TrafficRecorder {
  return new TrafficRecorder({ db: place.ground.db, seconds, statistics, registry: into });
}

/** Creates a load balancer with nodes on the host. */
async function balancerWithNodes(
  name: string,
  count: number,
): Promise<{ balancerId: string; nodes: readonly string[] }> {
  const balancerId = await place.balancer(name, { minNodes: count });
  const nodes: string[] = [];
  for (let index = 1; index <= count; index += 1) nodes.push(await place.node(balancerId, `${name}-${index}`));
  await place.ground.db.execute('UPDATE lb_node SET host_id = ? WHERE load_balancer_id = ?', [host, balancerId]);
  return { balancerId, nodes };
}

/** The requests of the last seconds in Redis. */
async function counted(balancerId: string, subject = balancerId): Promise<number> {
  const now = Math.floor(Date.now() / 1_000);
  const found = await seconds.read(balancerId, now - 60, now + 1);
  return [...found.values()].flat().reduce((sum, { node, subjects }) => {
    const id = subject === balancerId ? node : subject;
    return sum + (subjects.get(id)?.requests ?? 0);
  }, 0);
}

const asJson = (report: object) => JSON.parse(JSON.stringify(report));

describe('a report', () => {
  test('counts once, however often it comes, and whichever process it comes to', async () => {
    const { balancerId, nodes } = await balancerWithNodes('once', 1);
    const [node = ''] = nodes;
    const count = newUuid();
    const at = Date.now();
    const send = (to: TrafficRecorder, requests: number) =>
      to.record(host, asJson(reportOf(node, { count, at: at + requests, requests })));
    const other = newRecorder();
    await send(recorder, 100);
    await Promise.all([send(recorder, 110), send(other, 110), send(recorder, 110)]);
    await send(other, 130);
    // This process knows an older last report than Redis.
    await send(recorder, 135);
    await send(other, 130);
    await send(newRecorder(), 140);
    expect(await counted(balancerId)).toBe(40);
  });

  test('of another host, of no node, or with garbage is not recorded', async () => {
    const { balancerId, nodes } = await balancerWithNodes('foreign', 1);
    const report = asJson(reportOf(nodes[0] ?? '', { requests: 5 }));
    await recorder.record(newUuid(), report);
    await recorder.record(host, asJson(reportOf(newUuid())));
    await expect(recorder.record(host, { ...report, requests: -1 })).rejects.toThrow();
    await expect(
      recorder.record(host, { ...report, members: Array(1_001).fill(asJson(memberOf(newUuid()))) }),
    ).rejects.toThrow();
    const now = Math.floor(Date.now() / 1_000);
    expect((await seconds.read(balancerId, now - 5, now + 1)).size).toBe(0);
  });

  test('after a loss of Redis counts from the last one', async () => {
    const { balancerId, nodes } = await balancerWithNodes('lost', 1);
    const count = newUuid();
    const send = (requests: number) =>
      recorder.record(host, asJson(reportOf(nodes[0] ?? '', { count, at: Date.now() + requests, requests })));
    await send(10);
    await send(20);
    for (const key of await redis.keys(`${place.database.redisPrefix}:lb-traffic*`)) await redis.del(key);
    await send(25);
    await send(27);
    expect(await counted(balancerId)).toBe(7);
  });

  test('expires by itself', async () => {
    for (const key of await redis.keys(`${place.database.redisPrefix}:lb-traffic*`)) {
      const ttl = await redis.pttl(key);
      expect(ttl).toBeGreaterThan(0);
      expect(ttl).toBeLessThanOrEqual(3_600_000);
    }
  });
});

describe('the graph', () => {
  const listener = newUuid();
  const [member, draining] = [newUuid(), newUuid()];
  const minute = Math.floor(Date.now() / 60_000) * 60 - 120;
  let balancerId: string;
  let nodes: readonly string[];

  /** One report a second, for ten seconds of a past minute. */
  beforeAll(async () => {
    ({ balancerId, nodes } = await balancerWithNodes('graph', 2));
    const counts = nodes.map(() => newUuid());
    for (let second = 0; second <= 10; second += 1)
      for (const [index, node] of nodes.entries()) {
        const requests = second * 10;
        const { secondOf } = await import('../../../../../subgraphs/loadbalancer/control/traffic/traffic-figures.ts');
        const before = await seconds.last(node);
        const answers = { '1xx': 0, '2xx': requests, '3xx': 0, '4xx': 0, '5xx': second };
        const report = reportOf(node, {
          ...{
            count: counts[index] ?? '',
            at: second * 1_000 + 1,
            requests,
            bytesIn: requests,
            bytesOut: requests,
            open: 4,
          },
          listeners: [listenerOf(listener, { requests, answers, open: 4 })],
          members: [
            memberOf(member, { requests, latencyMs: 30 }),
            memberOf(draining, { requests: 1, open: second < 6 ? 2 : 0 }),
          ],
        });
        const entry = secondOf(report, before);
        if (entry !== undefined) await seconds.record(balancerId, entry, before, (minute + second) * 1_000);
      }
  });

  const now = () => (minute + 75) * 1_000;
  const at = (length: number) => new Date(minute * 1_000 - ((minute * 1_000) % length));

  test('shows seconds, newest first, of the load balancer and its parts', async () => {
    const live = new TrafficReads({ db: place.ground.db, seconds, now: () => (minute + 11) * 1_000 });
    const series = (id: string, periods: number) => live.series(place.context(), { id, balancerId }, { periods });
    expect(await series(balancerId, 2)).toEqual(
      [10, 9].map((second) => ({
        ...{ startedAt: new Date((minute + second) * 1_000), requests: 20, errors: 0, serverErrors: 2, sessions: 8 },
        ...{ bytesIn: 20, bytesOut: 20, latencyMs: null },
      })),
    );
    expect(await series(listener, 1)).toMatchObject([{ requests: 20, sessions: 8 }]);
    expect(await series(member, 1)).toMatchObject([{ requests: 20, serverErrors: null, latencyMs: 30 }]);
    expect(await series(nodes[0] ?? '', 1)).toMatchObject([{ requests: 10, sessions: 4 }]);
    expect(await series(newUuid(), 1)).toMatchObject([{ requests: 0 }]);
    expect(await live.total(place.context(), { id: balancerId, balancerId })).toMatchObject({ activeConnections: 8 });
  });

  test.each([
    ['the sessions of all nodes, of the last five seconds', 8, 4],
    ['none left', 11, 0],
    ['no report', 30, null],
  ])('a member that drains has %s', async (_, second, sessions) => {
    const live = new TrafficReads({ db: place.ground.db, seconds, now: () => (minute + second) * 1_000 });
    expect(await live.openSessions(place.context(), { id: draining, balancerId })).toBe(sessions);
  });

  test.each([[{ periods: 0 }], [{ periods: 301 }], [{ period: 'MINUTE' as const, periods: 1_441 }]])(
    '%j is refused',
    async (args) => {
      await expect(reads.series(place.context(), { id: balancerId, balancerId }, args)).rejects.toThrow(/out of range/);
    },
  );

  test('minutes and hours are the same when computed again, and lose nothing with Redis', async () => {
    const { db } = place.ground;
    const past = new TrafficReads({ db, seconds, now });
    const subject = { id: balancerId, balancerId };
    const read = async (period: 'MINUTE' | 'HOUR', id = balancerId) =>
      past.series(place.context(), { id, balancerId }, { period, periods: 3 });
    await rollMinutes({ db, seconds, now });
    const whole = {
      startedAt: at(60_000),
      requests: 200,
      errors: 0,
      serverErrors: 20,
      sessions: 8,
      bytesIn: 200,
      bytesOut: 200,
      latencyMs: null,
    };
    expect(await read('MINUTE')).toEqual([whole]);
    await rollMinutes({ db, seconds, now });
    expect(await read('MINUTE')).toEqual([whole]);
    expect(await read('MINUTE', member)).toMatchObject([{ requests: 200, serverErrors: null, latencyMs: 30 }]);
    const totals = { totalRequests: 200, requestErrors: 0, bytesIn: 200, bytesOut: 200 };
    const countedUntil = new Date(at(60_000).getTime() + 60_000);
    expect(await past.total(place.context(), subject)).toMatchObject({ ...totals, countedUntil });
    // Only some of the seconds remain, but the minute keeps its sum.
    for (let second = 0; second < 8; second += 1)
      await redis.del(`${place.database.redisPrefix}:lb-traffic:second:${balancerId}:${minute + second}`);
    await rollMinutes({ db, seconds, now });
    expect(await read('MINUTE')).toEqual([whole]);
    const later = () => now() + 3_600_000;
    for (let time = 0; time < 2; time += 1) await rollHours({ db, now: later });
    expect(await read('HOUR')).toEqual([{ ...whole, startedAt: at(3_600_000), sessions: Math.round(8 / 60) }]);
    expect(await past.total(place.context(), subject)).toMatchObject(totals);
  });

  test('old minutes are deleted, hours stay', async () => {
    const { db } = place.ground;
    await db.execute('UPDATE lb_traffic SET at = at - INTERVAL 3 DAY WHERE subject_id = ?', [balancerId]);
    await deletedRows(scalingRetention(db, { changedMs: 1 }));
    const rows = await db.query('SELECT period FROM lb_traffic WHERE subject_id = ?', [balancerId]);
    expect(rows).toEqual([{ period: 'HOUR' }]);
  });
});

describe('the autoscaling signal', () => {
  test('is the largest of sessions, busy time and requests; without recent reports there is none', async () => {
    const { balancerId, nodes } = await balancerWithNodes('signal', 2);
    const [node = ''] = nodes;
    const count = newUuid();
    const start = Date.now();
    for (let second = 0; second <= 2; second += 1)
      await recorder.record(
        host,
        asJson(
          reportOf(node, { count, at: start + second * 1_000, requests: second * 300, open: 200, idlePercent: 70 }),
        ),
      );
    const rows = (await nodesOf(place.ground.db, [balancerId])).get(balancerId) ?? [];
    const load = async (policy: object, now = Date.now) => {
      const options = { seconds, redis, redisPrefix: place.database.redisPrefix, now };
      const found = await new NodeLoad(options).of({ ...defaultPolicy, ...policy }, rows);
      expect(found.has(nodes[1] ?? '')).toBe(false);
      return found.get(node)?.percent;
    };
    expect(await load({})).toBeCloseTo(30);
    // 600 requests in three reports of a second each.
    expect(await load({ requestsPerNode: 250 })).toBeCloseTo(80);
    expect(await load({ requestsPerNode: 10_000 })).toBeCloseTo(30);
    expect(await load({}, () => Date.now() + 14_000)).toBeUndefined();
  });

  test('is a collectd value, if the policy selects it', async () => {
    const { balancerId, nodes } = await balancerWithNodes('values', 2);
    const { redisPrefix } = place.database;
    const policy = { ...defaultPolicy, signal: 'COLLECTD' as const, collectdValue: 'cpu/percent-active' };
    const value = { percent: 71.5, at: '2026-11-23T12:00:00.000Z' };
    await redis.set(collectdKey(redisPrefix, nodes[0] ?? '', 'cpu/percent-active'), JSON.stringify(value));
    const rows = (await nodesOf(place.ground.db, [balancerId])).get(balancerId) ?? [];
    expect([...(await new NodeLoad({ seconds, redis, redisPrefix }).of(policy, rows))]).toEqual([[nodes[0], value]]);
  });
});

test('metrics of the nodes that report here, and of their listeners', async () => {
  const { balancerId, nodes } = await balancerWithNodes('metrics', 1);
  const [listener, deleted] = [newUuid(), newUuid()];
  for (const id of [deleted, listener])
    await place.ground.db.execute(
      `INSERT INTO lb_part (id, project_id, load_balancer_id, parent_id, kind, unique_key, spec, generation, deleted)
      SELECT ?, project_id, id, id, 'Listener', ?, '{"port": 8080}', 1, ? FROM lb_load_balancer WHERE id = ?`,
      [id, id, id === deleted, balancerId],
    );
  const pool = { id: newUuid(), errors: 0, waiting: 0, usableMembers: 1 };
  const report = reportOf(nodes[0] ?? '', {
    ...{ requests: 12, open: 3, idlePercent: 90 },
    listeners: [listenerOf(listener, { requests: 12, errors: 2, bytesOut: 700, latencyMs: 40 }), listenerOf(deleted)],
    pools: [
      { ...pool, requests: 9, latencyMs: 20 },
      { ...pool, requests: 3, latencyMs: 100 },
    ],
  });
  await recorder.record(host, asJson(report));
  const text = await registry.metrics();
  const node = 'load_balancer="metrics",node="metrics-1"';
  for (const line of [
    `node_requests_total{${node}} 12`,
    `node_sessions{${node}} 3`,
    `node_latency_seconds{${node}} 0.04`,
    `listener_requests_total{${node},port="8080"} 12`,
    `listener_errors_total{${node},port="8080"} 2`,
    `listener_sent_bytes_total{${node},port="8080"} 700`,
    `listener_latency_seconds{${node},port="8080"} 0.04`,
  ])
    expect(text.split('\n')).toContain(`tidegate_load_balancer_${line}`);
});

test("a node's table of statistics is the newest from its own host", async () => {
  const { nodes } = await balancerWithNodes('table', 1);
  const [node = ''] = nodes;
  const report = { node, at: 2_000, countedSince: 1_000, listeners: [], pools: [], servers: [], leftOut: 0 };
  await recorder.recordStatistics(newUuid(), report);
  expect(await statistics.read([node])).toEqual(new Map());
  await recorder.recordStatistics(host, report);
  await recorder.recordStatistics(host, { ...report, at: 3_000, leftOut: 7 });
  expect((await statistics.read([newUuid(), node])).get(node)).toMatchObject({ at: 3_000, leftOut: 7 });
  await expect(recorder.recordStatistics(host, { ...report, at: 'now' })).rejects.toThrow();
});

test('after a long outage minutes are computed again within seconds, while their seconds still exist', async () => {
  const { db } = place.ground;
  const away = new TrafficSeconds({ redis: new Redis({ lazyConnect: true }), redisPrefix: 'none' });
  away.balancersIn = () => Promise.reject(new Error('Redis is away'));
  const queue = createTrafficQueue({ db, seconds: away });
  const { retry = usualRetry } = queue;
  await queue.begin?.();
  const owed = new OwedWork({ db, retry });
  for (let attempt = 1; attempt <= deadAfterAttempts + 1; attempt += 1) {
    await db.execute("UPDATE owed_work SET due_at = NOW(3) WHERE kind = ? AND `key` = 'minute'", [queue.kind]);
    const job = await owed.claim(queue.kind, 'minute');
    if (job === undefined) throw new Error('the job is not due');
    await expect(queue.run(job, { signal: new AbortController().signal })).rejects.toThrow('Redis is away');
    // As the queue's worker does it.
    if (retry.forever || job.attempts < deadAfterAttempts) await owed.fail(job, 'away');
    else await owed.bury(job, 'away', place.ground.wake);
  }
  const { dueInMs = Infinity } = (await owed.awaited(queue.kind, 'minute')) ?? {};
  expect(dueInMs).toBeLessThan(60_000);
});
