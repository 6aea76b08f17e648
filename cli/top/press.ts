// Effects of a key on the view of `tidegate top`. Pure.
import {
  type Aspect,
  bodyHeight,
  inSight,
  overview,
  type Row,
  type State,
  selectedRow,
  type TableView,
  type View,
  viewOf,
} from './state.ts';
import { findTopic, type Topic } from './topics.ts';

/** Nouns with a key of their own. */
export const nounKeys: Readonly<Record<string, string>> = {
  ...{ 1: 'backends', 2: 'operations', 3: 'mappings', 4: 'loadbalancers', 5: 'gslbs', 6: 'clusters' },
  ...{ 7: 'alerts', 8: 'events', 9: 'machines' },
};

const aspectKeys: Readonly<Record<string, Aspect>> = { return: 'open', d: 'describe', l: 'events', w: 'why' };

/** `key`: a character, or the name of a key such as `pageup` or `ctrl-c`. */
export function press(state: State, key: string, topics: readonly Topic[]): State {
  if (key === 'ctrl-c') return { ...state, ended: true };
  const fresh = { ...state, message: null };
  return state.prompt === null ? pressInView(fresh, key, topics) : pressInPrompt(fresh, key, topics);
}

function pressInView(state: State, key: string, topics: readonly Topic[]): State {
  const view = viewOf(state);
  const moved = movedBy(key, view, state);
  if (moved !== undefined) return shown(state, moved);
  if (key === 'q') return { ...state, ended: true };
  if (key === 'escape') return back(state, view);
  if (key === ':') return { ...state, prompt: { sign: ':', text: '' } };
  if (key === '/') return filterPrompt(state, view);
  if (key === '?') return pushed(state, textView('help', { id: null, type: '', name: 'help' }));
  if (key === '0') return { ...state, stack: [overview] };
  const noun = nounKeys[key];
  if (noun !== undefined) return chosen(state, noun, topics);
  const aspect = aspectKeys[key];
  if (aspect !== undefined) return opened(state, view, aspect);
  return view.kind === 'table' ? pressInTable(state, view, key) : state;
}

function pressInTable(state: State, view: TableView, key: string): State {
  const { orders, order, columns, sort, data, after } = view;
  switch (key) {
    case 's':
      if (orders.length < 2) return { ...state, message: 'this list has one order only; o sorts the page' };
      return shown(state, { ...view, order: (order + 1) % orders.length, ...firstPage });
    case 'o': {
      const column = sort === null ? 0 : sort.column + 1;
      return shown(state, { ...view, sort: column < columns.length ? { column, descending: false } : null });
    }
    case 'O':
      return sort === null ? state : shown(state, { ...view, sort: { ...sort, descending: !sort.descending } });
    case 'n':
      if (data?.next == null) return { ...state, message: 'this is the last page' };
      return shown(state, { ...view, ...firstPage, after: [...after, data.next] });
    case 'p':
      if (after.length === 0) return { ...state, message: 'this is the first page' };
      return shown(state, { ...view, ...firstPage, after: after.slice(0, -1) });
    default:
      return state;
  }
}

const firstPage = { after: [] as readonly string[], selected: 0, offset: 0, data: null };

function movedBy(key: string, view: View, state: State): View | undefined {
  const page = bodyHeight(state, view);
  const far = Number.MAX_SAFE_INTEGER;
  const steps: Readonly<Record<string, number>> = {
    ...{ up: -1, k: -1, down: 1, j: 1, pageup: -page, pagedown: page, space: page },
    ...{ home: -far, g: -far, end: far, G: far },
  };
  const step = steps[key];
  if (step === undefined) return undefined;
  return view.kind === 'text' ? { ...view, offset: view.offset + step } : { ...view, selected: view.selected + step };
}

function back(state: State, view: View): State {
  if (view.kind === 'table' && view.filter !== '')
    return shown(state, { ...view, ...(view.takesText ? firstPage : {}), filter: '' });
  return state.stack.length > 1 ? { ...state, stack: state.stack.slice(0, -1) } : state;
}

function filterPrompt(state: State, view: View): State {
  if (view.kind !== 'table') return { ...state, message: 'choose a noun with : first; / narrows its rows' };
  return { ...state, prompt: { sign: '/', text: view.filter } };
}

function opened(state: State, view: View, aspect: Aspect): State {
  if (view.kind === 'text') {
    if (view.aspect === 'help' || aspect === 'open') return state;
    return shown(state, textView(aspect, view.of));
  }
  const row = selectedRow(view);
  if (row === undefined) return { ...state, message: 'nothing is selected' };
  if (row.id === null) return { ...state, message: `${row.name} has no page of its own` };
  return pushed(state, textView(aspect, row));
}

function textView(aspect: Aspect | 'help', { id, type, name }: Pick<Row, 'id' | 'type' | 'name'>): View {
  return { kind: 'text', aspect, of: { id, type, name }, offset: 0, data: null, fault: null };
}

function pressInPrompt(state: State, key: string, topics: readonly Topic[]): State {
  const { prompt } = state;
  if (prompt === null) return state;
  const { sign, text } = prompt;
  if (key === 'escape') return { ...state, prompt: null };
  if (key === 'backspace')
    return { ...state, prompt: text === '' ? null : { sign, text: [...text].slice(0, -1).join('') } };
  if (key === 'ctrl-u') return { ...state, prompt: { sign, text: '' } };
  if (key === 'tab') return sign === ':' ? { ...state, prompt: { sign, text: completed(text, topics) } } : state;
  if (key === 'return') {
    const closed = { ...state, prompt: null };
    if (sign === '/') return filtered(closed, text);
    return text.trim() === '' ? closed : chosen(closed, text, topics);
  }
  const typed = key === 'space' ? ' ' : key;
  if ([...typed].length !== 1 || text.length >= longestPrompt) return state;
  return { ...state, prompt: { sign, text: `${text}${typed}` } };
}

/** Limit of the graph's argument `text`. */
const longestPrompt = 200;

function filtered(state: State, text: string): State {
  const view = viewOf(state);
  return view.kind === 'table'
    ? shown(state, { ...view, ...(view.takesText ? firstPage : { selected: 0, offset: 0 }), filter: text.trim() })
    : state;
}

/** Common beginning of all matching nouns. */
function completed(text: string, topics: readonly Topic[]): string {
  const words = topics.map(({ noun }) => noun).filter((noun) => noun.startsWith(text));
  const [first = text] = words;
  let length = first.length;
  while (!words.every((word) => word.startsWith(first.slice(0, length)))) length -= 1;
  return first.slice(0, length);
}

function chosen(state: State, word: string, topics: readonly Topic[]): State {
  if (['q', 'quit'].includes(word.trim())) return { ...state, ended: true };
  if (['top', 'overview'].includes(word.trim())) return { ...state, stack: [overview] };
  const found = findTopic(topics, word);
  if ('fault' in found) return { ...state, message: found.fault };
  const { topic } = found;
  if (topic.parent === undefined) return { ...state, stack: [overview, tableView(topic, null)] };
  const of = nearestOf(state, topic.parent.type);
  if (of !== undefined) return pushed(state, tableView(topic, of));
  const parent = topics.find(({ type }) => type === topic.parent?.type);
  return {
    ...state,
    message: `${topic.noun} belong to one of ${parent?.noun ?? 'another kind'}: select it there first`,
  };
}

/** The last opened or selected object of that type. */
function nearestOf({ stack }: State, type: string): Pick<Row, 'id' | 'type' | 'name'> | undefined {
  for (const view of stack.toReversed()) {
    const of = view.kind === 'text' ? view.of : selectedRow(view);
    if (of?.type === type && of.id !== null) return { id: of.id, type, name: of.name };
    if (view.kind === 'table' && view.of?.type === type) return view.of;
  }
  return undefined;
}

function tableView(topic: Topic, of: TableView['of']): TableView {
  return {
    ...{ kind: 'table', noun: topic.noun, columns: Object.keys(topic.columns), orders: topic.list?.orders ?? [] },
    ...{ takesText: topic.list?.takesText === true, of, filter: '', order: 0, sort: null, fault: null },
    ...firstPage,
  };
}

/** Limit of nested views. Tables of parts could be opened from their own rows without end. */
const deepest = 20;

function pushed(state: State, view: View): State {
  return { ...state, stack: [...state.stack, view].slice(-deepest) };
}

function shown(state: State, view: View): State {
  return { ...state, stack: [...state.stack.slice(0, -1), inSight(view, state)] };
}
