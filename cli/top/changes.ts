// Changes of the view of `tidegate top` after data from the server or events of the terminal. Pure.
import {
  inSight,
  type Overview,
  readKey,
  rowsOf,
  type State,
  selectedRow,
  type TablePage,
  type View,
  viewOf,
} from './state.ts';

export type Loaded =
  | { readonly kind: 'overview'; readonly data: Overview }
  | { readonly kind: 'table'; readonly data: TablePage }
  | { readonly kind: 'text'; readonly data: readonly string[] };

/** `key`: key of the data. It may no longer be shown. */
export function loaded(state: State, key: string, read: Loaded): State {
  const view = viewOf(state);
  const linked = { ...state, lostAtMs: null };
  if (readKey(view, state.columns) !== key) return linked;
  const next = withData(view, read);
  return next === undefined
    ? linked
    : { ...withView(linked, keepSelected(view, next, state)), readAtMs: state.clockMs };
}

function withData(view: View, read: Loaded): View | undefined {
  if (view.kind === 'overview' && read.kind === 'overview') return { ...view, data: read.data, fault: null };
  if (view.kind === 'table' && read.kind === 'table')
    return { ...view, data: wholePage(view.data, read.data), fault: null };
  return view.kind === 'text' && read.kind === 'text' ? { ...view, data: read.data, fault: null } : undefined;
}

/** Rows below the screen that were not read again stay unchanged. */
function wholePage(before: TablePage | null, read: TablePage): TablePage {
  if (read.isPart !== true || before === null) return read;
  const ids = new Set(read.rows.map(({ id }) => id));
  const below = before.rows.slice(read.rows.length).filter(({ id }) => id === null || !ids.has(id));
  return { rows: [...read.rows, ...below], total: read.total, next: before.next };
}

/** The selection stays on its object, which may have moved. */
function keepSelected(before: View, after: View, state: State): View {
  const id = selectedRow(before)?.id;
  if (after.kind === 'text' || id === undefined || id === null) return inSight(after, state);
  const at = rowsOf(after).findIndex((row) => row.id === id);
  return inSight(at < 0 ? after : { ...after, selected: at }, state);
}

/** The server refused, so the earlier data is no longer shown. */
export function refused(state: State, key: string, fault: string): State {
  const view = viewOf(state);
  const linked = { ...state, lostAtMs: null };
  return readKey(view, state.columns) === key ? withView(linked, { ...view, fault }) : linked;
}

/** The data stays on the screen, with its age. */
export function lost(state: State): State {
  return state.lostAtMs === null ? { ...state, lostAtMs: state.clockMs } : state;
}

export function resized(state: State, size: Pick<State, 'rows' | 'columns'>): State {
  const next = { ...state, ...size };
  return { ...next, stack: next.stack.map((view) => inSight(view, next)) };
}

function withView(state: State, view: View): State {
  return { ...state, stack: [...state.stack.slice(0, -1), view] };
}
