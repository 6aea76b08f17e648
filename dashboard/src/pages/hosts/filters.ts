// The filters of the page of hosts: those that every page has.
import { type FilterFormat, type Filters, formatFilters, parseFilters, toSearch } from '../../filters/filters.ts';

export const filterFormat: FilterFormat<Filters> = {
  parse: (search) => parseFilters(new URLSearchParams(search), []),
  format(filters) {
    const params = new URLSearchParams();
    formatFilters(filters, [], params);
    return toSearch(params);
  },
};
