// A killed npm passes no signal to its child process: the parent is watched instead.

/** The interval of the checks. */
const checkMs = 500;

/** The signal aborts when npm, which started this process, has ended. */
export function watchParent(env: Readonly<Record<string, string | undefined>>): {
  signal: AbortSignal;
  stop: () => void;
} {
  const gone = new AbortController();
  if (env.npm_lifecycle_event === undefined) return { signal: gone.signal, stop: () => undefined };
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone.abort();
  }, checkMs);
  timer.unref();
  return { signal: gone.signal, stop: () => clearInterval(timer) };
}
