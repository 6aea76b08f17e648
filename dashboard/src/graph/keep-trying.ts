// For what a page can't do without at its beginning. The browser aborts requests when the machine changes
// networks, and a server that restarts or hands over is away for seconds.
import { backoffMs, pause } from '../live/backoff.ts';
import { RequestError } from './request.ts';

const forMs = 15_000;

/** Tries again for 15 s while no answer comes. Throws the last error, and every other at once. */
export async function keepTrying<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Result> {
  const endsAtMs = performance.now() + forMs;
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      const isSilence = error instanceof RequestError && error.code === 'UNREACHABLE';
      const waitMs = backoffMs(failed, Math.random());
      if (!isSilence || signal.aborted || performance.now() + waitMs > endsAtMs) throw error;
      await pause(waitMs, signal);
    }
  }
}
