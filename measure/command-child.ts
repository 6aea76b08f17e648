// Controls a process of a trial: sends it commands as lines and receives answers as lines of JSON. The process ends with the trial, even if
// that is killed.
// needs: processes
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface, type Interface } from 'node:readline';
import { endingWithParent } from '../embedded/ends-with-parent.ts';

interface CommandChildOptions {
  /** Path of the program, which gets the path of `file` as its argument. */
  readonly script: string;
  /** File with the program's options. */
  readonly file: string;
  readonly program: object;
  /** A command that runs the program. */
  readonly wrapper?: readonly string[];
}

export class CommandChild {
  readonly #options: CommandChildOptions;
  #child: ChildProcess | undefined;
  #lines: Interface | undefined;

  constructor(options: CommandChildOptions) {
    this.#options = options;
  }

  /** Throws if it is not running. */
  get pid(): number {
    const { pid } = this.#child ?? {};
    if (pid === undefined) throw new Error(`the process of ${this.#options.file} is not running`);
    return pid;
  }

  /** Returns its report once it works. */
  async start(): Promise<unknown> {
    const { script, file, program, wrapper = [] } = this.#options;
    await writeFile(file, JSON.stringify(program), { mode: 0o600 });
    const [command = '', ...words] = [
      ...wrapper,
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      script,
      file,
    ];
    const child = spawn(...endingWithParent(command, words), { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#lines = createInterface({ input: child.stdout });
    return this.#answer();
  }

  /** Sends one line; returns the answer. */
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
    if (this.#lines === undefined || this.#child === undefined) throw new Error('the process is not running');
    const waiting = new AbortController();
    const { signal } = waiting;
    const ended = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error(`the process of ${this.#options.file} ended`);
    });
    try {
      const [line] = (await Promise.race([once(this.#lines, 'line', { signal }), ended])) as [string];
      return JSON.parse(line);
    } finally {
      waiting.abort();
    }
  }
}
