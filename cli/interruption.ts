// Effects of a signal on a command that runs for a long time.
import { Interruption } from './failures.ts';

/** Time that a command may take to end after a signal: to remove a partial file, and to print its results. */
const leaveMs = 2_000;

/** A rejection that is only the abort of the signal. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/** Settles like the command, or throws Interruption some time after the signal. */
export async function untilLeft(done: Promise<void>, signal: AbortSignal): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  let onAbort = () => {};
  const left = new Promise<never>((_, reject) => {
    onAbort = () => {
      timer = setTimeout(() => reject(new Interruption()), leaveMs);
    };
  });
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    await Promise.race([done, left]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
