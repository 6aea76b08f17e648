// The filters of the page of alerts: those of every page.
import { type FilterControl, plainFormat } from '../../filters/filters.ts';
import { openables } from './kinds.ts';

export type AlertControl = FilterControl;

export const filterFormat = plainFormat(openables);
