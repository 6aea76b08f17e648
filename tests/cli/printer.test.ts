// A device's output is shown, not executed: a terminal treats control characters as commands (clear the screen, set the title,
// write to the clipboard, answer with typed text), and a line break may forge a line of output.
import { expect, test } from '@jest/globals';
import { parse, parseAllDocuments } from 'yaml';
import { Printer } from '../../cli/printer.ts';
import type { OutputFormat } from '../../cli/verb.ts';
import { encodeId, newUuid } from '../../platform/values/ids.ts';

function printer({
  isTTY = true,
  columns,
  format,
}: {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly format?: OutputFormat;
} = {}) {
  const written: string[] = [];
  const output = {
    isTTY,
    columns,
    write: (text: string) => written.push(text) > 0,
  } as unknown as ConstructorParameters<typeof Printer>[0];
  return { printer: new Printer(output, {}, format), shown: () => written.join('') };
}

const orders = [
  '\u001b[2J\u001b[H',
  '\u001b]0;title\u0007',
  '\u001b]52;c;cm0gLXJmIC8=\u001b\\',
  '\u009b31m',
  '\u001b[8m',
  'SUCCEEDED\rFAILED',
  'abc\b\b\bxyz',
  '\u202egnp.exe',
];
/** Removes the printer's own colours. The rest contains nothing that a terminal would execute, except line feeds. */
const rest = (text: string) => text.replaceAll(/\p{Cc}\[(?:0|31|32|33|90)m/gu, '').replaceAll('\n', '');
const obeyed = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

test.each(orders)('%j', async (order) => {
  for (const isTTY of [true, false]) {
    const { printer: to, shown } = printer({ isTTY });
    await to.line(`Evidence  ${order}`);
    await to.pairs([['Device error', order]]);
    await to.table(['NAME', 'STATE'], [[order, 'FAILED']]);
    await to.json({ message: order, [order]: 1 });
    await to.ndjson({ message: order });
    expect(rest(shown())).not.toMatch(obeyed);
    expect(shown().includes('\u001b')).toBe(isTTY);
    const json = shown().split('\n').at(-2) ?? '';
    expect(JSON.parse(json)).toEqual({ message: order });
  }
});

test("a line break in a value does not begin a line that looks like the program's", async () => {
  const { printer: to, shown } = printer({ isTTY: false });
  await to.pairs([
    ['State', 'FAILED'],
    ['Device error', 'no\nState  SUCCEEDED'],
  ]);
  await to.table(['NAME', 'STATE'], [['a\nb  SUCCEEDED', 'FAILED']]);
  const lines = shown().split('\n');
  expect(lines.filter((line) => /^State|^b/.test(line))).toEqual(['State         FAILED']);
  expect(shown()).toContain('Device error  no\n              State  SUCCEEDED');
});

test.each(['a\u200eb', 'a\u061cb', 'x\n\u202ey', '\u2028', 'plain', '08', 'yes', ...orders])(
  'YAML of %j has the same content, and nothing that a terminal would execute',
  async (value) => {
    const { printer: to, shown } = printer({ isTTY: false, format: 'yaml' });
    await to.json({ value, [value]: [value] });
    expect(rest(shown())).not.toMatch(obeyed);
    expect(parse(shown(), { version: '1.1' })).toEqual({ value, [value]: [value] });
  },
);

test('a word that every object has is not a status', async () => {
  const { printer: to, shown } = printer();
  await to.table(['NAME'], [['constructor'], ['toString']]);
  expect(shown().split('\n').slice(1, 3)).toEqual(['constructor', 'toString']);
});

test('a terminal without a size cuts nothing', async () => {
  const { printer: to, shown } = printer({ columns: 0 });
  await to.rows(columns, [wideRow]);
  expect(shown()).toContain(wideRow.reason);
});

const id = encodeId('RelayOperation', newUuid());
const wideRow = { name: 'edge', id, reason: 'the device did not answer within two seconds, and once more after that' };
const columns = { NAME: 'name', ID: 'id', REASON: 'reason' } as const;

test.each([60, 80, 120])(
  'a table fits a terminal of %d columns: ids are short, and long texts are cut',
  async (width) => {
    const { printer: to, shown } = printer({ columns: width });
    await to.rows(columns, [wideRow]);
    const lines = shown()
      .replaceAll(/\p{Cc}\[(?:0|31|32|33|90)m/gu, '')
      .split('\n');
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    expect(shown()).not.toContain(id);
    expect(shown()).toMatch(/op_[1-9A-Za-z]{22} /);
  },
);

test('in a pipe nothing is cut and ids are short; wide has whole ids, on a terminal too', async () => {
  const piped = printer({ isTTY: false });
  await piped.printer.rows(columns, [wideRow]);
  expect(piped.shown()).toContain(wideRow.reason);
  expect(piped.shown()).not.toContain(id);
  const wide = printer({ columns: 80, format: 'wide' });
  await wide.printer.rows(columns, [wideRow]);
  expect(wide.shown()).toContain(id);
  expect(wide.shown()).toContain(wideRow.reason);
});

test('a table of a hundred thousand rows is printed', async () => {
  const { printer: to, shown } = printer({ isTTY: false });
  await to.rows(
    columns,
    Array.from({ length: 100_000 }, () => ({ ...wideRow, id: 'x' })),
  );
  expect(shown().split('\n')).toHaveLength(100_002);
});

test('YAML equals the JSON, with quotes around words that could be read as booleans', async () => {
  const { printer: to, shown } = printer({ isTTY: false, format: 'yaml' });
  const value = { answer: 'no', count: 1, none: null, when: new Date(0), left: undefined, list: [{ a: 'b: c' }] };
  await to.json(value);
  expect(parse(shown())).toEqual(JSON.parse(JSON.stringify(value)));
  expect(shown()).toContain('answer: "no"');
  const stream = printer({ isTTY: false, format: 'yaml' });
  for (const cursor of ['1', '2']) await stream.printer.ndjson({ cursor });
  expect(parseAllDocuments(stream.shown()).map((each) => each.toJS())).toEqual([{ cursor: '1' }, { cursor: '2' }]);
});

test('names are those of the first column, or of the printed objects', async () => {
  const rows = printer({ isTTY: false, format: 'name' });
  await rows.printer.rows(columns, [wideRow, { ...wideRow, name: 'core' }]);
  expect(rows.shown()).toBe('edge\ncore\n');
  const json = printer({ isTTY: false, format: 'name' });
  await json.printer.json([{ id: 'x', name: 'edge' }, { id: 'y', fqdn: 'www.example' }, { id: 'z' }]);
  expect(json.shown()).toBe('edge\nwww.example\nz\n');
  await expect(json.printer.json({ changed: true })).rejects.toThrow('has no names');
});
