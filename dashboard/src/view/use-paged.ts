// A list that is read page by page: the first page, then more on request. Changes cause the loaded pages to be read again.
import { useCallback, useEffect, useRef, useState } from 'react';
import { type Page, readPages } from '../graph/read-pages.ts';
import type { Failure } from './refusal.tsx';
import { useReading } from './use-reading.ts';

export interface CountedPage<Node> extends Page<Node> {
  /** Null if there are too many to count. Undefined if the list has no count. */
  readonly totalCount?: number | null;
}

export interface Paged<Node> {
  /** Undefined until the first page is read. */
  readonly page: CountedPage<Node> | undefined;
  readonly failure: Failure | null;
  /** Reads one page more. */
  readonly more: () => void;
  readonly isReadingMore: boolean;
  /** No further page is read: a filter finds the rest. */
  readonly isFull: boolean;
}

const mostPages = 20;

/** `readPage` must be the same while its meaning is: another one begins with its first page. `news`: as of `useReading`. */
export function usePaged<Node>(
  readPage: (after: string | null) => Promise<CountedPage<Node>>,
  news: string | undefined,
  everyMs: number,
): Paged<Node> {
  const [wanted, setWanted] = useState({ readPage, pages: 1 });
  const pages = wanted.readPage === readPage ? wanted.pages : 1;
  const read = useCallback(async (): Promise<CountedPage<Node>> => {
    let totalCount: number | null | undefined;
    const found = await readPages(pages, null, async (after) => {
      const page = await readPage(after);
      totalCount = page.totalCount;
      return page;
    });
    return totalCount === undefined ? found : { ...found, totalCount };
  }, [readPage, pages]);
  const { value, failure } = useReading(read, news, everyMs);
  // While one more page is read, the others stay.
  const last = useRef<{ readonly readPage: typeof readPage; readonly page: CountedPage<Node> } | null>(null);
  useEffect(() => {
    if (value !== undefined) last.current = { readPage, page: value };
  }, [value, readPage]);
  const kept = last.current !== null && last.current.readPage === readPage ? last.current.page : undefined;
  return {
    page: value ?? kept,
    failure,
    more: useCallback(() => setWanted({ readPage, pages: pages + 1 }), [readPage, pages]),
    isReadingMore: value === undefined && kept !== undefined && failure === null,
    isFull: pages >= mostPages,
  };
}
