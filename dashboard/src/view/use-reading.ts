// Reads something again after its changes, not more often than each second, and from time to time.
import { useEffect, useRef, useState } from 'react';
import { type Failure, failureOf } from './refusal.tsx';

export interface Reading<Value> {
  /** Undefined until it is read. */
  readonly value: Value | undefined;
  readonly failure: Failure | null;
}

const leastMs = 1_000;

/** `read` must be the same while its meaning is: another one starts again. `news` is another text after each change. */
export function useReading<Value>(
  read: () => Promise<Value>,
  news: string | undefined,
  everyMs: number,
): Reading<Value> {
  const [known, setKnown] = useState<{ readonly read: typeof read; readonly value: Value } | null>(null);
  const [failure, setFailure] = useState<Failure | null>(null);
  const readSoon = useRef(() => {});

  useEffect(() => {
    let isOver = false;
    let isReading = false;
    let isOld = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = async (): Promise<void> => {
      isReading = true;
      isOld = false;
      try {
        if (document.visibilityState === 'visible') {
          const value = await read();
          if (isOver) return;
          setKnown({ read, value });
        }
        setFailure(null);
      } catch (error) {
        if (!isOver) setFailure(failureOf(error));
      }
      isReading = false;
      if (!isOver) timer = setTimeout(() => void next(), isOld ? leastMs : everyMs);
    };
    readSoon.current = () => {
      if (isOld) return;
      isOld = true;
      if (isReading) return;
      clearTimeout(timer);
      timer = setTimeout(() => void next(), leastMs);
    };
    void next();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [read, everyMs]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: news are the reason to read again.
  useEffect(() => readSoon.current(), [news]);

  return { value: known !== null && known.read === read ? known.value : undefined, failure };
}
