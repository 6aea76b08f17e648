// The filters of the page of GSLBs.
import { containsWords, type FilterControl, type ShownFilters, shownFormat } from '../../filters/filters.ts';
import { type Member, placeOf } from './kinds/member.ts';
import { answerOf, type Name, nameKind } from './kinds/name.ts';
import { kinds } from './kinds.ts';

export type NameControl = FilterControl<ShownFilters>;

export const filterFormat = shownFormat(nameKind, kinds);

export function matchesName(filters: ShownFilters, name: Name): boolean {
  return (
    (filters.projectId === null || name.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      ...[name.fqdn, name.project?.name, name.description, name.policy, answerOf(name)],
      ...[name.operatingStatus, name.operatingReason, name.provisioningStatus, name.provisioningReason],
      name.frozenAt === null ? null : 'frozen',
    ])
  );
}

export function matchesMember(text: string, member: Member): boolean {
  return containsWords(text, [
    ...[member.name, placeOf(member), member.memberRegion, member.verdict, member.adminState],
    ...[member.operatingStatus, member.operatingReason],
  ]);
}
