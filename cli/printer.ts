// Output of commands: tables and colours for people on a terminal, plain text in a pipe, and JSON, YAML or names on request.
import { once } from 'node:events';
import { isObject, type JsonValue } from '../platform/values/json.ts';
import { UsageError } from './failures.ts';
import { shortId, shownId } from './short-id.ts';
import type { Output, OutputFormat, Surroundings } from './verb.ts';
import { visible } from './visible.ts';

const colours = { red: 31, green: 32, yellow: 33, grey: 90 } as const;
export type Colour = keyof typeof colours;

/** The severity of a status, for its colour. */
const statusColours: Readonly<Record<string, Colour>> = {
  ONLINE: 'green',
  SUCCEEDED: 'green',
  ACTIVE: 'green',
  SERVING: 'green',
  MATCHES: 'green',
  UP: 'green',
  OFFLINE: 'red',
  FAILED: 'red',
  ERROR: 'red',
  REJECTED: 'red',
  OPEN: 'red',
  DEAD: 'red',
  MISSING: 'red',
  DOWN: 'red',
  UNKNOWN: 'yellow',
  DEGRADED: 'yellow',
  REPLACED: 'yellow',
  DRAINING: 'yellow',
  UNVERIFIED: 'yellow',
  ORPHAN: 'yellow',
  DRIFTED: 'yellow',
  NOT_SEEN: 'yellow',
  HALF_OPEN: 'yellow',
  FROZEN: 'yellow',
  DISABLED: 'grey',
  DELETED: 'grey',
};

export function statusColour(text: string): Colour | undefined {
  return Object.hasOwn(statusColours, text) ? statusColours[text] : undefined;
}

/** `text` in a colour of the terminal. */
export function coloured(text: string, colour: Colour): string {
  return `\u001b[${colours[colour]}m${text}\u001b[0m`;
}

type Text = string | number | null | undefined;
type TextField<Row> = { [Field in keyof Row]: Row[Field] extends Text ? Field : never }[keyof Row];

/** A field, or a function of the row, by column title. Null and undefined are shown as `-`. */
export type Columns<Row> = Readonly<Record<string, TextField<Row> | ((row: Row) => Text)>>;

/** Minimum width of columns in a narrow terminal. The first column and ids are never cut. */
const leastWidth = 12;

export function printerOf({ stdout, env, output }: Pick<Surroundings, 'stdout' | 'env' | 'output'>): Printer {
  return new Printer(stdout, env, output);
}

export class Printer {
  readonly #output: Output;
  readonly #coloured: boolean;
  readonly #format: OutputFormat | undefined;

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>, format?: OutputFormat) {
    this.#output = output;
    this.#coloured = output.isTTY === true && (env.NO_COLOR ?? '') === '';
    this.#format = format;
  }

  /** One line. Line feeds are shown like other control characters. */
  async line(text: string): Promise<void> {
    await this.#lines(text.replaceAll('\n', '\\n'));
  }

  /** JSON, YAML or names, depending on `-o`. */
  async json(value: unknown): Promise<void> {
    if (this.#format === 'yaml') return this.#yaml(value);
    if (this.#format === 'name') return this.names(namesIn(JSON.parse(JSON.stringify(value)) as JsonValue));
    await this.#lines(JSON.stringify(value, null, 2));
  }

  async #yaml(value: unknown): Promise<void> {
    const { yamlText } = await import('./yaml-text.ts');
    // The JSON value. Words such as `yes` are quoted, because other readers treat them as booleans.
    const text = yamlText(JSON.parse(JSON.stringify(value)), { version: '1.1' });
    await this.#lines(text.trimEnd());
  }

  async names(names: readonly string[]): Promise<void> {
    for (const name of names) await this.line(name);
  }

  /** Respects back-pressure, so that nothing accumulates. */
  async #lines(text: string): Promise<void> {
    if (!this.#output.write(`${visible(text, { colours: this.#coloured })}\n`)) await once(this.#output, 'drain');
  }

  /** One JSON value on one line. In YAML, one document. */
  async ndjson(value: unknown): Promise<void> {
    if (this.#format === 'yaml') await this.#lines('---');
    if (this.#format === 'yaml' || this.#format === 'name') return this.json(value);
    await this.line(JSON.stringify(value));
  }

  async table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    { indent = 0 }: { readonly indent?: number } = {},
  ): Promise<void> {
    const whole = rows.map((row) => row.map((cell) => visible(this.idText(cell).replaceAll('\n', '\\n'))));
    const widths = this.#fitted(
      head.map((title, column) =>
        whole.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), title.length),
      ),
      indent,
      (column) => column === 0 || rows.some((row) => shortId(row[column] ?? '') !== undefined),
    );
    const cells = whole.map((row) => row.map((cell, column) => cut(cell, widths[column] ?? 0)));
    const format = (row: readonly string[], paint: (text: string) => string) =>
      ' '.repeat(indent) +
      row
        .map((text, column) => paint(text) + ' '.repeat(Math.max(0, (widths[column] ?? 0) - text.length)))
        .join('  ')
        .trimEnd();
    const titles = head.map((title, column) => cut(title, widths[column] ?? 0));
    await this.line(format(titles, (text) => this.colour(text, 'grey')));
    for (const row of cells) await this.line(format(row, (text) => this.status(text)));
  }

  /** A short id for an id, the same in tables, pairs and lines. Other text is unchanged. */
  idText(text: string): string {
    return this.#format === 'wide' ? text : shownId(text);
  }

  /** Fits a row into one line of the terminal, if possible. */
  #fitted(widths: readonly number[], indent: number, isKept: (column: number) => boolean): readonly number[] {
    const { isTTY, columns } = this.#output;
    // A terminal that nobody has sized yet has no columns.
    if (isTTY !== true || !columns || this.#format === 'wide') return widths;
    const fitted = [...widths];
    for (;;) {
      const over = indent + fitted.reduce((sum, width) => sum + width, 2 * (fitted.length - 1)) - columns;
      const [widest] = [...fitted.entries()]
        .filter(([column, width]) => width > leastWidth && !isKept(column))
        .sort(([, one], [, other]) => other - one);
      if (over <= 0 || widest === undefined) return fitted;
      const [column, width] = widest;
      fitted[column] = Math.max(leastWidth, width - over);
    }
  }

  async rows<Row>(
    columns: Columns<Row>,
    rows: readonly Row[],
    options: { readonly indent?: number } = {},
  ): Promise<void> {
    const cells = Object.values(columns);
    const textOf = (row: Row) =>
      cells.map((cell) => String((typeof cell === 'function' ? cell(row) : row[cell]) ?? '-'));
    const texts = rows.map(textOf);
    if (this.#format === 'name') return this.names(texts.map(([first = '-']) => first));
    await this.table(Object.keys(columns), texts, options);
  }

  /** Prints an empty line and a table. Prints nothing if there are no rows. */
  async section(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    if (rows.length === 0) return;
    await this.line('');
    await this.table(head, rows);
  }

  /** Names and values, one pair per line. Ids are short, as in tables, and null values are left out. */
  async pairs(pairs: readonly (readonly [string, string | number | null | undefined])[]): Promise<void> {
    const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
    const width = Math.max(...shown.map(([name]) => name.length));
    for (const [name, value] of shown) {
      // Further lines of a value are indented, so that none looks like a field.
      const text = this.idText(String(value)).replaceAll('\n', `\n${' '.repeat(width + 2)}`);
      await this.#lines(`${name.padEnd(width)}  ${this.status(text)}`);
    }
  }

  status(text: string): string {
    const colour = statusColour(text);
    return colour === undefined ? text : this.colour(text, colour);
  }

  colour(text: string, colour: Colour): string {
    return this.#coloured ? coloured(text, colour) : text;
  }
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** Fields that can name an object, the best first. */
const nameFields = ['name', 'fqdn', 'accessKeyId', 'id'] as const;

function namesIn(value: JsonValue): string[] {
  const things = Array.isArray(value) ? (value as readonly JsonValue[]) : [value];
  return things.map((each) => {
    const named = isObject(each)
      ? nameFields.map((field) => each[field]).find((name) => typeof name === 'string')
      : undefined;
    if (typeof named === 'string') return named;
    throw new UsageError('-o name: the output has no names');
  });
}
