// The filters of the page of hosts. It has only the filters of every page.
import { plainFormat } from '../../filters/filters.ts';

export const filterFormat = plainFormat([]);
