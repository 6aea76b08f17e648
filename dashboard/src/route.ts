// The address bar: the path names the page, the query string has its filters and open entity. Everywhere else paths begin at the installation, which a
// proxy may serve below a path of its own.
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

/** The path of the installation: '' or '/tidegate', if a proxy serves it there. All documents are directly below it. */
export function basePath(): string {
  return new URL('.', window.location.href).pathname.slice(0, -1);
}

/** The address of a path of the installation, for links that the browser follows. */
export function hrefOf(path: string): string {
  return `${basePath()}${path}`;
}

/** The path of the open page in the installation. */
export function pathHere(): string {
  return window.location.pathname.slice(basePath().length);
}

/** `path`: in the installation. `replace` adds no entry to the browser's history. */
export function go(path: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'push') window.history.pushState(null, '', hrefOf(path));
  else window.history.replaceState(null, '', hrefOf(path));
  changed.dispatchEvent(new Event('change'));
}

/** The page named by the path; undefined when there is none. */
export function useRoute(pages: readonly PageRow[]): PageRow | undefined {
  const path = useSyncExternalStore(subscribe, pathHere);
  return pages.find((page) => pathOf(page) === path);
}

export function useSearch(): string {
  return useSyncExternalStore(subscribe, () => window.location.search);
}

export function pathOf({ name, path = `/${name}` }: PageRow): string {
  return path;
}
