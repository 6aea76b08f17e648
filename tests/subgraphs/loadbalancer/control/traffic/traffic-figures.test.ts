// Differences between reports of a node, and their sums.
import { expect, test } from '@jest/globals';
import { newUuid } from '../../../../../platform/values/ids.ts';
import { secondOf, subjectsIn } from '../../../../../subgraphs/loadbalancer/control/traffic/traffic-figures.ts';
import { listenerOf, memberOf, reportOf } from '../../support/traffic.ts';

const [node, count, listener, pool, member] = Array.from({ length: 5 }, () => newUuid()) as [
  ...[string, string, string, string, string],
];

function report(at: number, requests: number, more: Parameters<typeof reportOf>[1] = {}) {
  const answers = { '1xx': 0, '2xx': requests, '3xx': 0, '4xx': 0, '5xx': Math.floor(requests / 10) };
  const bytes = { bytesIn: requests * 10, bytesOut: requests * 100 };
  return reportOf(node, {
    ...{ ...bytes, count, at, requests, open: 5, idlePercent: 75 },
    listeners: [listenerOf(listener, { ...bytes, requests, answers, open: 5, latencyMs: 19 })],
    pools: [{ id: pool, requests, errors: 0, waiting: 0, usableMembers: 1, latencyMs: 20 }],
    members: [memberOf(member, { requests, open: 2, latencyMs: 18 })],
    ...more,
  });
}

test('the first report starts the count, and each later one adds its difference', () => {
  const first = secondOf(report(1_000, 100), undefined);
  expect(first?.second.subjects.get(node)?.requests).toBe(0);
  const second = secondOf(report(3_000, 130), first?.last);
  expect(second?.second).toMatchObject({ node, ms: 2_000, sessionsPercent: 0.5, busyPercent: 25 });
  expect(second?.second.subjects.get(node)).toEqual({
    ...{ requests: 30, errors: 0, serverErrors: 3, sessions: 5, bytesIn: 300, bytesOut: 3_000, latencyMs: 20 },
  });
  expect(second?.second.subjects.get(listener)).toMatchObject({ requests: 30, serverErrors: 3, latencyMs: 19 });
  expect(second?.second.subjects.get(member)).toMatchObject({
    requests: 30,
    serverErrors: null,
    latencyMs: 18,
    sessions: 2,
  });
  expect(second?.second.subjects.has(pool)).toBe(false);
});

test('a repeated or older report counts nothing; a clock that was set back does not matter', () => {
  const first = secondOf(report(10_000, 100), undefined);
  const second = secondOf(report(11_000, 130), first?.last);
  expect(secondOf(report(11_000, 130), second?.last)).toBeUndefined();
  expect(secondOf(report(10_500, 120), second?.last)).toBeUndefined();
  expect(secondOf(report(5_000, 150), second?.last)?.second.subjects.get(node)?.requests).toBe(20);
});

test('a new count begins with the earlier counts of an adopted HAProxy, so nothing counts twice', () => {
  const first = secondOf(report(1_000, 100), undefined);
  const again = { count: newUuid() };
  const second = secondOf(report(2_000, 103, again), first?.last);
  expect(second?.second.subjects.get(node)?.requests).toBe(0);
  const third = secondOf(report(3_000, 110, again), second?.last);
  expect(third?.second.subjects.get(node)?.requests).toBe(7);
  expect(third?.second.subjects.get(member)?.requests).toBe(7);
});

test('a member that first appears within a count began at 0; one that a report leaves out keeps its counters', () => {
  const first = secondOf(report(1_000, 100, { members: [] }), undefined);
  const second = secondOf(report(2_000, 110, { members: [memberOf(member, { requests: 4 })] }), first?.last);
  expect(second?.second.subjects.get(member)?.requests).toBe(4);
  const third = secondOf(report(3_000, 120, { members: [] }), second?.last);
  expect(third?.second.subjects.has(member)).toBe(false);
  const fourth = secondOf(report(4_000, 130, { members: [memberOf(member, { requests: 9 })] }), third?.last);
  expect(fourth?.second.subjects.get(member)?.requests).toBe(5);
});

test('sums over nodes and time add requests, do not multiply sessions by reports, and weight latency', () => {
  const balancer = newUuid();
  const other = newUuid();
  const entry = (of: string, requests: number, sessions: number, latencyMs: number | null) => ({
    ...{ node: of, ms: 1_000, sessionsPercent: 0, busyPercent: 0 },
    subjects: new Map(
      [of, listener].map(
        (id) =>
          [...[id, { requests, errors: 1, serverErrors: 1, sessions, bytesIn: 2, bytesOut: 3, latencyMs }]] as [
            string,
            never,
          ],
      ),
    ),
  });
  const found = subjectsIn(balancer, [entry(node, 10, 4, 10), entry(node, 30, 6, 20), entry(other, 0, 2, null)]);
  const whole = { requests: 40, errors: 3, serverErrors: 3, sessions: 7, bytesIn: 6, bytesOut: 9, latencyMs: 17.5 };
  expect(found.get(balancer)).toEqual(whole);
  expect(found.get(listener)).toEqual(whole);
  expect(found.get(node)).toMatchObject({ requests: 40, sessions: 5, latencyMs: 17.5 });
  expect(found.get(other)).toMatchObject({ requests: 0, sessions: 2, latencyMs: null });
});
