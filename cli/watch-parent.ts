// A killed npm passes no signal to its child process, so the parent is watched instead.

/** The interval of the checks. */
const checkMs = 500;

/** Process id of npm, from bin/start and bin/test, because npm may have ended while they prepared the machine. */
const parentVariable = 'TIDEGATE_PARENT';

/** The signal aborts when npm, which started this process, has ended. Removes its process id from `env`, so that children don't get it. */
export function watchParent(env: Record<string, string | undefined>): {
  signal: AbortSignal;
  stop: () => void;
} {
  const gone = new AbortController();
  const parent = Number(env[parentVariable] ?? process.ppid);
  delete env[parentVariable];
  if (env.npm_lifecycle_event === undefined) return { signal: gone.signal, stop: () => undefined };
  const timer = setInterval(() => {
    if (process.ppid !== parent) gone.abort();
  }, checkMs);
  timer.unref();
  return { signal: gone.signal, stop: () => clearInterval(timer) };
}
