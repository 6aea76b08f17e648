// The lines that `tidegate top` shows for a state. Pure.
import { type Colour, statusColour } from '../printer.ts';
import { shortId } from '../short-id.ts';
import { visible } from '../visible.ts';
import { nounKeys } from './press.ts';
import {
  bodyHeight,
  type OverviewView,
  type Row,
  rowsOf,
  type State,
  type TableView,
  type TextView,
  type View,
  viewOf,
} from './state.ts';
import { ageText, cutLine } from './text.ts';

/** Writes a text in a colour, or unchanged. */
type Paint = (text: string, colour: Colour) => string;

interface Look {
  readonly paint: Paint;
  /** The server's address. */
  readonly server: string;
}

/** As many lines as the terminal has. None is wider than the terminal. */
export function render(state: State, look: Look): readonly string[] {
  const view = viewOf(state);
  const height = bodyHeight(state, view);
  const body = view.fault === null ? bodyOf(view, state, look) : faultLines(view.fault, state, look);
  const lines = [header(state, look), ...headsOf(view, state, look), ...body.slice(0, height)];
  while (lines.length < state.rows - 1) lines.push('');
  return [...lines.slice(0, state.rows - 1), foot(state, view, look)].map((line) => cutLine(line, state.columns));
}

function header(state: State, { paint, server }: Look): string {
  const { lostAtMs, readAtMs, clockMs } = state;
  const age = readAtMs === null ? 'no data yet' : `data is ${seconds(clockMs - readAtMs)} old`;
  const live = readAtMs === null ? paint('reading', 'grey') : paint('live', 'green');
  const link = lostAtMs === null ? live : paint(`reconnecting, ${age}`, 'red');
  return `Tidegate  ${visible(server)}  ${link}`;
}

function seconds(ms: number): string {
  return `${Math.max(0, Math.round(ms / 1_000))} s`;
}

function headsOf(view: View, state: State, look: Look): readonly string[] {
  if (view.kind === 'text') return [paintTitle(view, look)];
  if (view.kind === 'table') return [tableTitle(view, look), tableHead(view, state, look)];
  const { data } = view;
  if (data === null) return [];
  const width = Math.max(...data.domains.map(({ title }) => title.length), 0);
  const count = visible(data.summary).replace(/\.$/, '').toUpperCase();
  const shown = data.needs.length < data.needCount ? `, the first ${data.needs.length}` : '';
  return [
    '',
    ...data.domains.map(({ title, text, tone }) => `${title.padEnd(width)}  ${look.paint(visible(text), tone)}`),
    '',
    look.paint(`${count}${shown}`, 'grey'),
  ].slice(0, state.rows - 3);
}

function paintTitle({ aspect, of: { type, name } }: TextView, { paint }: Look): string {
  if (aspect === 'help') return 'Help';
  const words = { open: '', describe: ' · describe', events: ' · events', why: ' · why' };
  return `${visible(`${type} ${shortId(name) ?? name}`)}${paint(words[aspect], 'grey')}`;
}

function tableTitle(view: TableView, { paint }: Look): string {
  const { noun, of, data, filter, orders, order, sort, columns, after } = view;
  const parts = [
    of === null ? noun : `${noun} of ${of.name}`,
    ...(data === null ? [] : [countText(view)]),
    ...(after.length > 0 ? [`page ${after.length + 1}`] : []),
    ...(filter === '' ? [] : [`/${filter}`]),
    ...(orders.length > 1 ? [`order ${orders[order]?.toLowerCase()}`] : []),
    ...(sort === null ? [] : [`page by ${columns[sort.column]}${sort.descending ? ' ↓' : ' ↑'}`]),
  ];
  const [first = '', ...more] = parts.map((part) => visible(part));
  return `${first}${more.map((part) => paint(`  ${part}`, 'grey')).join('')}`;
}

function countText(view: TableView): string {
  const shown = rowsOf(view).length;
  const total = view.data?.total ?? null;
  if (total === null) return view.data?.next == null ? `${shown}` : `${shown} of many`;
  return shown === total ? `${total}` : `${shown} of ${total}`;
}

const gap = 2;
/** Minimum width of columns. */
const narrowest = 6;

/** Short ids, ages for times, one line each. */
function textsOf({ cells }: Row, nowMs: number): readonly string[] {
  return cells.map((cell) => visible(shortId(cell) ?? ageText(cell, nowMs)).replaceAll(/\s/g, ' '));
}

function widthsOf(view: TableView, state: State): readonly number[] {
  const rows = rowsOf(view).map((row) => textsOf(row, state.nowMs));
  const widths = view.columns.map((title, at) =>
    rows.reduce((width, texts) => Math.max(width, (texts[at] ?? '').length), title.length),
  );
  // The first column names the row, so it is cut last.
  const shrinks = [widths.slice(1).map((_, at) => at + 1), [0]];
  for (const columns of shrinks)
    for (;;) {
      const over = 2 + widths.reduce((sum, width) => sum + width, gap * (widths.length - 1)) - state.columns;
      const widest = columns.toSorted((a, b) => (widths[b] ?? 0) - (widths[a] ?? 0))[0] ?? 0;
      const width = widths[widest] ?? 0;
      if (over <= 0 || width <= narrowest) break;
      // One step at a time, so that several long columns share the room.
      widths[widest] = Math.max(narrowest, width - Math.min(over, 4));
    }
  return widths;
}

function tableHead(view: TableView, state: State, { paint }: Look): string {
  const widths = widthsOf(view, state);
  return paint(`  ${joined(view.columns, widths, (text) => text)}`, 'grey');
}

function joined(cells: readonly string[], widths: readonly number[], paint: (text: string) => string): string {
  return cells
    .map((cell, at) => {
      const width = widths[at] ?? 0;
      const text = cell.length > width ? `${cell.slice(0, width - 1)}…` : cell;
      return `${paint(text)}${' '.repeat(Math.max(0, width - text.length))}`;
    })
    .join(' '.repeat(gap))
    .trimEnd();
}

function bodyOf(view: View, state: State, look: Look): readonly string[] {
  if (view.data === null) return [look.paint('reading …', 'grey')];
  switch (view.kind) {
    case 'text':
      return view.data.slice(view.offset);
    case 'table':
      return tableLines(view, state, look);
    case 'overview':
      return needLines(view, look, state);
  }
}

function tableLines(view: TableView, state: State, { paint }: Look): readonly string[] {
  const rows = rowsOf(view);
  if (rows.length === 0)
    return [paint(view.filter === '' ? 'there are none' : `none has '${visible(view.filter)}'`, 'grey')];
  const widths = widthsOf(view, state);
  return marked(rows, view, (row) => joined(textsOf(row, state.nowMs), widths, (text) => painted(text, paint)));
}

function painted(text: string, paint: Paint): string {
  const colour = statusColour(text);
  return colour === undefined ? text : paint(text, colour);
}

function marked(
  rows: readonly Row[],
  { selected, offset }: Pick<View, 'offset'> & { readonly selected: number },
  lineOf: (row: Row, index: number) => string,
): readonly string[] {
  return rows.slice(offset).map((row, at) => `${offset + at === selected ? '>' : ' '} ${lineOf(row, offset + at)}`);
}

function needLines(view: OverviewView, { paint }: Look, { columns, nowMs }: State): readonly string[] {
  const needs = view.data?.needs ?? [];
  const nameWidth = Math.min(Math.max(12, Math.floor(columns * 0.3)), longest(needs.map(({ name }) => name)));
  const widths = [nameWidth, longest(needs.map(({ cells: [what = ''] }) => what)), 4];
  return marked(needs, view, ({ name, cells: [what = '', since = '', why = ''] }, at) => {
    const tone = needs[at]?.tone ?? 'yellow';
    const start = joined([visible(name), what, ageText(since, nowMs)], widths, (text) => text);
    return `${paint(start.padEnd(widths.reduce((sum, width) => sum + width, 2 * gap)), tone)}  ${visible(why)}`;
  });
}

function longest(texts: readonly string[]): number {
  return texts.reduce((width, text) => Math.max(width, text.length), 0);
}

function faultLines(fault: string, { columns }: State, { paint }: Look): readonly string[] {
  const text = visible(fault);
  const lines: string[] = [];
  for (let at = 0; at < text.length; at += columns) lines.push(paint(text.slice(at, at + columns), 'red'));
  return lines;
}

function foot({ prompt, message }: State, view: View, { paint }: Look): string {
  if (prompt !== null) return `${prompt.sign}${visible(prompt.text)}_`;
  if (message !== null) return paint(visible(message), 'yellow');
  const ways = {
    overview: ': noun  1-9 nouns  Enter open  ? help  q quit',
    table: ': noun  / filter  Enter open  d describe  l events  w why  ? help  q quit',
    text: 'd describe  l events  w why  Esc back  : noun  ? help  q quit',
  };
  return paint(ways[view.kind], 'grey');
}

export const helpLines: readonly string[] = [
  ':             choose a noun, by its name, a short word or its beginning; Tab completes',
  `1 to 9        ${Object.values(nounKeys).slice(0, 5).join(', ')},`,
  `              ${Object.values(nounKeys).slice(5).join(', ')}`,
  '0             the overview',
  '/             narrow the rows of a noun to those with the words',
  'Enter         open the selected object: all its fields, its state, events and calls',
  'd l w         describe it, list its events, or explain its state',
  's             next order of the whole list',
  'o O           sort the rows of this page by the next column, the other way around',
  'n p           next and previous page',
  'j k g G       down, up, first, last; arrows, Page Up, Page Down, Home and End too',
  'Esc           back; in a noun that is narrowed, all rows',
  'q, Ctrl-C     quit',
  '',
  'Parts belong to an object: select a load balancer, then :listeners, :pools or :nodes.',
  'Rows follow the status events, and are also read every 15 seconds.',
];
