// What follows from the length of a lease: time for several tries before the fence, and the same figures as ever for three seconds.
import { expect, test } from '@jest/globals';
import { callMsFor, leaseAfter, leastLeaseMs, limitsFor, mostLeaseMs } from '../../../ha/agent/limits.ts';

test('a lease of three seconds has the usual limits', () => {
  expect(limitsFor(3_000)).toMatchObject({ heartbeatMs: 1_000, detachMs: 1_000, admitMs: 3_000, reportMs: 3_000 });
  expect(callMsFor(3_000)).toBe(900);
});

test.each([leastLeaseMs, 2_000, 5_000, 10_000, 30_000, mostLeaseMs])('a lease of %i ms', (leaseMs) => {
  const { heartbeatMs, detachMs } = limitsFor(leaseMs);
  // Between a renewal, due after a quarter of the lease, and the fence after two thirds, one call may fail in full.
  expect(leaseMs / 4 + callMsFor(leaseMs)).toBeLessThan((leaseMs * 2) / 3);
  // A dead server is given up in time for the lease to end soon after, and clients do not wait for a lost member.
  expect(heartbeatMs).toBeLessThanOrEqual(Math.max(1_000, leaseMs / 3));
  expect(detachMs).toBeLessThanOrEqual(3_000);
});

test('after lost leads a lease doubles twice, and is never longer than the longest', () => {
  expect([0, 1, 2, 3].map((late) => leaseAfter(late, 3_000))).toEqual([3_000, 6_000, 12_000, 12_000]);
  expect(leaseAfter(1, mostLeaseMs)).toBe(mostLeaseMs);
});
