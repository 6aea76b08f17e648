// Reads a value that no change announces, again and again while the page is visible.
import { useReading } from './use-reading.ts';

/**
 * The newest value; null before the first. `read` must stay the same while its meaning does: another one starts again from null. A
 * failed read keeps the last value, and is soon repeated: the live state shows that the server does not answer.
 */
export function useRepeated<Value>(read: (() => Promise<Value>) | null, everyMs: number): Value | null {
  return useReading(read, undefined, everyMs).value ?? null;
}
