// The filters of the relay's page and their meaning.
import {
  containsWords,
  type FilterControl,
  type FilterFormat,
  type Filters,
  formatFilters as formatCommon,
  parseFilters as parseCommon,
  toSearch,
} from '../../filters/filters.ts';
import type { Backend } from './kinds/backend.ts';
import { type DriftResult, driftResults, type Mapping } from './kinds/mapping.ts';
import { type Operation, type OperationState, operationStates } from './kinds/operation.ts';
import { kinds } from './kinds.ts';

export interface RelayFilters extends Filters {
  readonly states: readonly OperationState[];
  /** Of drift. */
  readonly found: readonly DriftResult[];
  readonly backendId: string | null;
}

export type RelayControl = FilterControl<RelayFilters>;

export function parseFilters(search: string): RelayFilters {
  const params = new URLSearchParams(search);
  const words = (name: string) => new Set((params.get(name) ?? '').toUpperCase().split(','));
  const [wanted, found] = [words('state'), words('found')];
  return {
    ...parseCommon(params, kinds),
    states: operationStates.filter((state) => wanted.has(state)),
    found: driftResults.filter((result) => found.has(result)),
    backendId: params.get('backend') || null,
  };
}

/** The query string with its question mark; empty without filters. */
export function formatFilters(filters: RelayFilters): string {
  const params = new URLSearchParams();
  if (filters.states.length > 0) params.set('state', filters.states.join(',').toLowerCase());
  if (filters.found.length > 0) params.set('found', filters.found.join(',').toLowerCase());
  if (filters.backendId !== null) params.set('backend', filters.backendId);
  formatCommon(filters, kinds, params);
  return toSearch(params);
}

export const filterFormat: FilterFormat<RelayFilters> = { parse: parseFilters, format: formatFilters };

/** Whether a filter hides operations. */
export function isFiltering(filters: RelayFilters): boolean {
  return filters.states.length > 0 || isNarrowing(filters);
}

/** Whether a filter is set that applies to more than one panel. */
function isNarrowing(filters: RelayFilters): boolean {
  return filters.backendId !== null || filters.projectId !== null || filters.text !== '';
}

/** Without the text. */
export function matchesServerFilters(filters: RelayFilters, operation: Operation): boolean {
  return (filters.states.length === 0 || filters.states.includes(operation.state)) && matchesPlace(filters, operation);
}

/** Like `matchesServerFilters`, for any state. */
export function matchesPlace(filters: RelayFilters, operation: Operation): boolean {
  return (
    (filters.backendId === null || operation.backend?.id === filters.backendId) &&
    (filters.projectId === null || operation.project?.id === filters.projectId)
  );
}

/** Applies the server's search to items that arrive by the feed. */
export function matchesText(text: string, operation: Operation): boolean {
  const { backend, cmpObject, deviceError } = operation;
  return containsWords(text, [
    operation.name,
    operation.state,
    backend?.name,
    cmpObject === null ? null : `${cmpObject.namespace}:${cmpObject.type}/${cmpObject.externalId}`,
    deviceError?.code,
    deviceError?.message,
    operation.requestedBy.name,
    operation.requestId,
    operation.id,
  ]);
}

export function matchesBackend(filters: RelayFilters, backend: Backend): boolean {
  return (
    (filters.projectId === null || backend.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      backend.name,
      backend.site,
      backend.host,
      backend.family,
      backend.driverName,
      backend.operatingStatus,
      backend.project?.name,
      ...backend.labels.map((label) => `${label.name}=${label.value}`),
    ])
  );
}

/** For any result; see `found`. */
export function matchesMapping(filters: RelayFilters, mapping: Mapping): boolean {
  const { backend, cmpObject, lastVerification } = mapping;
  return (
    (filters.backendId === null || backend?.id === filters.backendId) &&
    (filters.projectId === null || mapping.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      mapping.objectKey,
      mapping.resource,
      mapping.scope,
      mapping.mappingRole,
      mapping.uuid,
      mapping.mappingState,
      lastVerification?.result,
      ...(lastVerification?.differences.map(({ path }) => path) ?? []),
      backend?.name,
      cmpObject === null ? null : `${cmpObject.namespace}:${cmpObject.type}/${cmpObject.externalId}`,
      mapping.project?.name,
      mapping.id,
    ])
  );
}
