// A killed npm passes on no signal to what it runs: the parent is watched.

/** How often it is looked for. */
const checkMs = 500;

/** The signal is aborted when npm, which started this process, has gone. */
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
