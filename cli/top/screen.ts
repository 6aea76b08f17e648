// The terminal of `tidegate top`, whose state is restored at the end. Only changed lines are written.

import { emitKeypressEvents, type Interface, type Key } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Output } from '../verb.ts';

export interface TerminalInput extends Readable {
  readonly isTTY?: boolean;
  setRawMode?(on: boolean): unknown;
}

export interface TerminalOutput extends Output {
  readonly rows?: number;
}

/** Another screen, no cursor, no wrapping of long lines. */
const take = '\u001b[?1049h\u001b[?25l\u001b[?7l\u001b[2J';
const giveBack = '\u001b[0m\u001b[?7h\u001b[?25h\u001b[?1049l';

/** Short, so that Esc is not taken for the beginning of another key for long. */
const escapeMs = 50;

export class Screen {
  readonly #input: TerminalInput;
  readonly #output: TerminalOutput;
  #shown: readonly string[] = [];
  #isTaken = false;

  constructor(input: TerminalInput, output: TerminalOutput) {
    this.#input = input;
    this.#output = output;
  }

  get size(): { readonly rows: number; readonly columns: number } {
    // A terminal that nobody has sized yet has none.
    return { rows: this.#output.rows || 24, columns: this.#output.columns || 80 };
  }

  /** The terminal is restored at the latest when the process ends, for any reason. */
  take(on: { key(key: string): void; resize(): void }): void {
    this.#isTaken = true;
    this.#input.setRawMode?.(true);
    emitKeypressEvents(this.#input, { escapeCodeTimeout: escapeMs } as unknown as Interface);
    this.#input.on('keypress', (text: string | undefined, key: Key) => on.key(nameOf(text, key)));
    // The terminal was closed.
    this.#input.on('end', () => on.key('ctrl-c'));
    this.#input.resume();
    this.#output.on('resize', () => {
      this.#shown = [];
      if (this.#isTaken) this.#output.write('\u001b[2J');
      on.resize();
    });
    process.on('exit', this.giveBack);
    // The trace is printed after this.
    process.on('uncaughtExceptionMonitor', this.giveBack);
    this.#output.write(take);
  }

  readonly giveBack = (): void => {
    if (!this.#isTaken) return;
    this.#isTaken = false;
    process.off('exit', this.giveBack);
    process.off('uncaughtExceptionMonitor', this.giveBack);
    this.#input.setRawMode?.(false);
    this.#input.removeAllListeners('keypress');
    this.#input.pause();
    this.#output.write(giveBack);
  };

  draw(lines: readonly string[]): void {
    if (!this.#isTaken) return;
    const changed = lines.flatMap((line, at) =>
      line === this.#shown[at] ? [] : [`\u001b[${at + 1};1H${line}\u001b[0m\u001b[K`],
    );
    this.#shown = lines;
    if (changed.length > 0) this.#output.write(changed.join(''));
  }
}

/** A character, or a name such as `pageup` or `ctrl-c`. */
function nameOf(text: string | undefined, { name = '', ctrl = false }: Key): string {
  if (ctrl) return `ctrl-${name}`;
  const named = ['up', 'down', 'pageup', 'pagedown', 'home', 'end', 'return', 'escape', 'backspace', 'tab', 'space'];
  if (name === 'enter') return 'return';
  return named.includes(name) ? name : (text ?? name);
}
