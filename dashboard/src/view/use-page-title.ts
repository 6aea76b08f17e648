// The tab's title shows what a person should know while looking at another tab.
import { useEffect } from 'react';
import { useConnection } from '../context.ts';
import { livenessOf } from '../live/liveness.ts';
import { useClock } from './clock.ts';

/** `news` are the page's, in a few words: `2 unknown`. */
export function usePageTitle(news: readonly string[]): void {
  const connection = useConnection();
  const isStale = useClock((nowMs) => livenessOf(connection, nowMs) === 'STALE');
  const text = [...(isStale ? ['stale'] : []), ...news].join(', ');
  useEffect(() => {
    document.title = text === '' ? 'Tidegate' : `(${text}) Tidegate`;
    return () => {
      document.title = 'Tidegate';
    };
  }, [text]);
}
