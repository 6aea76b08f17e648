// Reads a value that no change announces, again and again while the page is visible.
import { useEffect, useState } from 'react';
import { againMs, isVisible, onVisible } from './visible.ts';

/**
 * The newest value; null before the first. `read` must stay the same while its meaning does: another one starts again from null. A
 * failed read keeps the last value, and is soon repeated: the live state shows that the server does not answer.
 */
export function useRepeated<Value>(read: (() => Promise<Value>) | null, everyMs: number): Value | null {
  const [known, setKnown] = useState<{ readonly read: typeof read; readonly value: Value } | null>(null);
  useEffect(() => {
    if (read === null) return;
    let isOver = false;
    let isPutOff = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = async (): Promise<void> => {
      isPutOff = !isVisible();
      if (isPutOff) return;
      let waitMs = everyMs;
      try {
        const value = await read();
        if (!isOver) setKnown({ read, value });
      } catch {
        waitMs = Math.min(everyMs, againMs);
      }
      if (!isOver) timer = setTimeout(() => void next(), waitMs);
    };
    const stopWatching = onVisible(() => {
      if (isPutOff) void next();
    });
    void next();
    return () => {
      isOver = true;
      clearTimeout(timer);
      stopWatching();
    };
  }, [read, everyMs]);
  return known !== null && known.read === read ? known.value : null;
}
