// The filters of the page of people: those of every page. The server searches names for the text.
import { type FilterControl, plainFormat } from '../../filters/filters.ts';
import { openables } from './kinds.ts';

export type PeopleControl = FilterControl;

export const filterFormat = plainFormat(openables);
