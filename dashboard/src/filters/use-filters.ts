// A page's filters as React state that lives in the address bar.
import { useMemo } from 'react';
import { go, useSearch } from '../route.ts';
import type { FilterControl, FilterFormat, Filters } from './filters.ts';

/** `format` must not change from one drawing to the next. */
export function useFilters<Own extends Filters>(format: FilterFormat<Own>): FilterControl<Own> {
  const search = useSearch();
  // Rows are handed these: they stay the same while the filters change.
  const actions = useMemo(() => {
    const current = (): Own => format.parse(window.location.search);
    const write = (filters: Own, how?: 'push' | 'replace'): void =>
      go(`${window.location.pathname}${format.format(filters)}`, how);
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
