// Reads something again after its changes, not more often than each second, and from time to time. A page that is hidden reads when it is seen.
import { useEffect, useRef, useState } from 'react';
import { type Failure, failureOf } from './refusal.tsx';
import { againMs, isVisible, onVisible } from './visible.ts';

export interface Reading<Value> {
  /** Undefined until it is read. */
  readonly value: Value | undefined;
  /** The last attempt's failure. The reading is repeated automatically. */
  readonly failure: Failure | null;
}

const leastMs = 1_000;

/**
 * `read` must be the same while its meaning is: another one starts again. Null reads nothing. `news` is another text after each change; undefined if
 * none is announced.
 */
export function useReading<Value>(
  read: (() => Promise<Value>) | null,
  news: string | undefined,
  everyMs: number,
): Reading<Value> {
  const [known, setKnown] = useState<{ readonly read: typeof read; readonly value: Value } | null>(null);
  const [failed, setFailed] = useState<{ readonly read: typeof read; readonly failure: Failure } | null>(null);
  const readSoon = useRef(() => {});

  useEffect(() => {
    if (read === null) return;
    let isOver = false;
    let isReading = false;
    let isOld = false;
    let isPutOff = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = async (): Promise<void> => {
      clearTimeout(timer);
      isPutOff = !isVisible();
      if (isPutOff) return;
      isReading = true;
      isOld = false;
      let waitMs = everyMs;
      try {
        const value = await read();
        if (isOver) return;
        setKnown({ read, value });
        setFailed(null);
      } catch (error) {
        if (isOver) return;
        setFailed({ read, failure: failureOf(error) });
        waitMs = Math.min(everyMs, againMs);
      }
      isReading = false;
      timer = setTimeout(() => void next(), isOld ? leastMs : waitMs);
    };
    readSoon.current = () => {
      if (isOld) return;
      isOld = true;
      if (isReading) return;
      clearTimeout(timer);
      timer = setTimeout(() => void next(), leastMs);
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

  useEffect(() => {
    if (news !== undefined) readSoon.current();
  }, [news]);

  return {
    value: known !== null && known.read === read ? known.value : undefined,
    failure: failed !== null && failed.read === read ? failed.failure : null,
  };
}
