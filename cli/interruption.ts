// What a signal does to a command that does not end by itself.
import { Interruption } from './failures.ts';

/** How long a command may take to end after a signal before it is left: to remove a partial file, and to say what it has done. */
const leaveMs = 2_000;

/** A rejection that only says that the signal was aborted. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}

/** Settles as the command does, or throws Interruption some time after the signal. */
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
