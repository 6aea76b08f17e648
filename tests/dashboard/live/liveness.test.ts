// When the page may show LIVE, and how long it waits before it retries.
import { describe, expect, test } from '@jest/globals';
import { backoffMs, maxBackoffMs, pause } from '../../../dashboard/src/graph/backoff.ts';
import { livenessOf } from '../../../dashboard/src/live/liveness.ts';

const live = { connected: true, sinceMs: 0, lastMessageMs: 1_000, reason: null };

describe('livenessOf', () => {
  test('is live until more than 45 s without a message', () => {
    expect(livenessOf(live, 46_000)).toBe('LIVE');
    expect(livenessOf(live, 46_001)).toBe('STALE');
  });

  test('a new connection counts as a message from the server', () => {
    expect(livenessOf({ ...live, sinceMs: 100_000 }, 130_000)).toBe('LIVE');
    expect(livenessOf({ ...live, sinceMs: 100_000 }, 145_001)).toBe('STALE');
  });

  test('is reconnecting for 5 s after the socket is lost, then stale', () => {
    const down = { ...live, connected: false, sinceMs: 10_000 };
    expect(livenessOf(down, 15_000)).toBe('RECONNECTING');
    expect(livenessOf(down, 15_001)).toBe('STALE');
  });
});

describe('backoffMs', () => {
  test('doubles, with jitter between half and the full step, and never exceeds 5 s', () => {
    expect([0, 1, 2, 3].map((attempt) => backoffMs(attempt, 0))).toEqual([125, 250, 500, 1000]);
    expect(backoffMs(0, 0.999)).toBeLessThanOrEqual(250);
    for (const attempt of [5, 50, 5_000]) expect(backoffMs(attempt, 0.999999)).toBeLessThanOrEqual(maxBackoffMs);
  });
});

describe('pause', () => {
  test('ends at once when the signal aborts', async () => {
    const controller = new AbortController();
    const paused = pause(3_600_000, controller.signal);
    controller.abort();
    await paused;
    await pause(3_600_000, controller.signal);
    expect(controller.signal.aborted).toBe(true);
  });
});
