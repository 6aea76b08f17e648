// The filters as React state that lives in the address bar.
import { useMemo, useSyncExternalStore } from 'react';
import { type Filters, formatFilters, parseFilters } from './filters.ts';

export interface FilterControl {
  readonly filters: Filters;
  /** `replace` leaves no entry in the browser's history: for typing. */
  readonly change: (patch: Partial<Filters>, how?: 'push' | 'replace') => void;
  readonly clear: () => void;
}

const changed = new EventTarget();

function subscribe(listener: () => void): () => void {
  window.addEventListener('popstate', listener);
  changed.addEventListener('change', listener);
  return () => {
    window.removeEventListener('popstate', listener);
    changed.removeEventListener('change', listener);
  };
}

function go(filters: Filters, how: 'push' | 'replace'): void {
  const url = `${window.location.pathname}${formatFilters(filters)}`;
  if (how === 'push') window.history.pushState(null, '', url);
  else window.history.replaceState(null, '', url);
  changed.dispatchEvent(new Event('change'));
}

function change(patch: Partial<Filters>, how: 'push' | 'replace' = 'push'): void {
  go({ ...parseFilters(window.location.search), ...patch }, how);
}

function clear(): void {
  change({ states: [], found: [], backendId: null, projectId: null, text: '' });
}

export function useFilters(): FilterControl {
  const search = useSyncExternalStore(subscribe, () => window.location.search);
  return useMemo(() => ({ filters: parseFilters(search), change, clear }), [search]);
}
