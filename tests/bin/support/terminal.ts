// A program in a pseudo-terminal, and the screen that its user sees.
// needs: bsdutils
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { runProgram } from '../../../embedded/run-program.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';

interface Size {
  readonly rows: number;
  readonly columns: number;
}

export class Terminal {
  readonly ended: Promise<number | null>;
  readonly #child: ChildProcess;
  #output = '';

  /** `command`: for a shell. */
  constructor(command: string, { rows, columns }: Size, env: Readonly<Record<string, string | undefined>>) {
    const line = `stty rows ${rows} cols ${columns}; exec ${command}`;
    this.#child = spawn('script', ['-qefc', line, '/dev/null'], { env, detached: true });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (part: string) => {
        this.#output += part;
      });
    this.ended = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Everything that was written. */
  get output(): string {
    return this.#output;
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** The lines of the screen without colours. If the program has restored the shell's own screen, the lines of that screen. */
  screen(): readonly string[] {
    return screenOf(this.#output);
  }

  async shows(what: string | RegExp): Promise<void> {
    const isThere = (line: string) => (typeof what === 'string' ? line.includes(what) : what.test(line));
    await waitFor(`the screen to show ${what}`, () => this.screen().some(isThere)).catch((error: Error) => {
      throw new Error(`${error.message}\n${this.screen().join('\n')}`);
    });
  }

  /** The process in the terminal. */
  async pid(): Promise<number> {
    const { pid = 0 } = this.#child;
    for (const each of await readdir('/proc')) {
      const stat = /^\d+$/.test(each) ? await readFile(`/proc/${each}/stat`, 'utf8').catch(() => '') : '';
      const [, parent] = /\) \S (\d+)/.exec(stat) ?? [];
      if (Number(parent) === pid) return Number(each);
    }
    throw new Error('there is no process in the terminal');
  }

  async resize({ rows, columns }: Size): Promise<void> {
    const terminal = await readlink(`/proc/${await this.pid()}/fd/0`);
    await runProgram('stty', ['-F', terminal, 'rows', String(rows), 'cols', String(columns)]);
  }

  /** The terminal's settings. A program that ends leaves them as they were. */
  async settings(): Promise<string> {
    const terminal = await readlink(`/proc/${await this.pid()}/fd/0`);
    return (await runProgram('stty', ['-F', terminal, '-a'])).stdout;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** The screen of a terminal after this output, as far as the program uses its features. */
function screenOf(output: string): readonly string[] {
  const own: string[] = [];
  let other: string[] | undefined;
  const place = { row: 0, column: 0 };
  /** The position of the cursor on the shell's own screen. */
  const kept = { ...place };
  for (const [part] of output.matchAll(/\p{Cc}\[[?0-9;]*[A-Za-z]|\r|\n|\P{Cc}+/gu)) {
    const lines = other ?? own;
    const [, row] = /^\p{Cc}\[(\d+);1H$/u.exec(part) ?? [];
    if (row !== undefined) Object.assign(place, { row: Number(row) - 1, column: 0 });
    else if (part === '\u001b[?1049h') {
      other = [];
      Object.assign(kept, place);
    } else if (part === '\u001b[?1049l') {
      other = undefined;
      Object.assign(place, kept);
    } else if (part === '\u001b[2J') lines.length = 0;
    else if (part === '\u001b[K') lines[place.row] = (lines[place.row] ?? '').slice(0, place.column);
    else if (part === '\r') place.column = 0;
    else if (part === '\n') place.row += 1;
    else if (!part.startsWith('\u001b')) {
      const line = (lines[place.row] ?? '').padEnd(place.column);
      lines[place.row] = line.slice(0, place.column) + part + line.slice(place.column + part.length);
      place.column += part.length;
    }
  }
  return Array.from(other ?? own, (line) => line ?? '');
}
