// A device's command line on a terminal, as a person or a screen scraper meets it: echo, line editing, a pager that discards
// typed-ahead input, help without Enter.

import type { Duplex } from 'node:stream';

export interface TerminalOptions {
  /** Rows of the client's screen; the pager stops after one less. */
  readonly rows: number;
  /** Shown when a screen is full, for example `--More-- `. */
  readonly pagerPrompt: string;
  /** Printed over the pager's prompt after a key press. */
  readonly pagerErase: string;
  /** Keys that act at once instead of being typed, for example `?`; after Ctrl-V they are typed. */
  readonly helpKeys?: string;
  /** Whether input is echoed. Default true. */
  readonly echo?: boolean;
}

/** The end of a line: Enter, a help key (then `text` is the line so far), or the client's end. */
type TypedLine =
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'help'; readonly text: string; readonly key: string }
  | { readonly kind: 'end' };

const ctrlC = '\x03';
const ctrlD = '\x04';
const ctrlV = '\x16';
const ctrlU = '\x15';
/** No device's line is longer; the rest of such a line is dropped. */
const maxLineChars = 64 * 1024;

export class Terminal {
  readonly #stream: Duplex;
  readonly #options: TerminalOptions;
  /** Unread keys. */
  #typed = '';
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(stream: Duplex, options: TerminalOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (chunk: Buffer) => {
      this.#typed += chunk.toString('utf8');
      this.#wake?.();
    });
    for (const event of ['end', 'close', 'error']) {
      stream.on(event, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }

  /** Line feeds become carriage return and line feed, like on a terminal in its default mode. */
  write(text: string): void {
    if (!this.#stream.writableEnded && !this.#stream.destroyed) this.#stream.write(text.replace(/\r?\n/g, '\r\n'));
  }

  /** Prints a question, then waits for one key, which acts without Enter. Undefined at the end of input. */
  ask(question: string): Promise<string | undefined> {
    this.write(question);
    return this.#readKey();
  }

  /** Prints `prompt`, then reads a line with echo; `start` is already typed, for example after help. */
  async readLine(prompt: string, start = ''): Promise<TypedLine> {
    let text = start;
    this.write(prompt + start);
    for (;;) {
      const key = await this.#readKey();
      if (key === undefined || (key === ctrlD && text === '')) return { kind: 'end' };
      if (key === '\r' || key === '\n') {
        // A client that ends lines with both has pressed Enter once.
        if (key === '\r' && this.#typed.startsWith('\n')) this.#typed = this.#typed.slice(1);
        this.write('\n');
        return { kind: 'line', text };
      }
      if (this.#options.helpKeys?.includes(key)) {
        this.#echo(key);
        this.write('\n');
        return { kind: 'help', text, key };
      }
      if (key === ctrlC) {
        this.write('^C\n');
        return { kind: 'line', text: '' };
      }
      if (key === '\x7f' || key === '\b') {
        if (text !== '') this.#echo('\b \b');
        text = text.slice(0, -1);
      } else if (key === ctrlU) {
        this.#echo('\b \b'.repeat(text.length));
        text = '';
      } else {
        const typed = key === ctrlV ? ((await this.#readKey()) ?? '') : key;
        if (text.length < maxLineChars) text += typed;
        this.#echo(typed);
      }
    }
  }

  /**
   * Prints `text` one screen at a time: space continues by a screen, Enter by a line, q and Ctrl-C end it. Without `paged` it is
   * printed at once.
   */
  async print(text: string, paged: boolean): Promise<void> {
    if (!paged) return this.write(text);
    const { rows, pagerPrompt, pagerErase } = this.#options;
    const lines = text.split(/(?<=\n)/);
    let room = Math.max(rows - 1, 1);
    for (const [index, line] of lines.entries()) {
      this.write(line);
      room -= 1;
      if (room > 0 || index === lines.length - 1) continue;
      this.write(pagerPrompt);
      const key = await this.#readKey();
      this.write(pagerErase);
      if (key === undefined) return;
      if (key === 'q' || key === 'Q' || key === ctrlC) return this.write('\n');
      room = key === '\r' || key === '\n' ? 1 : Math.max(rows - 1, 1);
    }
  }

  #echo(text: string): void {
    if (this.#options.echo ?? true) this.write(text);
  }

  /** Undefined at the end of input. */
  async #readKey(): Promise<string | undefined> {
    while (this.#typed === '') {
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    const [key = ''] = this.#typed;
    this.#typed = this.#typed.slice(key.length);
    return key;
  }
}
