// The filters and what they mean. They live in the URL's query string, so that a view can be bookmarked, shared and reloaded.
import { type Backend, type Mapping, type Operation, type OperationState, operationStates } from '../graph/types.ts';
import { type DriftResult, driftResults } from '../live/drift.ts';
import type { FeedLine } from '../live/live-state.ts';

export interface Filters {
  readonly states: readonly OperationState[];
  /** Of drift. */
  readonly found: readonly DriftResult[];
  readonly backendId: string | null;
  readonly projectId: string | null;
  readonly text: string;
  /** The object whose drawer is open. */
  readonly open: { readonly type: OpenType; readonly id: string } | null;
}

export type OpenType = 'operation' | 'backend' | 'mapping';

const openParameters: readonly (readonly [OpenType, string])[] = [
  ['operation', 'operation'],
  ['backend', 'show'],
  ['mapping', 'mapping'],
];

const maxTextLength = 200;

export function parseFilters(search: string): Filters {
  const params = new URLSearchParams(search);
  const words = (name: string) => new Set((params.get(name) ?? '').toUpperCase().split(','));
  const [wanted, found] = [words('state'), words('found')];
  const open = openParameters.flatMap(([type, name]) => {
    const id = params.get(name);
    return id ? [{ type, id }] : [];
  });
  return {
    states: operationStates.filter((state) => wanted.has(state)),
    found: driftResults.filter((result) => found.has(result)),
    backendId: params.get('backend') || null,
    projectId: params.get('project') || null,
    text: (params.get('q') ?? '').slice(0, maxTextLength),
    open: open[0] ?? null,
  };
}

/** The query string with its question mark; empty when nothing is filtered. */
export function formatFilters(filters: Filters): string {
  const params = new URLSearchParams();
  if (filters.states.length > 0) params.set('state', filters.states.join(',').toLowerCase());
  if (filters.found.length > 0) params.set('found', filters.found.join(',').toLowerCase());
  if (filters.backendId !== null) params.set('backend', filters.backendId);
  if (filters.projectId !== null) params.set('project', filters.projectId);
  if (filters.text !== '') params.set('q', filters.text);
  for (const [type, name] of openParameters) if (filters.open?.type === type) params.set(name, filters.open.id);
  const text = params.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

/** Whether anything hides an operation. */
export function isFiltering(filters: Filters): boolean {
  return filters.states.length > 0 || isNarrowing(filters);
}

/** Whether a filter is set that holds for more than one panel. */
export function isNarrowing(filters: Filters): boolean {
  return filters.backendId !== null || filters.projectId !== null || filters.text !== '';
}

/** What the server can filter by; the text is looked for in what was loaded. */
export function matchesServerFilters(filters: Filters, operation: Operation): boolean {
  return (filters.states.length === 0 || filters.states.includes(operation.state)) && matchesPlace(filters, operation);
}

/** As `matchesServerFilters`, but of any state. */
export function matchesPlace(filters: Filters, operation: Operation): boolean {
  return (
    (filters.backendId === null || operation.backend?.id === filters.backendId) &&
    (filters.projectId === null || operation.project?.id === filters.projectId)
  );
}

export function matchesText(text: string, operation: Operation): boolean {
  const { backend, cmpObject, deviceError } = operation;
  return containsWords(text, [
    operation.name,
    operation.state,
    backend?.name,
    cmpObject === null ? null : `${cmpObject.namespace}:${cmpObject.type}/${cmpObject.externalId}`,
    deviceError?.code,
    deviceError?.message,
    operation.requestedBy,
    operation.requestId,
    operation.project?.name,
    operation.id,
  ]);
}

export function matchesBackend(filters: Filters, backend: Backend): boolean {
  return (
    (filters.projectId === null || backend.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      backend.name,
      backend.site,
      backend.host,
      backend.family,
      backend.driver,
      backend.operatingStatus,
      backend.project?.name,
      ...backend.labels.map((label) => `${label.name}=${label.value}`),
    ])
  );
}

/** Of any result; see `found`. */
export function matchesMapping(filters: Filters, mapping: Mapping): boolean {
  const { backend, cmpObject, lastVerification } = mapping;
  return (
    (filters.backendId === null || backend?.id === filters.backendId) &&
    (filters.projectId === null || mapping.project?.id === filters.projectId) &&
    containsWords(filters.text, [
      mapping.key,
      mapping.resource,
      mapping.scope,
      mapping.role,
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

/** Notes of our own are always shown. */
export function matchesLine(filters: Filters, line: FeedLine): boolean {
  if (line.type === 'note') return true;
  const { change } = line;
  return (
    (filters.projectId === null || change.project?.id === filters.projectId) &&
    containsWords(filters.text, [line.label, change.kind, change.from, change.to, change.reason])
  );
}

/** Every word must be in one of the fields, in any case. */
function containsWords(text: string, fields: readonly (string | null | undefined)[]): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = fields.filter(Boolean).join('\n').toLowerCase();
  return words.every((word) => haystack.includes(word));
}
