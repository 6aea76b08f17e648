// The filters of the page of a CMP object: those of every page, and the object.
import { type CmpObjectKey, formatCmpObject, parseCmpObject } from '../../cmp-object.ts';
import { type FilterControl, type FilterFormat, type Filters, plainFormat, toSearch } from '../../filters/filters.ts';

interface CmpFilters extends Filters {
  /** Null until one is named. */
  readonly object: CmpObjectKey | null;
}

export type CmpControl = FilterControl<CmpFilters>;

const common = plainFormat([]);

export const filterFormat: FilterFormat<CmpFilters> = {
  parse(search) {
    const object = parseCmpObject(new URLSearchParams(search).get('object') ?? '') ?? null;
    return { ...common.parse(search), object };
  },
  format(filters) {
    const params = new URLSearchParams(common.format(filters));
    if (filters.object !== null) params.set('object', formatCmpObject(filters.object));
    return toSearch(params);
  },
};
