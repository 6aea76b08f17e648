// Pauses between requests, and ends of waiting.

export interface PauseBounds {
  /** The first pause if the server names none; it doubles up to `longestPauseMs`. Default 250. */
  readonly firstPauseMs?: number;
  /** Default 10 s. */
  readonly longestPauseMs?: number;
}

const [defaultFirstPauseMs, defaultLongestPauseMs] = [250, 10_000];

export interface Pauses {
  restart(): void;
  /** Milliseconds; never shorter than the server asks. */
  next(atLeastMs: number): number;
}

/** Doubling, plus up to a tenth at random so that clients do not return all at once. */
export function pausesOf(
  { firstPauseMs = defaultFirstPauseMs, longestPauseMs = defaultLongestPauseMs }: PauseBounds,
  mostMs = Number.POSITIVE_INFINITY,
): Pauses {
  let pauseMs = firstPauseMs;
  return {
    restart() {
      pauseMs = firstPauseMs;
    },
    next(atLeastMs) {
      const chosenMs = Math.max(pauseMs, atLeastMs);
      pauseMs = Math.min(pauseMs * 2, longestPauseMs, mostMs);
      return Math.round(chosenMs * (1 + Math.random() / 10));
    },
  };
}

export function withDeadline(signal: AbortSignal, deadlineMs: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]);
}

/** Ends early when the signal is aborted. */
export function sleep(pauseMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, pauseMs);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
  });
}
