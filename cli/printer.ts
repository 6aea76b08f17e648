// Output of commands: tables and colours for people on a terminal, plain text in a pipe, JSON on demand.
import { once } from 'node:events';
import type { Output } from './verb.ts';
import { visible } from './visible.ts';

const colours = { red: 31, green: 32, yellow: 33, grey: 90 } as const;
type Colour = keyof typeof colours;

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

type Text = string | number | null | undefined;
type TextField<Row> = { [Field in keyof Row]: Row[Field] extends Text ? Field : never }[keyof Row];

/** A field, or a function of the row, by column title. Null and undefined are shown as `-`. */
export type Columns<Row> = Readonly<Record<string, TextField<Row> | ((row: Row) => Text)>>;

export class Printer {
  readonly #output: Output;
  readonly #coloured: boolean;

  constructor(output: Output, env: Readonly<Record<string, string | undefined>>) {
    this.#output = output;
    this.#coloured = output.isTTY === true && (env.NO_COLOR ?? '') === '';
  }

  /** One line: a line feed in it is shown like other control characters. */
  async line(text: string): Promise<void> {
    await this.#lines(text.replaceAll('\n', '\\n'));
  }

  async json(value: unknown): Promise<void> {
    await this.#lines(JSON.stringify(value, null, 2));
  }

  /** Respects back-pressure, so that nothing accumulates. */
  async #lines(text: string): Promise<void> {
    if (!this.#output.write(`${visible(text, { colours: this.#coloured })}\n`)) await once(this.#output, 'drain');
  }

  /** One JSON value on one line. */
  async ndjson(value: unknown): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  async table(
    head: readonly string[],
    rows: readonly (readonly string[])[],
    { indent = 0 }: { readonly indent?: number } = {},
  ): Promise<void> {
    const cells = rows.map((row) => row.map((cell) => visible(cell.replaceAll('\n', '\\n'))));
    const widths = head.map((title, column) => Math.max(title.length, ...cells.map((row) => row[column]?.length ?? 0)));
    const format = (row: readonly string[], paint: (text: string) => string) =>
      ' '.repeat(indent) +
      row
        .map((text, column) => paint(text) + ' '.repeat((widths[column] ?? 0) - text.length))
        .join('  ')
        .trimEnd();
    await this.line(format(head, (text) => this.colour(text, 'grey')));
    for (const row of cells) await this.line(format(row, (text) => this.status(text)));
  }

  async rows<Row>(
    columns: Columns<Row>,
    rows: readonly Row[],
    options: { readonly indent?: number } = {},
  ): Promise<void> {
    const cells = Object.values(columns);
    const textOf = (row: Row) =>
      cells.map((cell) => String((typeof cell === 'function' ? cell(row) : row[cell]) ?? '-'));
    await this.table(Object.keys(columns), rows.map(textOf), options);
  }

  /** Prints an empty line and a table. Prints nothing if there are no rows. */
  async section(head: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    if (rows.length === 0) return;
    await this.line('');
    await this.table(head, rows);
  }

  /** Name and value, one pair a line; null values are left out. */
  async pairs(pairs: readonly (readonly [string, string | number | null | undefined])[]): Promise<void> {
    const shown = pairs.filter(([, value]) => value !== null && value !== undefined && value !== '');
    const width = Math.max(...shown.map(([name]) => name.length));
    for (const [name, value] of shown) {
      // Further lines of a value are indented, so that none looks like a field.
      const text = String(value).replaceAll('\n', `\n${' '.repeat(width + 2)}`);
      await this.#lines(`${name.padEnd(width)}  ${this.status(text)}`);
    }
  }

  status(text: string): string {
    const colour = statusColours[text];
    return colour === undefined ? text : this.colour(text, colour);
  }

  colour(text: string, colour: Colour): string {
    return this.#coloured ? `\u001b[${colours[colour]}m${text}\u001b[0m` : text;
  }
}
