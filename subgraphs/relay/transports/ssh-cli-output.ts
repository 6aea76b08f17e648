// Reads a device's terminal output as a person would: separates echo, prompt and pager from output, and takes lines that were
// printed over in their final form.

import type { CliDialect } from '../drivers/driver.ts';

/** A prompt or a pager's question is on the last line; longer last lines are output. */
const maxLastLineChars = 4_096;
/** ECMA-48 control sequences (not part of RFC 4254), and the two-character escapes of terminals. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const controlSequences = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[=>78MDEc])/g;

/**
 * What the device waits for, judged by the end of its output. `prompt`: the next line. `perhaps`: probably the next line, but the
 * prompt may be output that looks like one. `pager`: a key. `nothing`: it is still busy.
 */
type Waiting = 'prompt' | 'perhaps' | 'pager' | 'nothing';

/** The output after a typed line, or after login. */
export class CliOutput {
  readonly #dialect: CliDialect;
  readonly #echo: string | undefined;
  readonly #prompts: PromptStart | undefined;
  #raw = '';
  #searchedFrom = 0;
  /** End of the echo; undefined before it. */
  #start: number | undefined;

  /** `line`: the typed line; undefined after login. `prompts`: the beginning of this device's prompts, once known. */
  constructor(dialect: CliDialect, line?: string, prompts?: PromptStart) {
    this.#dialect = dialect;
    // Ctrl-V makes the next key an ordinary one, and is not echoed itself.
    this.#echo = line?.replaceAll('\x16', '').trimEnd();
    this.#prompts = prompts;
    if (line === undefined) this.#start = 0;
  }

  add(text: string): void {
    this.#raw += text;
    this.#findEcho();
  }

  get waiting(): Waiting {
    const last = this.#lastLine();
    if (last === undefined) return 'nothing';
    if (this.#dialect.pager?.pattern.test(last)) return 'pager';
    if (!this.#dialect.prompt.test(last)) return 'nothing';
    return this.#start !== undefined && this.#prompts?.begins(last) === true ? 'prompt' : 'perhaps';
  }

  /** The pager has its answer: its question is not output. */
  passPager(): void {
    this.#raw = this.#raw.slice(0, this.#raw.lastIndexOf('\n') + 1);
  }

  /** Without echo and prompt; lines end with `\n`. */
  output(): string {
    const text = this.#raw.slice(this.#start ?? 0);
    const end = text.lastIndexOf('\n') + 1;
    return asShown(this.waiting === 'nothing' ? text : text.slice(0, end));
  }

  /** The prompt that the device shows now. */
  prompt(): string {
    return this.#lastLine() ?? '';
  }

  #findEcho(): void {
    while (this.#start === undefined) {
      const end = this.#raw.indexOf('\n', this.#searchedFrom);
      if (end < 0) return;
      const line = asShown(this.#raw.slice(this.#searchedFrom, end)).trimEnd();
      this.#searchedFrom = end + 1;
      if (line.endsWith(this.#echo ?? '')) this.#start = end + 1;
    }
  }

  #lastLine(): string | undefined {
    const from = this.#raw.lastIndexOf('\n') + 1;
    return this.#raw.length - from > maxLastLineChars ? undefined : asShown(this.#raw.slice(from), false);
  }
}

/** Every prompt of a device begins with its name: output that only ends like a prompt does not. */
export class PromptStart {
  readonly #name: string;

  constructor(prompt: string) {
    this.#name = /^[^\s#>$%([:]*/.exec(prompt)?.[0] ?? '';
  }

  begins(line: string): boolean {
    return line.startsWith(this.#name);
  }
}

/** Applies carriage returns and backspaces. `trim`: without the blanks that were used to overwrite something. */
function asShown(raw: string, trim = true): string {
  const text = raw.replace(controlSequences, '').replaceAll('\r\n', '\n');
  if (!/[\r\b]/.test(text)) return text.replaceAll('\x07', '');
  return text
    .split('\n')
    .map((line) => (/[\r\b]/.test(line) ? overprinted(line, trim) : line))
    .join('\n')
    .replaceAll('\x07', '');
}

function overprinted(line: string, trim: boolean): string {
  const cells: string[] = [];
  let column = 0;
  for (const character of line) {
    if (character === '\r') column = 0;
    else if (character === '\b') column = Math.max(column - 1, 0);
    else {
      cells[column] = character;
      column += 1;
    }
  }
  const shown = cells.join('');
  return trim ? shown.trimEnd() : shown;
}
