// Work with a deadline: the caller gets an answer in time, even when the work ignores its abort signal.

/** The work did not finish in time. */
export class TooLateError extends Error {
  constructor(what: string, ms: number) {
    super(`${what} within ${ms} ms`);
    this.name = 'TooLateError';
  }
}

/**
 * The result of `work`, within `ms`. The work's signal is aborted at the deadline, and with `signal`; later results are dropped.
 * `what` names the failure for the message.
 *
 * @throws TooLateError at the deadline; the reason of `signal` when that is aborted
 * @example await within(2_000, 'the database did not answer', (signal) => ask(signal));
 */
export async function within<Result>(
  ms: number,
  what: string,
  work: (signal: AbortSignal) => Promise<Result> | Result,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const stop = new AbortController();
  const over = Promise.withResolvers<never>();
  // Avoids an unhandled rejection when `work` throws before its first await.
  over.promise.catch(() => undefined);
  const end = (reason: unknown) => {
    over.reject(reason);
    stop.abort(reason);
  };
  const onAbort = () => end(signal?.reason);
  const timer = setTimeout(() => end(new TooLateError(what, ms)), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work(stop.signal), over.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

/** Like `within`; gives undefined at the deadline, for work that continues by itself. */
export async function atMost<Result>(ms: number, work: Promise<Result>): Promise<Result | undefined> {
  return within(ms, 'not', () => work).catch((error: unknown) => {
    if (error instanceof TooLateError) return undefined;
    throw error;
  });
}
