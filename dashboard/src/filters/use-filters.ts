// A page's filters as React state, stored in the address bar.
import { useMemo } from 'react';
import { go, pathHere, useSearch } from '../route.ts';
import type { FilterControl, FilterFormat, Filters } from './filters.ts';

/** `format` must be the same in every render. */
export function useFilters<Own extends Filters>(format: FilterFormat<Own>): FilterControl<Own> {
  const search = useSearch();
  // Passed to rows: stays the same when the filters change.
  const actions = useMemo(() => {
    const current = (): Own => format.parse(window.location.search);
    const write = (filters: Own, how?: 'push' | 'replace'): void => go(`${pathHere()}${format.format(filters)}`, how);
    return {
      change: (patch: Partial<Own>, how?: 'push' | 'replace') => write({ ...current(), ...patch }, how),
      clear: () => write({ ...format.parse(''), open: current().open }),
    };
  }, [format]);
  return useMemo(() => {
    const filters = format.parse(search);
    return { filters, isFiltering: format.format({ ...filters, open: null }) !== '', ...actions };
  }, [format, search, actions]);
}
