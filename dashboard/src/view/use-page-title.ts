// The tab's title shows what a person should know while looking at another tab.
import { useEffect } from 'react';
import { useConnection, useDependencies } from '../context.ts';
import { livenessOf } from '../live/liveness.ts';
import { useRoute } from '../route.ts';
import { useClock } from './clock.ts';

/** `news` count what is wrong on the page, in a few words: `2 unknown`. */
export function usePageTitle(news: readonly string[]): void {
  const { pages } = useDependencies();
  const page = useRoute(pages);
  const connection = useConnection();
  const isStale = useClock((nowMs) => livenessOf(connection, nowMs) === 'STALE');
  const text = [...(isStale ? ['stale'] : []), ...news].join(', ');
  const name = page === undefined ? 'Tidegate' : `${page.title} · Tidegate`;
  useEffect(() => {
    document.title = text === '' ? name : `(${text}) ${name}`;
    return () => {
      document.title = 'Tidegate';
    };
  }, [name, text]);
}

/** A count of the news, or nothing if it is 0. */
export function newsOf(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).flatMap(([word, count]) => (count > 0 ? [`${count} ${word}`] : []));
}
