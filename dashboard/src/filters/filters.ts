// The filters common to all pages. They are in the URL's query string, so that a view can be bookmarked, shared and reloaded. A
// page adds its own: see pages/relay/filters.ts.
import type { AnyKind } from '../live/entity-kind.ts';
import type { FeedLine } from '../live/live-state.ts';

export interface Filters {
  readonly projectId: string | null;
  readonly text: string;
  /** The entity whose drawer is open. */
  readonly open: Opened | null;
}

/** A type whose objects a drawer shows: an entity kind of the page, or a type that the page reads by itself. */
export type Openable = Pick<AnyKind, 'typename' | 'openParameter'>;

interface Opened {
  /** The kind's type name. */
  readonly type: string;
  readonly id: string;
}

export interface FilterControl<Own extends Filters = Filters> {
  readonly filters: Own;
  /** Whether `clear` would show more. */
  readonly isFiltering: boolean;
  /** The page has nothing to filter. */
  readonly isHidden?: true;
  /** `replace` adds no entry to the browser's history: for typing. */
  change(patch: Partial<Own>, how?: 'push' | 'replace'): void;
  clear(): void;
}

/** The format of a page's filters in the query string. */
export interface FilterFormat<Own extends Filters> {
  parse(search: string): Own;
  /** With the question mark; empty without filters and an open entity. */
  format(filters: Own): string;
}

const maxTextLength = 200;

export function parseFilters(params: URLSearchParams, kinds: readonly Openable[]): Filters {
  const open = kinds.flatMap(({ typename, openParameter }) => {
    const id = params.get(openParameter);
    return id ? [{ type: typename, id }] : [];
  });
  return {
    projectId: params.get('project') || null,
    text: (params.get('q') ?? '').slice(0, maxTextLength),
    open: open[0] ?? null,
  };
}

/** Adds them to `params`. */
export function formatFilters(filters: Filters, kinds: readonly Openable[], params: URLSearchParams): void {
  if (filters.projectId !== null) params.set('project', filters.projectId);
  if (filters.text !== '') params.set('q', filters.text);
  for (const { typename, openParameter } of kinds)
    if (filters.open?.type === typename) params.set(openParameter, filters.open.id);
}

/** The query string with its question mark; empty without parameters. */
export function toSearch(params: URLSearchParams): string {
  const text = params.toString().replaceAll('%2C', ',');
  return text === '' ? '' : `?${text}`;
}

/** The format of a page without filters of its own. */
export function plainFormat(kinds: readonly Openable[]): FilterFormat<Filters> {
  return {
    parse: (search) => parseFilters(new URLSearchParams(search), kinds),
    format(filters) {
      const params = new URLSearchParams();
      formatFilters(filters, kinds, params);
      return toSearch(params);
    },
  };
}

/** Filters of a page that has a list and a view of one entity. The view stays in the address while a drawer is open over it. */
export interface ShownFilters extends Filters {
  /** The entity that is shown. Null for the list. */
  readonly shownId: string | null;
  /** The entity's view, if it is not the default one. */
  readonly view?: string | null;
}

/** `kind`: of the list; to open one of its entities means to show it. */
export function shownFormat(kind: Openable, kinds: readonly Openable[]): FilterFormat<ShownFilters> {
  return {
    parse(search) {
      const params = new URLSearchParams(search);
      const common = parseFilters(params, kinds);
      return {
        ...common,
        open: common.open?.type === kind.typename ? null : common.open,
        shownId: params.get(kind.openParameter) || null,
        ...(params.has('view') ? { view: params.get('view') } : {}),
      };
    },
    format(filters) {
      const params = new URLSearchParams();
      if (filters.shownId !== null) {
        params.set(kind.openParameter, filters.shownId);
        if (filters.view) params.set('view', filters.view);
      }
      formatFilters(filters, kinds, params);
      return toSearch(params);
    },
  };
}

/** The id of the entity of this kind whose drawer is open. */
export function openId({ open }: Filters, { typename }: Pick<Openable, 'typename'>): string | null {
  return open?.type === typename ? open.id : null;
}

/** The dashboard's own notes are always shown. */
export function matchesLine(filters: Filters, line: FeedLine): boolean {
  if (line.type === 'note') return true;
  const { change } = line;
  return (
    (filters.projectId === null || change.project?.id === filters.projectId) &&
    containsWords(filters.text, [line.label, change.kind, change.from, change.to, change.reason])
  );
}

/** Every word must be in one of the fields, ignoring case. */
export function containsWords(text: string, fields: readonly (string | null | undefined)[]): boolean {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return true;
  const haystack = fields.filter(Boolean).join('\n').toLowerCase();
  return words.every((word) => haystack.includes(word));
}
