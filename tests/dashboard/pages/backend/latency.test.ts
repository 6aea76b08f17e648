// The duration of calls: median, 95 % and maximum.
import { expect, test } from '@jest/globals';
import { latencyOf } from '../../../../dashboard/src/pages/backend/latency.ts';

const startedAt = '2026-01-31T12:00:00.000Z';
const call = (tookMs: number | null) => ({
  startedAt,
  finishedAt: tookMs === null ? null : new Date(Date.parse(startedAt) + tookMs).toISOString(),
});

test('covers only calls that have ended', () => {
  expect(latencyOf([call(null), { startedAt: null, finishedAt: startedAt }])).toBeNull();
  expect(latencyOf([call(7), call(null)])).toEqual({ calls: 1, medianMs: 7, p95Ms: 7, slowestMs: 7 });
});

test('has the middle, 95 % and the slowest, in any order', () => {
  const calls = Array.from({ length: 100 }, (_, index) => call(100 - index));
  expect(latencyOf(calls)).toEqual({ calls: 100, medianMs: 50, p95Ms: 95, slowestMs: 100 });
});
