// A function that stays the same between renders and does what the newest one does: parts that get it are not drawn again for it.
import { useCallback, useLayoutEffect, useRef } from 'react';

export function useStable<Args extends readonly unknown[], Result>(
  newest: (...args: Args) => Result,
): (...args: Args) => Result {
  const latest = useRef(newest);
  useLayoutEffect(() => {
    latest.current = newest;
  });
  return useCallback((...args: Args) => latest.current(...args), []);
}
