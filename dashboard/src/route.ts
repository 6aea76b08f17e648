// The address bar: the path names the page, the query string has its filters and open entity.
import { useSyncExternalStore } from 'react';
import type { PageRow } from './page.ts';

const changed = new EventTarget();

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  changed.addEventListener('change', listener);
  return () => {
    window.removeEventListener('popstate', listener);
    changed.removeEventListener('change', listener);
  };
}

/** `replace` adds no entry to the browser's history. */
export function go(pathAndSearch: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') window.history.pushState(null, '', pathAndSearch);
  else window.history.replaceState(null, '', pathAndSearch);
  changed.dispatchEvent(new Event('change'));
}

/** The page named by the path; undefined when there is none. */
export function useRoute(pages: readonly PageRow[]): PageRow | undefined {
  const path = useSyncExternalStore(subscribe, () => window.location.pathname);
  return pages.find((page) => pathOf(page) === path);
}

export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => window.location.search);
}

export function pathOf({ name, path = `/${name}` }: PageRow): string {
  return path;
}
