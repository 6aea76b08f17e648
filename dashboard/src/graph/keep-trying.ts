// Repeats a request that a page needs. The browser aborts requests when the machine changes networks, and a server that restarts or hands over
// is away for seconds.
import { backoffMs, pause } from './backoff.ts';
import { RequestError } from './request.ts';

const forMs = 15_000;

/** No answer came: whether the request was executed is not known. */
export function isSilence(error: unknown): boolean {
  return error instanceof RequestError && error.code === 'UNREACHABLE';
}

/** Tries again for 15 s while no answer comes. Throws the last error, and every other at once. An aborted signal ends it, too. */
export async function keepTrying<Result>(
  attempt: () => Promise<Result>,
  signal: AbortSignal = new AbortController().signal,
): Promise<Result> {
  const endsAtMs = performance.now() + forMs;
  for (let failed = 0; ; failed += 1) {
    try {
      return await attempt();
    } catch (error) {
      const waitMs = backoffMs(failed, Math.random());
      if (!isSilence(error) || performance.now() + waitMs > endsAtMs) throw error;
      await pause(waitMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
