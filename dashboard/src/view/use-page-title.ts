// The tab's title says what a person should know while looking at another tab.
import { useEffect } from 'react';
import { useConnection, useLiveState } from '../context.ts';
import { driftIn } from '../live/drift.ts';
import { livenessOf } from '../live/liveness.ts';
import { useClock } from './clock.ts';

export function usePageTitle(): void {
  const { operations, mappings } = useLiveState();
  const connection = useConnection();
  const isStale = useClock((nowMs) => livenessOf(connection, nowMs) === 'STALE');
  const unknown = [...operations.values()].filter((operation) => operation.state === 'UNKNOWN').length;
  const drifted = driftIn(mappings).length;
  const news = [
    isStale ? 'stale' : '',
    unknown > 0 ? `${unknown} unknown` : '',
    drifted > 0 ? `${drifted} drifted` : '',
  ]
    .filter(Boolean)
    .join(', ');
  useEffect(() => {
    document.title = news === '' ? 'Tidegate' : `(${news}) Tidegate`;
    return () => {
      document.title = 'Tidegate';
    };
  }, [news]);
}
