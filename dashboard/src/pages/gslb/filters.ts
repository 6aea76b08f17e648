// The filters of the page of GSLBs. The shown name stays in the address while a drawer is open over it.
import {
  containsWords,
  type FilterControl,
  type FilterFormat,
  type Filters,
  formatFilters as formatCommon,
  parseFilters as parseCommon,
  toSearch,
} from '../../filters/filters.ts';
import { type Member, placeOf } from './kinds/member.ts';
import { answerOf, type Name, nameKind } from './kinds/name.ts';
import { kinds } from './kinds.ts';

export interface NameFilters extends Filters {
  /** The name that is shown; null: the list. */
  readonly nameId: string | null;
}

export type NameControl = FilterControl<NameFilters>;

export function parseFilters(search: string): NameFilters {
  const params = new URLSearchParams(search);
  const common = parseCommon(params, kinds);
  return {
    ...common,
    open: common.open?.type === nameKind.typename ? null : common.open,
    nameId: params.get(nameKind.openParameter) || null,
  };
}

/** The query string with its question mark; empty without filters. To open a name means to show it. */
export function formatFilters(filters: NameFilters): string {
  const params = new URLSearchParams();
  if (filters.nameId !== null) params.set(nameKind.openParameter, filters.nameId);
  formatCommon(filters, kinds, params);
  return toSearch(params);
}

export const filterFormat: FilterFormat<NameFilters> = { parse: parseFilters, format: formatFilters };

export function matchesName(filters: NameFilters, name: Name): boolean {
  return (
    (filters.projectId === null || name.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      ...[name.fqdn, name.project?.name, name.description, name.policy, answerOf(name)],
      ...[name.operatingStatus, name.statusMessage, name.provisioningStatus, name.provisioningReason],
      name.frozenAt === null ? null : 'frozen',
    ])
  );
}

export function matchesMember(text: string, member: Member): boolean {
  return containsWords(text, [
    ...[member.name, placeOf(member), member.region, member.verdict, member.adminState],
    ...[member.operatingStatus, member.statusMessage],
  ]);
}
