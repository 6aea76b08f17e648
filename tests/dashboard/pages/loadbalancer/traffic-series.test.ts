// Figures as columns of a chart: gaps, rates, order and clocks.
import { describe, expect, test } from '@jest/globals';
import {
  newestOf,
  type Period,
  periods,
  seriesOf,
} from '../../../../dashboard/src/pages/loadbalancer/traffic-series.ts';

const nowMs = Date.parse('2026-01-31T12:00:10.400Z');
const [second, minute] = periods as readonly [Period, Period];

function figure(startedAt: string, requests: number, latencyMs: number | null = null) {
  const counters = { requests: String(requests), errors: '1', bytesIn: '60', bytesOut: '600' };
  return { startedAt, ...counters, sessions: 3, latencyMs };
}

describe('a series', () => {
  test('has a place for each period up to now, and a gap where no node reported', () => {
    const figures = [figure('2026-01-31T12:00:10.000Z', 30, 4), figure('2026-01-31T12:00:07.000Z', 10)];
    const series = seriesOf(figures, { ...second, count: 5 }, nowMs);
    expect(series.at.map((at) => new Date(at * 1000).getUTCSeconds())).toEqual([6, 7, 8, 9, 10]);
    expect(series.requests).toEqual([null, 10, null, null, 30]);
    expect(series.errors).toEqual([null, 1, null, null, 1]);
    expect(series.latencyMs).toEqual([null, null, null, null, 4]);
  });

  test('of minutes has rates a second', () => {
    const series = seriesOf([figure('2026-01-31T12:00:00.000Z', 120)], { ...minute, count: 2 }, nowMs);
    expect(series.requests).toEqual([null, 2]);
    expect([series.bytesIn, series.bytesOut]).toEqual([
      [null, 1],
      [null, 10],
    ]);
    expect(series.sessions).toEqual([null, 3]);
  });

  test('ends with the newest figure when the clock of the server is ahead', () => {
    const series = seriesOf([figure('2026-01-31T12:00:13.000Z', 7)], { ...second, count: 2 }, nowMs);
    expect(series.requests).toEqual([null, 7]);
  });

  test('leaves out what is older', () => {
    const series = seriesOf([figure('2026-01-31T11:00:00.000Z', 7)], { ...second, count: 2 }, nowMs);
    expect(series.requests).toEqual([null, null]);
  });

  test('without figures has gaps only', () => {
    expect(seriesOf([], { ...second, count: 2 }, nowMs).requests).toEqual([null, null]);
  });
});

test('the newest figure is found in any order', () => {
  const [old, young] = [figure('2026-01-31T12:00:01.000Z', 1), figure('2026-01-31T12:00:02.000Z', 2)];
  expect(newestOf([old, young])).toBe(young);
  expect(newestOf([young, old])).toBe(young);
  expect(newestOf([])).toBeUndefined();
});
