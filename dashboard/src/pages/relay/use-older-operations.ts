// Requests operations that match the filters from the server, because only the newest of all are loaded initially. The server has
// no search by text: that reads page after page, and keeps what matches.
import { useCallback, useEffect, useRef, useState } from 'react';
import { usePage, useParts } from '../../context.ts';
import type { PageInfo } from '../../graph/read-pages.ts';
import { matchesText, type RelayFilters } from './filters.ts';
import { operationKind } from './kinds/operation.ts';
import { readOperations } from './reads.ts';

export interface OlderOperations {
  readonly isReading: boolean;
  readonly hasMore: boolean;
  readonly readMore: () => void;
}

const nothing: PageInfo = { hasNextPage: false, endCursor: null };
const notRead: PageInfo = { hasNextPage: true, endCursor: null };
/** Pages of one search by text; the button continues it. */
const searchedPages = 10;
/** A search begins when no key was pressed for this long. */
const typingMs = 300;

export function useOlderOperations({ projectId, backendId, states, text }: RelayFilters): OlderOperations {
  const { requester } = useParts();
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
        const maxPages = text === '' ? 1 : searchedPages;
        const read = await readOperations(requester, { projectId, backendId, states: wanted }, maxPages, after);
        if (mine !== newest.current) return;
        store.take(
          operationKind,
          read.nodes.filter((operation) => matchesText(text, operation)),
        );
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
