// The wait before the next attempt: doubling with jitter, so that many dashboards do not return at the same moment.

export const maxBackoffMs = 5_000;
const firstBackoffMs = 250;

/** `attempt` counts from 0; `random` is in [0, 1). Between half of the step and the full step, at most `maxBackoffMs`. */
export function backoffMs(attempt: number, random: number): number {
  const step = Math.min(maxBackoffMs, firstBackoffMs * 2 ** Math.min(attempt, 10));
  return Math.round(step * (0.5 + random / 2));
}

/** Resolves after `ms`, or when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
