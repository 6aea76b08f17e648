// Asks the server for operations that match the filters, because only the newest of all are loaded at first.
import { useCallback, useEffect, useRef, useState } from 'react';
import { useParts } from '../context.ts';
import type { Filters } from '../filters/filters.ts';
import type { PageInfo } from '../graph/types.ts';
import { readOperations } from '../live/snapshot.ts';

export interface OlderOperations {
  readonly isReading: boolean;
  readonly hasMore: boolean;
  readonly readMore: () => void;
}

const nothing: PageInfo = { hasNextPage: false, endCursor: null };

export function useOlderOperations({ projectId, backendId, states }: Filters): OlderOperations {
  const { requester, store } = useParts();
  const [page, setPage] = useState(nothing);
  const [isReading, setReading] = useState(false);
  const newest = useRef(0);
  const statesKey = states.join(',');

  const read = useCallback(
    async (after: string | null) => {
      newest.current += 1;
      const mine = newest.current;
      setReading(true);
      try {
        const wanted = statesKey === '' ? [] : (statesKey.split(',') as Filters['states']);
        const read = await readOperations(requester, { projectId, backendId, states: wanted }, 1, after);
        if (mine !== newest.current) return;
        store.operations(read.nodes);
        setPage(read.pageInfo);
      } catch {
        // The server is away: the live state says so, and the button stays.
        if (mine === newest.current) setPage({ hasNextPage: true, endCursor: after });
      } finally {
        if (mine === newest.current) setReading(false);
      }
    },
    [requester, store, projectId, backendId, statesKey],
  );

  useEffect(() => {
    setPage(nothing);
    void read(null);
    return () => {
      newest.current += 1;
    };
  }, [read]);

  return { isReading, hasMore: page.hasNextPage, readMore: () => void read(page.endCursor) };
}
