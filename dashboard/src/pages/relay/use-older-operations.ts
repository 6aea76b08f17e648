// Requests operations that match the filters from the server, because only the newest of all are loaded initially.
import { useCallback, useEffect, useRef, useState } from 'react';
import { useDependencies, usePage } from '../../context.ts';
import type { PageInfo } from '../../graph/read-pages.ts';
import type { RelayFilters } from './filters.ts';
import { operationKind } from './kinds/operation.ts';
import { readOperations } from './reads.ts';

interface OlderOperations {
  readonly isReading: boolean;
  readonly hasMore: boolean;
  readonly readMore: () => void;
}

const nothing: PageInfo = { hasNextPage: false, endCursor: null };
const notRead: PageInfo = { hasNextPage: true, endCursor: null };
/** A search begins when no key was pressed for this long. */
export const typingMs = 300;

export function useOlderOperations({ projectId, backendId, states, text }: RelayFilters): OlderOperations {
  const { requester } = useDependencies();
  const { store } = usePage();
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
        const wanted = statesKey === '' ? [] : (statesKey.split(',') as RelayFilters['states']);
        const read = await readOperations(requester, { projectId, backendId, states: wanted, text }, 1, after);
        if (mine !== newest.current) return;
        store.take(operationKind, read.nodes);
        setPage(read.pageInfo);
      } catch {
        // The server is not available: the live state shows it, and the button remains.
        if (mine === newest.current) setPage({ hasNextPage: true, endCursor: after });
      } finally {
        if (mine === newest.current) setReading(false);
      }
    },
    [requester, store, projectId, backendId, statesKey, text],
  );

  useEffect(() => {
    setPage(text === '' ? nothing : notRead);
    setReading(true);
    const timer = text === '' ? undefined : setTimeout(() => void read(null), typingMs);
    if (text === '') void read(null);
    return () => {
      clearTimeout(timer);
      newest.current += 1;
    };
  }, [read, text]);

  return { isReading, hasMore: page.hasNextPage, readMore: () => void read(page.endCursor) };
}
