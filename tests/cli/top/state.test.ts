// The content of `tidegate top`, and the effects of keys and answers on it, without a terminal or a server.
import { expect, test } from '@jest/globals';
import { type Colour, coloured } from '../../../cli/printer.ts';
import { nouns } from '../../../cli/table.ts';
import { loaded, lost, refused, resized } from '../../../cli/top/changes.ts';
import { press } from '../../../cli/top/press.ts';
import { render } from '../../../cli/top/render.ts';
import {
  firstState,
  type Overview,
  type Row,
  readKey,
  type State,
  selectedRow,
  viewOf,
} from '../../../cli/top/state.ts';
import { ageText, cutLine } from '../../../cli/top/text.ts';
import { findTopic, topicsOf } from '../../../cli/top/topics.ts';
import { sumText } from '../../../platform/attention/words.ts';

const topics = topicsOf(nouns);
const nowMs = Date.parse('2026-11-28T06:00:00Z');
const first = firstState({ rows: 24, columns: 80 }, { nowMs, clockMs: 1_000 });
const plain = { paint: (text: string) => text, server: '127.0.0.1:4000' };
const keysOf = (text: string) => (text.startsWith('<') ? [text.slice(1, -1)] : [...text]);

/** Keys, separated by blanks: a name in <>, or letters that are typed one by one. */
const type = (state: State, keys: string) =>
  keys
    .split(' ')
    .flatMap(keysOf)
    .reduce((next, key) => press(next, key, topics), state);
const lines = (state: State) => render(state, plain);
const keyOf = (state: State) => readKey(viewOf(state), state.columns);

function rows(count: number, kind = 'Backend'): Row[] {
  return Array.from({ length: count }, (_, at) => ({
    ...{ id: `id-${at}`, type: kind, name: `edge-${at}` },
    cells: [`edge-${at}`, 'linux-nftables', `192.0.2.${at}`, '22', '-', at === 3 ? 'OFFLINE' : 'ONLINE'],
  }));
}
const withRows = (state: State, count: number, next: string | null = null) =>
  loaded(state, keyOf(state), { kind: 'table', data: { rows: rows(count), total: count, next } });
const backends = () => type(first, ':backends <return>');

test('it starts with the domains and everything that needs attention', () => {
  const data: Overview = {
    domains: [
      { title: 'backends', text: '12 · 1 not available', tone: 'red' },
      { title: 'load balancers', text: '3', tone: 'green' },
    ],
    needs: [
      {
        ...{ tone: 'red', id: 'id-1', type: 'Backend', name: 'edge-1' },
        cells: ['OFFLINE', '2026-11-28T05:57:00Z', 'the connection was refused'],
      },
    ],
    ...{ needCount: 31, hidden: [], unknown: [], summary: sumText({ needed: 31, hidden: [], unknown: [] }) },
  };
  const shown = lines(loaded(first, keyOf(first), { kind: 'overview', data }));
  expect(shown).toHaveLength(24);
  expect(shown.slice(0, 7)).toEqual([
    'Tidegate  127.0.0.1:4000  live',
    '',
    'backends        12 · 1 not available',
    'load balancers  3',
    '',
    '31 THINGS NEED ATTENTION, the first 1',
    '> edge-1  OFFLINE  3m    the connection was refused',
  ]);
  expect(shown.at(-1)).toContain('q quit');
});

test('unknown or hidden values never look like zero', () => {
  const hidden = [{ kind: 'ALERT_FIRING', count: 4 }];
  expect(sumText({ needed: 0, hidden, unknown: [] })).toBe(
    'Nothing that was read needs attention; not shown to you: 4 alerts firing',
  );
  expect(sumText({ needed: 2, hidden: [], unknown: ['names'] })).toBe('2 things need attention; not known: names');
  expect(sumText({ needed: 0, hidden: [], unknown: [] })).toBe('Nothing needs attention.');
});

test.each([
  [':backends', 'backends'],
  [':backend', 'backends'],
  [':be', 'backends'],
  [':lb', 'loadbalancers'],
  [':op', 'operations'],
  [':vantage', 'vantage-points'],
  [':AUDIT', 'audit'],
])('%s chooses %s', (typed, noun) => {
  expect(viewOf(type(first, `${typed} <return>`))).toMatchObject({ kind: 'table', noun });
});

test('an unknown noun gets the similar one as a suggestion, the beginning of several nouns all of them', () => {
  const said = (typed: string) => type(first, `:${typed} <return>`).message;
  expect(said('bakcends')).toBe("there is no noun 'bakcends'; backends is near");
  expect(said('gslb-')).toBe("'gslb-' may be gslb-monitors, gslb-pools, gslb-members");
  expect(said('xxxxxxx')).toBe("there is no noun 'xxxxxxx'");
});

test('Tab completes the common part of all nouns', () => {
  expect(type(first, ':ba <tab>').prompt?.text).toBe('backends');
  expect(type(first, ':gs <tab>').prompt?.text).toBe('gslb');
  expect(type(first, ':zz <tab>').prompt?.text).toBe('zz');
});

test('every noun of the registry is unique, and no two share a word', () => {
  const words = topics.flatMap(({ noun, words: others }) => [noun, ...others]);
  expect(words.filter((word, at) => words.indexOf(word) !== at)).toEqual([]);
  for (const { noun, columns } of topics) expect([noun, Object.keys(columns).length > 0]).toEqual([noun, true]);
});

test('the selection moves through the rows, and stays in sight', () => {
  const state = withRows(backends(), 60);
  expect(lines(state)[1]).toContain('60');
  expect(lines(type(state, '<down>'))[4]).toMatch(/^> edge-1 /);
  const last = type(state, 'G');
  expect(selectedRow(viewOf(last))?.name).toBe('edge-59');
  expect(lines(last).some((line) => line.startsWith('> edge-59'))).toBe(true);
  expect(selectedRow(viewOf(type(last, '<down>')))?.name).toBe('edge-59');
  expect(selectedRow(viewOf(type(last, 'g <up>')))?.name).toBe('edge-0');
  const grown = resized(last, { rows: 80, columns: 120 });
  expect(lines(grown)).toHaveLength(80);
  expect(lines(grown).some((line) => line.startsWith('> edge-59'))).toBe(true);
});

test('a selected object stays selected when rows before it come and go', () => {
  const state = type(withRows(backends(), 10), '<down> <down> <down>');
  const data = { rows: rows(10).slice(2), total: 8, next: null };
  expect(selectedRow(viewOf(loaded(state, keyOf(state), { kind: 'table', data })))?.name).toBe('edge-3');
});

test('no line is wider than the terminal, and there are not more than fit', () => {
  for (const size of [
    { rows: 24, columns: 80 },
    { rows: 5, columns: 20 },
    { rows: 3, columns: 10 },
    { rows: 60, columns: 200 },
  ]) {
    const state = withRows(resized(backends(), size), 40);
    const shown = lines(state);
    expect([size, shown.length]).toEqual([size, size.rows]);
    expect([size, Math.max(...shown.map((line) => line.length)) <= size.columns]).toEqual([size, true]);
  }
});

test('/ searches at the server if possible, otherwise in the page; Esc shows everything again', () => {
  const searched = type(withRows(backends(), 10), '/ edge-3 <return>');
  expect(viewOf(searched)).toMatchObject({ filter: 'edge-3', data: null });
  expect(keyOf(searched)).not.toBe(keyOf(backends()));
  expect(viewOf(type(searched, '<escape>'))).toMatchObject({ kind: 'table', filter: '' });
  const mappings = withRows(type(first, '3'), 10);
  expect(lines(type(mappings, '/ edge-3 <return>')).filter((line) => line.includes('edge-'))).toHaveLength(2);
  expect(type(first, '/').message).toContain('choose a noun');
});

test('s requests the next order, o sorts the page by a column, O reverses it', () => {
  const state = withRows(backends(), 12);
  expect(viewOf(type(state, 's'))).toMatchObject({ order: 1, data: null });
  const sorted = type(state, 'oO');
  expect(lines(sorted)[1]).toContain('page by NAME ↓');
  expect(lines(sorted)[3]).toMatch(/edge-11 /);
  expect(viewOf(type(sorted, 'oooooo'))).toMatchObject({ sort: null });
});

test('n and p turn pages, each by the cursor of the page before', () => {
  const state = withRows(backends(), 10, 'cursor-1');
  const second = type(state, 'n');
  expect(viewOf(second)).toMatchObject({ after: ['cursor-1'], data: null });
  expect(type(withRows(second, 3), 'n').message).toBe('this is the last page');
  expect(viewOf(type(second, 'p'))).toMatchObject({ after: [] });
  expect(type(state, 'p').message).toBe('this is the first page');
});

test('Enter opens an object, d l and w open other views of it, Esc returns to the selected row', () => {
  const state = type(withRows(backends(), 10), '<down>');
  const opened = type(state, '<return>');
  expect(viewOf(opened)).toMatchObject({ kind: 'text', aspect: 'open', of: { id: 'id-1', name: 'edge-1' } });
  expect(viewOf(type(opened, 'l'))).toMatchObject({ aspect: 'events', of: { id: 'id-1' } });
  expect(viewOf(type(state, 'w'))).toMatchObject({ aspect: 'why' });
  const back = type(opened, 'd <escape>');
  expect(selectedRow(viewOf(back))?.name).toBe('edge-1');
  expect(viewOf(type(back, '<escape> <escape>')).kind).toBe('overview');
  expect(type(backends(), '<return>').message).toBe('nothing is selected');
});

test('parts belong to the selected or opened object', () => {
  expect(type(first, ':listeners <return>').message).toBe(
    'listeners belong to one of loadbalancers: select it there first',
  );
  const balancers = type(first, ':lb <return>');
  const data = { rows: rows(3, 'LoadBalancer'), total: 3, next: null };
  const state = type(loaded(balancers, keyOf(balancers), { kind: 'table', data }), '<down>');
  expect(viewOf(type(state, ':pools <return>'))).toMatchObject({ noun: 'pools', of: { id: 'id-1' } });
  expect(viewOf(type(state, '<return> :nodes <return>'))).toMatchObject({ noun: 'nodes', of: { id: 'id-1' } });
  // Besides other parts of the same object.
  expect(viewOf(type(state, ':pools <return> :listeners <return>'))).toMatchObject({
    noun: 'listeners',
    of: { id: 'id-1' },
  });
});

test('a lost server leaves the data on the screen, with its age', () => {
  const state = withRows(backends(), 3);
  const away = lost({ ...state, clockMs: 6_000 });
  const later = { ...away, clockMs: 43_000 };
  expect(lines(later)[0]).toBe('Tidegate  127.0.0.1:4000  reconnecting, data is 42 s old');
  expect(lines(later)[3]).toContain('edge-0');
  expect(lines(withRows(later, 3))[0]).toContain('live');
});

test('a refusal is shown in place of the rows; an answer for something that is no longer shown changes nothing', () => {
  const state = backends();
  expect(lines(refused(state, keyOf(state), 'FORBIDDEN: only administrators'))).toContain(
    'FORBIDDEN: only administrators',
  );
  const other = type(state, '2');
  expect(loaded(other, keyOf(state), { kind: 'table', data: { rows: rows(1), total: 1, next: null } })).toEqual(other);
});

test.each(['q', '<ctrl-c>', ':q <return>'])('%s ends it', (keys) => {
  expect(type(first, keys).ended).toBe(true);
});

test('in a prompt q is a letter; Esc leaves it, and Backspace in an empty prompt too', () => {
  expect(type(first, ':q')).toMatchObject({ ended: false, prompt: { sign: ':', text: 'q' } });
  expect(type(first, ':q <escape>').prompt).toBeNull();
  expect(type(first, ':q <backspace> <backspace>').prompt).toBeNull();
  expect(type(first, `: ${'x'.repeat(300)}`).prompt?.text).toHaveLength(200);
});

test('control characters in names have no effect on the terminal', () => {
  const state = backends();
  const data = { rows: [{ id: 'a', type: 'Backend', name: 'x', cells: ['\u001b[2Jx\nnext'] }], total: 1, next: null };
  expect(lines(loaded(state, keyOf(state), { kind: 'table', data }))[3]).toBe('> \\u001b[2Jx next');
});

test('colours have no width, and end where a line is cut', () => {
  const red = (text: string, colour: Colour = 'red') => coloured(text, colour);
  expect(cutLine(`${red('abcdef')}gh`, 8)).toBe(`${red('abcdef')}gh`);
  expect(cutLine(red('abcdef'), 3)).toBe(red('ab…'));
  expect(cutLine('abcdef', 3)).toBe('ab…');
  const state = withRows(backends(), 4);
  expect(render(state, { ...plain, paint: coloured }).at(6)).toContain(red('OFFLINE'));
});

test.each([
  ['2026-11-28T05:59:50Z', '10s'],
  ['2026-11-28T05:18:00Z', '42m'],
  ['2026-11-27T05:00:00Z', '25h'],
  ['2026-11-20T05:00:00.000Z', '8d'],
  ['2026-12-10T06:00:00Z', 'in 12d'],
  ['web', 'web'],
])('%s is %s', (time, age) => {
  expect(ageText(time, nowMs)).toBe(age);
});

test('a word that begins only one noun selects it', () => {
  expect(findTopic(topics, 'exactly-nothing')).toHaveProperty('fault');
  expect(findTopic(topics, 'machi')).toMatchObject({ topic: { noun: 'machines' } });
});
