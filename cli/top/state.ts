// State of `tidegate top`: a stack of views. The last one is on the screen. Plain data.
import type { KindCount } from '../../platform/attention/words.ts';

export interface Row {
  /** Null if it has none, so it can't be opened. */
  readonly id: string | null;
  readonly type: string;
  readonly name: string;
  readonly cells: readonly string[];
}

export interface TablePage {
  readonly rows: readonly Row[];
  /** Null if unknown, or more than the graph counts. */
  readonly total: number | null;
  /** Cursor of the next page. Null if this is the last. */
  readonly next: string | null;
  /** Only the rows up to the last shown one were read. `next` is unknown. */
  readonly isPart?: true;
}

export interface Need extends Row {
  readonly tone: 'red' | 'yellow';
}

export interface DomainLine {
  readonly title: string;
  readonly text: string;
  readonly tone: 'green' | 'red' | 'yellow' | 'grey';
}

export interface Overview {
  readonly domains: readonly DomainLine[];
  /** The worst first. Cells: subject, since, reason. */
  readonly needs: readonly Need[];
  /** Includes needs that are not listed. */
  readonly needCount: number;
  /** Objects that the reader may not see. */
  readonly hidden: readonly KindCount[];
  /** Domains that could not be read. */
  readonly unknown: readonly string[];
  /** Summary in a sentence. */
  readonly summary: string;
}

/** Part of an object to read. */
export type Aspect = 'open' | 'describe' | 'events' | 'why';

interface Shown {
  /** The reason why it could not be read. */
  readonly fault: string | null;
  /** The first shown row or line. */
  readonly offset: number;
}

export interface OverviewView extends Shown {
  readonly kind: 'overview';
  readonly selected: number;
  readonly data: Overview | null;
}

export interface TableView extends Shown {
  readonly kind: 'table';
  /** The noun of its topic. */
  readonly noun: string;
  readonly columns: readonly string[];
  readonly orders: readonly string[];
  /** The server filters the whole list by the text. */
  readonly takesText: boolean;
  /** Parent of the parts. */
  readonly of: Pick<Row, 'id' | 'type' | 'name'> | null;
  readonly filter: string;
  /** An index of `orders`. */
  readonly order: number;
  /** Order of the rows of the page. */
  readonly sort: { readonly column: number; readonly descending: boolean } | null;
  /** Position of the page: cursors of the pages before it. */
  readonly after: readonly string[];
  readonly selected: number;
  readonly data: TablePage | null;
}

export interface TextView extends Shown {
  readonly kind: 'text';
  readonly aspect: Aspect | 'help';
  readonly of: Pick<Row, 'id' | 'type' | 'name'>;
  /** With terminal colours. */
  readonly data: readonly string[] | null;
}

export type View = OverviewView | TableView | TextView;

export interface State {
  readonly rows: number;
  readonly columns: number;
  readonly stack: readonly View[];
  readonly prompt: { readonly sign: ':' | '/'; readonly text: string } | null;
  /** Shown until the next key. */
  readonly message: string | null;
  /** When the connection was lost, by `clockMs`. */
  readonly lostAtMs: number | null;
  /** When the shown data was read, by `clockMs`. */
  readonly readAtMs: number | null;
  /** The wall clock, for the ages of the server's times. */
  readonly nowMs: number;
  /** A monotonic clock. */
  readonly clockMs: number;
  readonly ended: boolean;
}

export const overview: OverviewView = { kind: 'overview', selected: 0, offset: 0, data: null, fault: null };

export function firstState(size: Pick<State, 'rows' | 'columns'>, clocks: Pick<State, 'nowMs' | 'clockMs'>): State {
  return {
    ...size,
    ...{ stack: [overview], prompt: null, message: null, lostAtMs: null, readAtMs: null, ...clocks, ended: false },
  };
}

export function viewOf({ stack }: State): View {
  return stack.at(-1) ?? overview;
}

/** Equal for views with the same data. */
export function readKey(view: View, columns: number): string {
  if (view.kind === 'overview') return view.kind;
  if (view.kind === 'text') return JSON.stringify([view.kind, view.aspect, view.of.id, columns]);
  const { kind, noun, of, order, after, takesText, filter } = view;
  return JSON.stringify([kind, noun, of?.id, order, after.at(-1), takesText ? filter : '']);
}

/** Rows per page. */
export const pageSize = 100;

/** Number of rows of the page to read: all at first, and for searching or sorting within the page. Afterwards only those on the screen. */
export function rowsToRead(view: View, state: Pick<State, 'rows'>): number {
  if (view.kind !== 'table' || view.data === null || view.sort !== null) return pageSize;
  if (view.filter !== '' && !view.takesText) return pageSize;
  return Math.min(pageSize, view.offset + bodyHeight(state, view));
}

/** Number of lines between the heads and the foot. */
export function bodyHeight({ rows }: Pick<State, 'rows'>, view: View): number {
  const heads = view.kind === 'overview' ? 4 + (view.data?.domains.length ?? 0) : view.kind === 'table' ? 3 : 2;
  return Math.max(1, rows - heads - 1);
}

/** The shown rows, in order. */
export function rowsOf(view: View): readonly Row[] {
  if (view.kind === 'text' || view.data === null) return [];
  if (view.kind === 'overview') return view.data.needs;
  const { filter, takesText, sort, data } = view;
  const words = takesText ? [] : filter.toLowerCase().split(' ');
  const found = data.rows.filter(({ name, cells }) => {
    const text = [name, ...cells].join(' ').toLowerCase();
    return words.every((word) => text.includes(word));
  });
  if (sort === null) return found;
  const { column, descending } = sort;
  return found.toSorted((a, b) => {
    const [one = '', other = ''] = [a.cells[column], b.cells[column]];
    return one.localeCompare(other, 'en', { numeric: true }) * (descending ? -1 : 1);
  });
}

export function selectedRow(view: View): Row | undefined {
  return view.kind === 'text' ? undefined : rowsOf(view)[view.selected];
}

/** Keeps the selection in range and visible. */
export function inSight<Shown extends View>(view: Shown, state: Pick<State, 'rows'>): Shown {
  const height = bodyHeight(state, view);
  if (view.kind === 'text') {
    const most = Math.max(0, (view.data?.length ?? 0) - height);
    return { ...view, offset: within(view.offset, most) };
  }
  const last = Math.max(0, rowsOf(view).length - 1);
  const selected = within(view.selected, last);
  const offset = Math.min(Math.max(view.offset, selected - height + 1), selected);
  return { ...view, selected, offset: within(offset, Math.max(0, last - height + 1)) };
}

function within(number: number, most: number): number {
  return Math.max(0, Math.min(number, most));
}
