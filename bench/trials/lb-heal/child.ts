// The owner of a process of the trial. It ends with the trial, even if that is killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Program } from './program.ts';

const path = fileURLToPath(new URL('./program.ts', import.meta.url));

export class Child {
  readonly #wrapper: readonly string[];
  readonly #file: string;
  readonly #program: Program;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;

  /** `file`: where its options are written. */
  constructor(wrapper: readonly string[], file: string, program: Program) {
    this.#wrapper = wrapper;
    this.#file = file;
    this.#program = program;
  }

  /** Returns what it says of itself once it works. */
  async start(): Promise<unknown> {
    await writeFile(this.#file, JSON.stringify(this.#program), { mode: 0o600 });
    const command = [...this.#wrapper, process.execPath, '--disable-warning=ExperimentalWarning', path, this.#file];
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', '--', ...command], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    return this.#answer();
  }

  /** One line to it; returns its answer. */
  tell(line: string): Promise<unknown> {
    this.#child?.stdin?.write(`${line}\n`);
    return this.#answer();
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#runs()) this.#child?.kill(signal);
  }

  /** kill -9, and waits until it has ended. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.#runs()) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  #runs(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #answer(): Promise<unknown> {
    if (this.#lines === undefined || this.#child === undefined) throw new Error('the process does not run');
    const waiting = new AbortController();
    const { signal } = waiting;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the process of ${this.#file} ended`);
    });
    try {
      const [line] = (await Promise.race([once(this.#lines, 'line', { signal }), ended])) as [string];
      return JSON.parse(line);
    } finally {
      waiting.abort();
    }
  }
}
